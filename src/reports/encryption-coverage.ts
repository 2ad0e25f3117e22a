import { blindSpots } from './blind-spots.ts'
import type { BucketContents, BucketFacts } from './bucket-facts.ts'
import { EncryptionCensus, type EncryptionClass } from './encryption-census.ts'
import type { RuleChange } from './encryption-rules.ts'
import type { KeyFacts } from './facts.ts'
import { type Body, columnsOf, isoTime, type Row } from './report.ts'

export type CoverageSources = BucketContents & {
  /** Undefined: there is no such key, or none any more. */
  keyOf(arn: string): Pick<KeyFacts, 'state' | 'deletionDate'> | undefined
  /** Whether the keys of that account are kept here. */
  isOwn(account: string): boolean
  progress(text: string): void
}

const progressEvery = 50_000

/** What each bucket asks for, and in which ways its objects and unfinished uploads are encrypted. */
export async function encryptionCoverage(
  buckets: readonly { readonly bucket: BucketFacts; readonly change: RuleChange }[],
  sources: CoverageSources,
  limit: number,
): Promise<Body> {
  const rows: Row[] = []
  const sums = newSums()
  for (const { bucket, change } of buckets) {
    const classes = await classesOf(bucket, sources, sums)
    const made = [
      ruleRow(bucket, change, classes, sources),
      ...classes.map((each) => classRow(bucket, each, sources)),
    ]
    for (const each of classes) addTo(sums, each, sources)
    rows.push(...made.slice(0, limit - rows.length))
    sums.buckets += 1
    sums.rows += made.length
  }
  const { rows: total, ...summary } = sums
  return {
    columns: columnsOf(titles),
    rows,
    truncated: total > limit,
    summary,
    sources: [
      'Buckets and KMS keys as they are now.',
      'What is kept beside each version of an object, and beside each unfinished upload: none was opened.',
      'Events: since when a rule is what it is.',
    ],
    blindSpots: [
      'Objects that came or went while they were counted may or may not be in the counts.',
      'An alias in a rule, and the key of S3 itself, mean a key of the account of whoever puts an object; they are looked up in the account of the bucket.',
      'Parts of unfinished uploads are not counted in bytes.',
      'That a key is enabled says nothing of who may use it: see who-can.',
      ...[blindSpots.indexed, blindSpots.outside, blindSpots.otherJournals],
    ],
  }
}

const titles = {
  kind: 'KIND',
  bucket: 'BUCKET',
  account: 'ACCOUNT',
  region: 'REGION',
  encryption: 'ENCRYPTION',
  key: 'KEY',
  bucketKey: 'BUCKET KEY',
  asked: 'ASKED FOR',
  count: 'COUNT',
  latest: 'LATEST',
  bytes: 'BYTES',
  notAsRule: 'NOT AS RULE',
  first: 'FIRST',
  last: 'LAST',
  keyState: 'KEY STATE',
  warning: 'WARNING',
  examples: 'NOT AS RULE: KEYS',
  since: 'SINCE',
  principal: 'BY',
  event: 'EVENT ID',
}

function newSums() {
  return {
    ...{ buckets: 0, versions: 0, bytes: 0, notAsRule: 0, notAsRuleLatest: 0 },
    ...{ underCustomerKeys: 0, unreadable: 0, aboutToBecomeUnreadable: 0 },
    ...{ uploads: 0, uploadsNotAsRule: 0, rows: 0 },
  }
}

async function classesOf(
  bucket: BucketFacts,
  sources: CoverageSources,
  sums: { readonly versions: number; readonly buckets: number },
): Promise<readonly EncryptionClass[]> {
  const census = new EncryptionCensus(bucket)
  let [read, told] = [0, 0]
  for await (const page of sources.versions(bucket)) {
    for (const version of page) census.addVersion(version)
    read += page.length
    if (read - told < progressEvery) continue
    told = read
    const all = sums.versions + read
    sources.progress(`${all} versions in ${sums.buckets + 1} buckets counted (${bucket.name})`)
  }
  for await (const page of sources.uploads(bucket)) {
    for (const upload of page) census.addUpload(upload)
  }
  return census.classes()
}

function addTo(
  sums: ReturnType<typeof newSums>,
  each: EncryptionClass,
  sources: CoverageSources,
): void {
  const { kind, encryption, count, bytes, notAsRule } = each
  if (kind === 'uploads') {
    sums.uploads += count
    sums.uploadsNotAsRule += notAsRule
    return
  }
  sums.versions += count
  sums.bytes += bytes
  sums.notAsRule += notAsRule
  sums.notAsRuleLatest += notAsRuleLatest(each)
  if (encryption?.mode === 'customer') sums.underCustomerKeys += count
  const state = encryption?.key && standingOf(encryption.key, sources).state
  if (encryption?.mode === 'unreadable') sums.unreadable += count
  else if (state === 'PendingDeletion') sums.aboutToBecomeUnreadable += count
  else if (state !== undefined && !readable.includes(state)) sums.unreadable += count
}

