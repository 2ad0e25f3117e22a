import type { Clock } from '../base/clock.ts'
import { ServiceError } from '../base/errors.ts'
import { type TrailRecord, type Trails, trailRow } from '../services/cloudtrail/trails.ts'
import { type CommitGuard, jsonCodec, type Mirror, type Table } from '../storage/mirror.ts'
import type { OutboxEvent, Put } from '../storage/port.ts'

/** By the origin of a journal, the index of its next record. A journal that is not named begins at 0. */
export type Positions = Readonly<Record<string, number>>

/**
 * What a trail is like from one change on, until the next. Which events it delivers is decided by the span that they
 * are in, so that nobody changes afterwards what had to be delivered.
 *
 * A span begins with the record of the change, and in the journals of other processes at `positions`, which were read
 * before the change was committed: whatever is answered once the change was, is in it or in a later one.
 */
export type TrailSpan = {
  readonly arn: string
  /** The next one of the same trail has the next number. */
  readonly number: number
  /** Undefined: it was deleted. */
  readonly trail?: TrailRecord
  /** ms since the epoch */
  readonly at: number
  /** The record of the change, and the journal that it comes to stand in. */
  readonly record?: { readonly origin: string; readonly eventId: string }
  readonly positions: Positions
}

const spanKind = 'trail-span'
/** That are still to be delivered; beyond it, a trail takes no change but its stop and its end. */
const spansMax = 500

export class TrailSpans {
  readonly rows: Table<TrailSpan>
  readonly #trails = new Map<string, Map<number, TrailSpan>>()

  /** Declares its table: to be made before the mirror is loaded. */
  constructor(mirror: Mirror) {
    this.rows = mirror.table(spanKind, jsonCodec<TrailSpan>())
    this.rows.watch((_, now, before) => {
      if (now !== undefined) this.#add(now)
      else if (before !== undefined) this.#remove(before)
    })
  }

  /** The ARNs of all trails that there is anything to do for, or was. */
  get trails(): Iterable<string> {
    return this.#trails.keys()
  }

  /** In their order. */
  of(arn: string): readonly TrailSpan[] {
    const spans = [...(this.#trails.get(arn)?.values() ?? [])]
    return spans.sort((one, other) => one.number - other.number)
  }

  get(arn: string, number: number): TrailSpan | undefined {
    return this.#trails.get(arn)?.get(number)
  }

  put(span: TrailSpan): Put {
    return this.rows.put(spanRow(span), span)
  }

  remove(span: TrailSpan): Put {
    return this.rows.remove(spanRow(span))
  }

  #add(span: TrailSpan): void {
    const spans = this.#trails.get(span.arn) ?? new Map<number, TrailSpan>()
    this.#trails.set(span.arn, spans.set(span.number, span))
  }

  #remove({ arn, number }: TrailSpan): void {
    const spans = this.#trails.get(arn)
    spans?.delete(number)
    if (spans?.size === 0) this.#trails.delete(arn)
  }
}

function spanRow({ arn, number }: TrailSpan): string {
  return `${arn} ${String(number).padStart(10, '0')}`
}

export type SpanGuardDeps = {
  readonly trails: Trails
  readonly spans: TrailSpans
  readonly clock: Clock
  /** Of all journals, as they are on the disk, and the origin of this process's own. */
  readonly positions: () => Promise<{ readonly own: string; readonly positions: Positions }>
}

/** Puts the span that begins with it into every commit that changes a trail; `inner` is the guard behind it. */
export function spanGuard(deps: SpanGuardDeps, inner: CommitGuard): CommitGuard {
  return async (puts, commit, events) => {
    const changes = puts.filter((put) => put.kind === 'trail' && matters(put, deps.trails))
    if (changes.length === 0) return inner(puts, commit, events)
    const place = await deps.positions()
    const commitWithSpans: typeof commit = (terms = {}) => {
      const spans = changes.flatMap((put) => spanOf(put, deps, place, events))
      return commit({ ...terms, also: [...(terms.also ?? []), ...spans] })
    }
    return inner(puts, commitWithSpans, events)
  }
}

/** Tags alone change nothing of what is delivered. */
function matters({ id, body }: Put, trails: Trails): boolean {
  const before = trails.rows.get(id)
  if (before === undefined || body === null) return true
  return JSON.stringify(bare(before)) !== JSON.stringify(bare(JSON.parse(body) as TrailRecord))
}

function bare(trail: TrailRecord): TrailRecord {
  return { ...trail, tags: [] }
}

function spanOf(
  { id, body }: Put,
  { trails, spans, clock }: SpanGuardDeps,
  { own, positions }: Awaited<ReturnType<SpanGuardDeps['positions']>>,
  events: readonly OutboxEvent[],
): Put[] {
  const before = trails.rows.get(id)
  const trail = body === null ? undefined : bare(JSON.parse(body) as TrailRecord)
  const arn = trail?.arn ?? before?.arn
  if (arn === undefined) return []
  if (trail !== undefined && trailRow(trail) !== id) throw new Error(`${arn} is not of row ${id}`)
  const known = spans.of(arn)
  const ends = trail === undefined || (before?.logging === true && !trail.logging)
  if (known.length >= spansMax && !ends) throw new ServiceError('throttled', 'Rate exceeded')
  const [first] = events
  const span: TrailSpan = {
    arn,
    number: (known.at(-1)?.number ?? 0) + 1,
    ...(trail === undefined ? {} : { trail }),
    at: clock.now(),
    ...(first === undefined ? {} : { record: { origin: own, eventId: first.id } }),
    positions,
  }
  return [spans.put(span)]
}
