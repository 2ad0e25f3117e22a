import { diffAccessSteps } from '../authorize/analyse/diff-access.ts'
import { inTurns } from '../authorize/analyse/in-steps.ts'
import { parseArn } from '../base/ids.ts'
import type { ConfigurationHistory } from '../journal/port.ts'
import type { AnalyseDeps } from '../operator/analyse-commands.ts'
import { analysisWorld } from '../operator/analysis-world.ts'
import { type Input, refreshed, textOf } from '../operator/command-input.ts'
import { operatorEvent } from '../operator/event.ts'
import type { RecordedEvents } from '../operator/recorded-events.ts'
import { type Command, OperatorError } from '../operator/socket.ts'
import { commitRecorded } from '../record/commit.ts'
import { wholeItem } from '../services/config/item.ts'
import { bucketArn, bucketOfArn } from '../services/s3/bucket.ts'
import type { Buckets } from '../services/s3/buckets.ts'
import { textDigest } from '../storage/port.ts'
import { olderVersions, relatedEvents } from './policy-events.ts'
import { type PolicyVersion, policyEvent } from './policy-version.ts'
import type { WholeItem } from './stored-item.ts'

export type PolicyHistoryDeps = AnalyseDeps &
  Pick<RecordedEvents, 'records' | 'lookup'> & {
    readonly history: ConfigurationHistory
    readonly s3: Buckets
  }

export type PolicyHistory = {
  /** ARN of the key or the bucket. */
  readonly key: string
  /** The oldest first. */
  readonly versions: readonly PolicyVersion[]
  /** When it went. Of a key that is gone, and of buckets, nothing is newly allowed. */
  readonly deletedAt: string | undefined
}

/**
 * Each version of the policy of a key or a bucket: who brought it, when, by which event, what it newly allowed. Asking
 * is recorded.
 */
export function policyHistoryCommands(deps: PolicyHistoryDeps): Readonly<Record<string, Command>> {
  return refreshed(deps.mirror, { 'policy-history': (input) => policyHistory(deps, input) })
}

async function policyHistory(deps: PolicyHistoryDeps, input: Input): Promise<PolicyHistory> {
  const { arn, items } = await itemsOf(deps, textOf(input, 'key'))
  const details = { key: arn }
  await commitRecorded(deps, [], [operatorEvent(deps, input, { name: 'PolicyHistory', details })])
  const gone = items.filter(({ configurationItemStatus: is }) => is === 'ResourceDeleted').at(-1)
  const isGone = gone !== undefined && gone === items.at(-1)
  const changes = items.filter((item, at) => isNewPolicy(item, items.slice(0, at)))
  const events = await relatedEvents(deps, changes)
  const [first] = changes
  const older = first?.relatedEvents.length === 0 ? await olderVersions(deps, arn, first) : []
  const recorded = changes.map((item): PolicyVersion => {
    const { configurationItemCaptureTime: time, supplementaryConfiguration: shown } = item
    const event = item.relatedEvents.map((id) => events.get(id)).find((each) => each !== undefined)
    return {
      time,
      policy: policyIn(shown),
      sha256: shown['PolicySha256'],
      event: event && policyEvent(event),
      newlyAllowed: undefined,
    }
  })
  const versions = [...older, ...recorded]
  const compared = isGone ? versions : await withNewAccess(deps, arn, versions)
  const deletedAt = isGone ? gone.configurationItemCaptureTime : undefined
  return { key: arn, versions: compared, deletedAt }
}

function policyIn(shown: WholeItem['supplementaryConfiguration']): string {
  const { Policy, BucketPolicy } = shown
  if (BucketPolicy === undefined) return Policy ?? ''
  return (JSON.parse(BucketPolicy) as { policyText: string | null }).policyText ?? ''
}

/** Its first, and each whose text decides otherwise than the one before. A bucket may lose its policy. */
function isNewPolicy(item: WholeItem, before: readonly WholeItem[]): boolean {
  const sha256 = item.supplementaryConfiguration['PolicySha256']
  const isGone = item.configurationItemStatus === 'ResourceDeleted'
  if (isGone || (sha256 === undefined && item.resourceType !== 'AWS::S3::Bucket')) return false
  const last = before.findLast((each) => each.configurationItemStatus !== 'ResourceDeleted')
  const isNew = before.at(-1)?.configurationItemStatus === 'ResourceDeleted'
  return (
    (isNew && sha256 !== undefined) || last?.supplementaryConfiguration['PolicySha256'] !== sha256
  )
}

