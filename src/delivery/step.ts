import type { Region } from '../base/ids.ts'
import type { TrailRecord } from '../services/cloudtrail/trails.ts'
import { StoreConflict } from '../storage/port.ts'
import { DeliveryFailure } from './bucket.ts'
import type { DeliveryDeps } from './deps.ts'
import { commitState, destinationOf, finishDigest, finishLog, showFailure } from './files.ts'
import { uniquePart } from './names.ts'
import type { Positions, TrailSpan } from './spans.ts'
import type { DeliveryState, DigestIntent, Intent } from './state.ts'

/** A digest lists no more files, so that what waits for one stays bounded; it comes sooner then. */
const digestFilesMax = 1000

/** Whether a trail, as it is in a span, logs events of a Region. */
export function logs(trail: TrailRecord | undefined, region: Region): trail is TrailRecord {
  if (trail === undefined) return false
  return trail.logging && (trail.multiRegion || trail.homeRegion === region)
}

/** Whether `step` would do something, as far as can be told without looking into the journals. */
export function isDue(deps: DeliveryDeps, arn: string, region: Region): boolean {
  const { spans, states, clock } = deps
  const state = states.get(arn, region)
  if (state?.intent !== undefined || state === undefined) return true
  if (spans.get(arn, state.span + 1) !== undefined) return true
  return state.cursors !== undefined && (clock.now() >= state.dueAt || digestIsDue(deps, state))
}

function digestIsDue({ clock, digestSeconds }: DeliveryDeps, { chain }: DeliveryState): boolean {
  if (chain === undefined) return false
  return clock.now() >= chain.start + digestSeconds * 1000 || chain.files.length >= digestFilesMax
}

/**
 * Does the next thing for one trail and Region: puts what an intent says, or makes an intent and puts it, or goes on to
 * the next span. Each ends in a commit from which the next step goes on, in this process or in another after a crash.
 * Answers whether there may be more to do at once. Rejects when it has to be tried again later.
 */
export async function step(deps: DeliveryDeps, arn: string, region: Region): Promise<boolean> {
  // First the journals, then the spans: a change that is not seen now is recorded behind what is looked at.
  const { positions: tails } = await deps.journals.positions()
  await deps.mirror.refresh()
  const state = deps.states.get(arn, region) ?? firstState(deps, arn, region)
  if (state === undefined) return false
  if (state.intent !== undefined) return redo(deps, state, state.intent)
  const next = deps.spans.get(arn, state.span + 1)
  const trail = deps.spans.get(arn, state.span)?.trail
  if (state.cursors === undefined || trail === undefined) {
    return next !== undefined && goOn(deps, state, next, await beginOf(deps, next, state, tails))
  }
  const end = next && (await beginOf(deps, next, state, tails))
  const limit = limited(tails, state.cursors, end)
  const isDueNow = next !== undefined || deps.clock.now() >= state.dueAt
  const isFull = state.chain !== undefined && state.chain.files.length >= digestFilesMax
  if (isDueNow && !isFull) {
    if (isBehind(state.cursors, limit)) return deliverLog(deps, trail, state, limit)
    if (next === undefined) await commitState(deps, { ...state, dueAt: nextRound(deps) })
  }
  const current = deps.states.get(arn, region) ?? state
  if (digestIsDue(deps, current)) return deliverDigest(deps, current, trail, false)
  return next !== undefined && end !== undefined && goOn(deps, current, next, end)
}

function nextRound({ clock, deliverySeconds }: DeliveryDeps): number {
  return clock.now() + deliverySeconds * 1000
}

/** A trail and Region that nothing was delivered of yet. Its first span is there, whatever was before it is done. */
function firstState(deps: DeliveryDeps, arn: string, region: Region): DeliveryState | undefined {
  const [first] = deps.spans.of(arn)
  return first && { arn, region, span: first.number - 1, dueAt: 0 }
}

/**
 * Where a span begins in each journal; undefined while the record of its change is not in the journal yet. That record
 * belongs to the span before, if that one logs: so the stop of a trail is delivered to it as its start is.
 */
async function beginOf(
  { journals }: DeliveryDeps,
  span: TrailSpan,
  { cursors }: DeliveryState,
  tails: Positions,
): Promise<Positions | undefined> {
  const begin: Record<string, number> = {}
  for (const [origin, tail] of Object.entries(tails)) {
    const position = span.positions[origin] ?? 0
    const cursor = cursors?.[origin] ?? 0
    begin[origin] = Math.max(position, cursor)
    if (origin !== span.record?.origin) continue
    const index = await journals.find(origin, position, tail, span.record.eventId)
    if (index === undefined) return undefined
    begin[origin] = cursors === undefined ? index : Math.max(index + 1, cursor)
  }
  return begin
}

/** How far may be delivered: not beyond the end of the span, and never back. */
function limited(tails: Positions, cursors: Positions, end: Positions | undefined): Positions {
  const limit: Record<string, number> = {}
  for (const origin of Object.keys({ ...cursors, ...tails })) {
    const cursor = cursors[origin] ?? 0
    limit[origin] = Math.max(cursor, end?.[origin] ?? tails[origin] ?? cursor)
  }
  return limit
}

