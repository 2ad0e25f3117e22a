import { inTurns } from '../authorize/analyse/in-steps.ts'
import { whoCanSteps } from '../authorize/analyse/who-can.ts'
import { ServiceError } from '../base/errors.ts'
import { parseArn } from '../base/ids.ts'
import type { ConfigurationHistory, EventLookup, KeyUses } from '../journal/port.ts'
import type { AnalyseDeps } from '../operator/analyse-commands.ts'
import { analysisWorld } from '../operator/analysis-world.ts'
import { type Input, refreshed } from '../operator/command-input.ts'
import { operatorEvent } from '../operator/event.ts'
import { type Command, OperatorError } from '../operator/socket.ts'
import { commitRecorded } from '../record/commit.ts'
import type { BucketContents, BucketFacts } from './bucket-facts.ts'
import { crossAccountUse } from './cross-account-use.ts'
import { deletion, deletionEvents } from './deletion.ts'
import { encryptionCoverage } from './encryption-coverage.ts'
import { RuleChanges, ruleEvents, sinceOfItems } from './encryption-rules.ts'
import type { GrantFacts, KeyFacts } from './facts.ts'
import { grantEvents, grants } from './grants.ts'
import { keyUse } from './key-use.ts'
import { lastUses } from './last-use.ts'
import { neverUsed } from './never-used.ts'
import { objectAccess } from './object-access.ts'
import { objectEvents } from './object-events.ts'
import { type ObjectName, objectNamed } from './object-name.ts'
import { privilegedUse } from './privileged-use.ts'
import { questions } from './questions.ts'
import { type Body, framed, type Report } from './report.ts'
import { type ReportOptions, readOptions } from './report-options.ts'
import { rotation, rotationEvents } from './rotation.ts'
import { type Event, eventsOf, grantUses, type Sources, usesOf, type Where } from './sources.ts'
import { unusedKeys } from './unused-keys.ts'

export type ReportDeps = AnalyseDeps & {
  readonly lookup: Pick<EventLookup, 'find'> & KeyUses
  readonly history: Pick<ConfigurationHistory, 'items'>
  /** Keys and grants as they are now; few at a time are made. */
  readonly keyFacts: () => Iterable<KeyFacts>
  readonly grantFacts: (key: KeyFacts) => Iterable<GrantFacts>
  /** One of them; undefined when it is not there. */
  readonly keyFactsOf: (arn: string) => KeyFacts | undefined
  readonly bucketFacts: () => Iterable<BucketFacts>
  readonly contents: BucketContents
  /** Operations that count as a use of a key. */
  readonly keyOperations: readonly string[]
}

/** Reports for auditors. Asking is recorded; nothing is changed. */
export function reportCommands(deps: ReportDeps): Readonly<Record<string, Command>> {
  return refreshed(deps.mirror, { report: (input, progress) => report(deps, input, progress) })
}

type Asked = {
  readonly deps: ReportDeps
  readonly sources: Sources
  readonly options: ReportOptions
}

async function report(
  deps: ReportDeps,
  input: Input,
  progress: (text: string) => void,
): Promise<Report> {
  const now = deps.clock.now()
  const options = readOptions(input, now)
  const { name, period, account, region, key, object, bucket } = options
  const given = Object.entries({ account, region, key, object, bucket })
  const scope = Object.fromEntries(
    given.filter((pair): pair is [string, string] => pair[1] !== undefined),
  )
  const asked: Asked = { deps, options, sources: { lookup: deps.lookup, progress } }
  if (key !== undefined) keyNamed(deps, key)
  if (object !== undefined) requireObject(object)
  if (bucket !== undefined) await bucketsOf(asked)
  const make = makers[name]
  if (make === undefined) throw new OperatorError(`There is no report '${name}'.`)
  const details = { report: name, ...scope }
  await commitRecorded(deps, [], [operatorEvent(deps, input, { name: 'Report', details })])
  const frame = { report: name, question: questions[name], now, period, scope }
  try {
    return framed(frame, await make(asked))
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    throw new OperatorError(`The record could not be read: ${error.detail ?? error.publicMessage}.`)
  }
}