function ruleRow(
  bucket: BucketFacts,
  { at, principal, event }: RuleChange,
  classes: readonly EncryptionClass[],
  sources: CoverageSources,
): Row {
  const { rule } = bucket
  const objects = classes.filter(({ kind }) => kind === 'objects')
  const standing = ruleStanding(bucket, sources)
  return {
    kind: 'bucket',
    ...placeOf(bucket),
    encryption: rule.mode,
    key: rule.key ?? rule.keyName ?? (standing && 'alias/aws/s3'),
    bucketKey: rule.mode === 'aws:kms' ? rule.bucketKey : undefined,
    count: sum(objects, ({ count }) => count),
    latest: sum(objects, ({ latest }) => latest),
    bytes: sum(objects, ({ bytes }) => bytes),
    notAsRule: sum(objects, ({ notAsRule }) => notAsRule),
    keyState: standing?.state,
    warning: standing && ruleWarning(standing),
    since: at === undefined ? undefined : isoTime(at),
    principal,
    event,
  }
}

function classRow(bucket: BucketFacts, each: EncryptionClass, sources: CoverageSources): Row {
  const { kind, encryption, count, latest, bytes, notAsRule, first, last, examples } = each
  const standing = encryption?.key === undefined ? undefined : standingOf(encryption.key, sources)
  return {
    kind,
    ...placeOf(bucket),
    encryption: encryption?.mode ?? 'others',
    key: encryption?.key,
    bucketKey: encryption?.mode === 'aws:kms' ? encryption.bucketKey : undefined,
    asked: encryption === undefined ? undefined : !encryption.byDefault,
    count,
    latest: kind === 'objects' ? latest : undefined,
    bytes: kind === 'objects' ? bytes : undefined,
    notAsRule,
    first: isoTime(first),
    last: isoTime(last),
    keyState: standing?.state,
    warning: standing && classWarning(standing),
    // As in JSON, since a key may have blanks and commas.
    examples: examples.length === 0 ? undefined : JSON.stringify(examples).slice(1, -1),
  }
}

function placeOf({ name, account, region }: BucketFacts) {
  return { bucket: name, account, region }
}

/** Of a class that is one way of encryption, all or none are as the rule says. */
function notAsRuleLatest({ encryption, latest, notAsRule }: EncryptionClass): number {
  return encryption === undefined ? Math.min(latest, notAsRule) : notAsRule > 0 ? latest : 0
}

function sum(classes: readonly EncryptionClass[], of: (each: EncryptionClass) => number): number {
  return classes.reduce((total, each) => total + of(each), 0)
}

type Standing = { readonly state: string; readonly deletionDate: number | undefined }

const gone = 'gone'
const unknown = 'unknown'
/** AWS makes the key of a service when it is first needed. */
const notMade = 'not made yet'
/** Or not known to be anything else. */
const readable = ['Enabled', unknown]

function standingOf(arn: string, { keyOf, isOwn }: CoverageSources): Standing {
  const key = keyOf(arn)
  if (key !== undefined) return key
  const state = isOwn(arn.split(':')[4] ?? '') ? gone : unknown
  return { state, deletionDate: undefined }
}

/** Of the key that new objects get; undefined for a rule without one. */
function ruleStanding({ rule }: BucketFacts, sources: CoverageSources): Standing | undefined {
  const { mode, key, keyName } = rule
  if (mode === 'AES256') return undefined
  if (key !== undefined) return standingOf(key, sources)
  if (keyName === undefined) return { state: notMade, deletionDate: undefined }
  return keyName.startsWith('arn:')
    ? standingOf(keyName, sources)
    : { state: gone, deletionDate: undefined }
}

function classWarning({ state, deletionDate }: Standing): string | undefined {
  if (state === 'Enabled') return undefined
  if (state === unknown) return 'the key is of an account that is not of this deployment'
  if (state === gone) return 'cannot be read any more: there is no such key'
  const due = deletionDate === undefined ? '' : `, the key is deleted on ${isoTime(deletionDate)}`
  if (state === 'PendingDeletion') return `about to become unreadable for ever${due}`
  return `cannot be read while the key is ${state}`
}

function ruleWarning({ state, deletionDate }: Standing): string | undefined {
  if (state === 'Enabled' || state === notMade) return undefined
  if (state === unknown) return 'the key is of an account that is not of this deployment'
  if (state === gone) return 'nothing can be put: there is no such key'
  const due = deletionDate === undefined ? '' : `, it is deleted on ${isoTime(deletionDate)}`
  return `nothing can be put while the key is ${state}${due}`
}