/** The items of the one key or bucket that the text means, there or gone. */
async function itemsOf(deps: PolicyHistoryDeps, text: string) {
  const bucket = bucketOfArn(text) ?? /^s3:\/\/([^/]+)\/?$/.exec(text)?.[1]
  if (bucket !== undefined) return itemsOfBucket(deps, bucket)
  const present = deps.keys(text).map(({ key }) => key.arn)
  const found = []
  for (const arn of present.length > 0 ? present : arnsOf(deps, text)) {
    const items = await everyItem(deps, arn)
    if (items.length > 0 || present.length > 0) found.push({ arn, items })
  }
  const [one, ...others] = found
  if (one === undefined) throw new OperatorError(`There is no key ${text}, and was none.`)
  if (others.length > 0) throw new OperatorError(`${text} means several keys: give an ARN.`)
  return one
}

/** Where a key that is gone may have been. */
function arnsOf({ accounts }: PolicyHistoryDeps, text: string): readonly string[] {
  if (parseArn(text) !== undefined) return [text]
  const regions = accounts.deployment?.regions ?? []
  return accounts
    .all()
    .flatMap((account) => regions.map((region) => `arn:aws:kms:${region}:${account}:key/${text}`))
}

/** Of one that is gone every account and Region is asked: its ARN does not tell them, and its name may have moved. */
async function itemsOfBucket(deps: PolicyHistoryDeps, name: string) {
  const { accounts, s3 } = deps
  const present = s3.get(name)
  const regions = accounts.deployment?.regions ?? []
  const places =
    present === undefined
      ? accounts.all().flatMap((account) => regions.map((region) => ({ account, region })))
      : [present]
  const items: WholeItem[] = []
  for (const { account, region } of places) {
    items.push(
      ...(await itemsIn(deps, { account, region, type: 'AWS::S3::Bucket', resource: name })),
    )
  }
  const [first] = items
  if (first === undefined) throw new OperatorError(`There is no bucket ${name}, and was none.`)
  const times = (item: WholeItem) => Number(item.configurationStateId)
  return { arn: bucketArn(name), items: items.sort((a, b) => times(a) - times(b)) }
}

async function everyItem(deps: PolicyHistoryDeps, text: string): Promise<readonly WholeItem[]> {
  const arn = parseArn(text)
  if (arn?.service !== 'kms' || !arn.resource.startsWith('key/')) return []
  const { account, region } = arn
  return itemsIn(deps, { account, region, type: 'AWS::KMS::Key', resource: arn.resource.slice(4) })
}

type ItemsOf = Pick<
  Parameters<ConfigurationHistory['items']>[0],
  'account' | 'region' | 'type' | 'resource'
>

async function itemsIn(deps: PolicyHistoryDeps, of: ItemsOf): Promise<readonly WholeItem[]> {
  const items: WholeItem[] = []
  let after: number | undefined
  do {
    const always = { from: 0, to: Number.MAX_SAFE_INTEGER, oldestFirst: true, limit: 100 }
    const { records, next } = await deps.history.items({ ...of, ...always, after })
    for (const record of records) items.push((await wholeItem(record, deps.store)) as WholeItem)
    after = next
  } while (after !== undefined)
  return items
}

/** What each allows that the one before did not; not told where a text that decided is not kept. */
async function withNewAccess(
  deps: PolicyHistoryDeps,
  arn: string,
  versions: readonly PolicyVersion[],
): Promise<readonly PolicyVersion[]> {
  const [found] = deps.keys(arn)
  if (found?.grants === undefined) return versions
  const world = analysisWorld(deps, found.key, found.grants)
  const compared: PolicyVersion[] = []
  let before: string | undefined
  for (const version of versions) {
    const text = await deciding(deps, found.key.policy, version.sha256)
    const isKnown = before !== undefined && text !== undefined
    const newlyAllowed = isKnown
      ? await inTurns(diffAccessSteps(world, before ?? '', text ?? ''))
      : undefined
    compared.push({ ...version, newlyAllowed })
    before = text
  }
  return compared
}

async function deciding(
  { store }: PolicyHistoryDeps,
  present: string,
  sha256: string | undefined,
): Promise<string | undefined> {
  if (sha256 === undefined) return undefined
  return textDigest(present) === sha256 ? present : store.archived(sha256)
}