function isBehind(cursors: Positions, limit: Positions): boolean {
  return Object.entries(limit).some(([origin, end]) => (cursors[origin] ?? 0) < end)
}

async function deliverLog(
  deps: DeliveryDeps,
  trail: TrailRecord,
  state: DeliveryState,
  limit: Positions,
): Promise<boolean> {
  const { clock, random, journals } = deps
  const { region } = state
  const from = state.cursors ?? {}
  const { to, file } = await journals.collect({ trail, region, from, to: limit, exact: false })
  const name = { at: clock.now(), unique: uniquePart(random) }
  const intent = {
    kind: 'log' as const,
    ...destinationOf(currentTrail(deps, state, trail), region, name),
    ...name,
    to,
    isLast: !isBehind(to, limit),
  }
  if (file === undefined) {
    await finishLog(deps, trail, state, intent, undefined)
    return !intent.isLast
  }
  const intended = { ...state, intent }
  await commitState(deps, intended)
  await delivering(deps, intended, intent, () => finishLog(deps, trail, intended, intent, file))
  return true
}

async function deliverDigest(
  deps: DeliveryDeps,
  state: DeliveryState,
  trail: TrailRecord,
  isFinal: boolean,
): Promise<boolean> {
  const start = state.chain?.start ?? 0
  const second = Math.floor(deps.clock.now() / 1000) * 1000
  const end = Math.max(second, start + 1000)
  const checkpoint = await deps.journals.checkpoint()
  const intent: DigestIntent = {
    kind: 'digest',
    ...destinationOf(currentTrail(deps, state, trail), state.region, { end }),
    end,
    isFinal,
    ...(checkpoint === undefined ? {} : { checkpoint }),
  }
  const intended = { ...state, intent }
  await commitState(deps, intended)
  await delivering(deps, intended, intent, () => finishDigest(deps, trail, intended, intent))
  return true
}

/** Puts again what an earlier attempt or process may have put already. */
async function redo(deps: DeliveryDeps, state: DeliveryState, intent: Intent): Promise<boolean> {
  const trail = deps.spans.get(state.arn, state.span)?.trail
  if (trail === undefined) throw new Error(`${state.arn} delivers in a span without a trail`)
  await delivering(deps, state, intent, async () => {
    if (intent.kind === 'digest') return finishDigest(deps, trail, state, intent)
    const from = state.cursors ?? {}
    const request = { trail, region: state.region, from, to: intent.to, exact: true }
    const { file } = await deps.journals.collect(request)
    await finishLog(deps, trail, state, intent, file)
  })
  return true
}

/**
 * A failure is shown in the status. One that says that the bucket does not take the file sends it to where the trail
 * delivers by now, so that who mends a trail need not mend the bucket that it had.
 */
async function delivering(
  deps: DeliveryDeps,
  state: DeliveryState,
  intent: Intent,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (error instanceof StoreConflict) throw error
    const isRefused = error instanceof DeliveryFailure
    const known = deps.states.get(state.arn, state.region) ?? state
    await showFailure(deps, isRefused ? retargeted(deps, known, intent) : known, intent.kind, error)
    throw error
  }
}

function retargeted(deps: DeliveryDeps, state: DeliveryState, intent: Intent): DeliveryState {
  const { kmsKeyArn: _, ...rest } = intent
  const trail = currentTrail(deps, state, undefined)
  return trail === undefined
    ? state
    : { ...state, intent: { ...rest, ...destinationOf(trail, state.region, intent) } }
}

/** The trail as it is now or, if it is gone, as it was last: it says where files go, and the span which events. */
function currentTrail<T extends TrailRecord | undefined>(
  { spans }: DeliveryDeps,
  { arn }: DeliveryState,
  otherwise: T,
): TrailRecord | T {
  return spans.of(arn).findLast(({ trail }) => trail !== undefined)?.trail ?? otherwise
}

/** Into the next span; `begin` is where it begins. A chain of digests that does not go on ends with a last digest. */
async function goOn(
  deps: DeliveryDeps,
  state: DeliveryState,
  next: TrailSpan,
  begin: Positions | undefined,
): Promise<boolean> {
  if (begin === undefined) return false
  const { chain, cursors: _, chain: __, ...rest } = state
  const isLogging = logs(next.trail, state.region)
  const isDigesting = isLogging && next.trail?.validation === true
  const trail = deps.spans.get(state.arn, state.span)?.trail
  if (chain !== undefined && !isDigesting && trail !== undefined) {
    return deliverDigest(deps, state, trail, true)
  }
  const start = Math.max(Math.floor(next.at / 1000) * 1000, state.lastDigestEnd ?? 0)
  await commitState(deps, {
    ...rest,
    span: next.number,
    dueAt: state.cursors === undefined ? next.at + deps.deliverySeconds * 1000 : state.dueAt,
    ...(isLogging ? { cursors: begin } : {}),
    ...(isDigesting ? { chain: chain ?? { start, files: [] } } : {}),
  })
  return true
}