const makers: Readonly<Partial<Record<ReportOptions['name'], (asked: Asked) => Promise<Body>>>> = {
  'object-access': objectReport,
  'key-use': async (asked) => keyUse(usesIn(asked), asked.options),
  'unused-keys': unusedReport,
  'allowed-but-never-used': neverUsedReport,
  rotation: rotationReport,
  'privileged-use': async (asked) => privilegedUse(changes(asked), asked.options.limit),
  'cross-account-use': async (asked) => {
    // Both sides of a call may be in the account.
    const uses = usesOf(asked.sources, { ...keyAndPeriod(asked) })
    return crossAccountUse(uses, asked.options)
  },
  grants: grantsReport,
  deletion: deletionReport,
  'encryption-coverage': coverageReport,
}

async function unusedReport(asked: Asked): Promise<Body> {
  const { deps, sources, options } = asked
  const keys = await keysOf(asked)
  const histories = await lastUses(usesIn(asked), deps.keyOperations)
  const facts = { keys, grants: keys.flatMap((key) => [...deps.grantFacts(key)]) }
  return unusedKeys(facts, { keys: histories, grants: await grantUses(sources) }, options)
}

async function neverUsedReport({ deps, sources, options }: Asked): Promise<Body> {
  const text = options.key ?? ''
  const arn = keyNamed(deps, text)
  const [found] = deps.keys(arn)
  if (found === undefined) throw new OperatorError(`There is no key ${text}.`)
  if (found.grants === undefined)
    throw new OperatorError('The key has more grants than are analysed.')
  sources.progress('who can use the key is analysed')
  const able = await inTurns(whoCanSteps(analysisWorld(deps, found.key, found.grants)))
  const uses = await Array.fromAsync(usesOf(sources, { key: arn }))
  const facts = await keysOf({ deps, sources, options })
  const present = facts.flatMap((key) => [...deps.grantFacts(key)])
  return neverUsed(able, uses, present, await grantUses(sources), options.limit)
}

async function rotationReport(asked: Asked): Promise<Body> {
  const keys = await keysOf(asked)
  const events = await named(asked, rotationEvents)
  return rotation(keys, events, { now: asked.deps.clock.now(), limit: asked.options.limit })
}

async function grantsReport(asked: Asked): Promise<Body> {
  const { deps, sources, options } = asked
  const keys = await keysOf(asked)
  const present = keys.flatMap((key) => [...deps.grantFacts(key)])
  const events = await named(asked, grantEvents)
  const now = deps.clock.now()
  return grants(present, await grantUses(sources), events, { now, limit: options.limit })
}

async function deletionReport(asked: Asked): Promise<Body> {
  const { deps, options } = asked
  const keys = await keysOf(asked)
  const histories = await lastUses(usesIn(asked), deps.keyOperations)
  return deletion(keys, histories, await named(asked, deletionEvents), options.limit)
}

async function objectReport({ deps, sources, options }: Asked): Promise<Body> {
  const name = requireObject(options.object ?? '')
  const found = await objectEvents(sources, whereOf(deps, options), name, options.limit)
  return objectAccess(found, name, options)
}

function requireObject(text: string): ObjectName {
  const object = objectNamed(text)
  if (object !== undefined) return object
  throw new OperatorError(
    'An object is s3://BUCKET/KEY or its ARN; several are s3://BUCKET/PREFIX*.',
  )
}

async function coverageReport(asked: Asked): Promise<Body> {
  const { deps, sources, options } = asked
  const buckets = await bucketsOf(asked)
  const changes = new RuleChanges(buckets)
  for (const value of ruleEvents) {
    const events = eventsOf(sources, whereOf(deps, options), { key: 'EventName', value })
    for await (const event of events) changes.add(event)
  }
  const now = deps.clock.now()
  const own = new Set<string>(deps.accounts.all())
  const changed = []
  for (const bucket of buckets) {
    const change = changes.of(bucket, now)
    const known = change.at !== undefined
    const items = known ? undefined : await sinceOfItems(bucket, now, deps.history)
    changed.push({ bucket, change: items ?? change })
  }
  return encryptionCoverage(
    changed,
    {
      ...{ ...deps.contents, keyOf: deps.keyFactsOf, progress: sources.progress },
      isOwn: (account) => own.has(account),
    },
    options.limit,
  )
}

/** Throws OperatorError when one is named that there is not. */
async function bucketsOf({ deps, options }: Asked): Promise<readonly BucketFacts[]> {
  const { bucket } = options
  const isNamed = ({ name }: BucketFacts) => bucket === undefined || name === bucket
  const found = await inScope(deps.bucketFacts(), options, isNamed)
  if (bucket !== undefined && found.length === 0) {
    throw new OperatorError(`There is no bucket ${bucket.slice(0, 64)} in what was asked for.`)
  }
  return found.sort((one, other) => (one.name < other.name ? -1 : 1))
}

/** Changes alone: reads and uses of keys are by far the most of all events. */
function changes({ deps, sources, options }: Asked): AsyncGenerator<Event> {
  return eventsOf(sources, whereOf(deps, options), { key: 'ReadOnly', value: 'false' })
}

/** Events of these names, of the key alone if one is asked for. */
async function named({ deps, sources, options }: Asked, names: readonly string[]) {
  const arn = options.key === undefined ? undefined : keyNamed(deps, options.key)
  const found: Event[] = []
  for (const value of names) {
    const events = eventsOf(sources, whereOf(deps, options), { key: 'EventName', value })
    for await (const event of events) {
      if (found.length >= options.limit) break
      const isOf = event.resources?.some(({ ARN }) => ARN === arn)
      if (event.eventSource === 'kms.amazonaws.com' && (arn === undefined || isOf))
        found.push(event)
    }
  }
  return found
}

function usesIn(asked: Asked) {
  const { sources, options } = asked
  return usesOf(sources, { account: options.account, ...keyAndPeriod(asked) })
}

function keyAndPeriod({ deps, options }: Asked) {
  const { since: from, until: to } = options.period
  return { from, to, key: options.key === undefined ? undefined : keyNamed(deps, options.key) }
}

/** Keys that there are, of what was asked for. Throws OperatorError for a key that there is not. */
async function keysOf({ deps, options }: Asked): Promise<readonly KeyFacts[]> {
  const { key } = options
  const named = key === undefined ? undefined : keyNamed(deps, key)
  return inScope(deps.keyFacts(), options, ({ arn }) => named === undefined || arn === named)
}

/** Those of the account and Region that were asked for, as far as they are meant; others have turns meanwhile. */
async function inScope<Facts extends { readonly account: string; readonly region: string }>(
  all: Iterable<Facts>,
  { account, region }: ReportOptions,
  isMeant: (facts: Facts) => boolean,
): Promise<Facts[]> {
  const found: Facts[] = []
  await inTurns(
    (function* () {
      for (const facts of all) {
        yield
        if (account !== undefined && facts.account !== account) continue
        if (region !== undefined && facts.region !== region) continue
        if (isMeant(facts)) found.push(facts)
      }
    })(),
  )
  return found
}

/** The ARN of the one key that a text means; an ARN may be of a key that is gone. */
function keyNamed(deps: ReportDeps, text: string): string {
  const [found, ...others] = deps.keys(text)
  if (others.length > 0) throw new OperatorError(`${text} means several keys: give an ARN.`)
  if (found !== undefined) return found.key.arn
  const arn = parseArn(text)
  if (arn?.service === 'kms' && arn.resource.startsWith('key/')) return text
  throw new OperatorError(`There is no key ${text}; one that is gone is known by its ARN.`)
}

function whereOf({ accounts }: ReportDeps, { account, region, period }: ReportOptions): Where {
  return {
    accounts: account === undefined ? accounts.all() : [account],
    regions: region === undefined ? (accounts.deployment?.regions ?? []) : [region],
    period,
  }
}
