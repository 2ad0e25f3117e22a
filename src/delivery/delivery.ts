import { parseRegion, type Region } from '../base/ids.ts'
import { commitRecorded } from '../record/commit.ts'
import type { Delivery, DeliveryStatus } from '../services/cloudtrail/delivery.ts'
import { StoreConflict } from '../storage/port.ts'
import { DeliveryFailure, type TrailBuckets } from './bucket.ts'
import type { DeliveryDeps } from './deps.ts'
import type { DeliveryState, DeliveryStates } from './state.ts'
import { isDue, step } from './step.ts'

const tickMs = 1000
/** Trails and Regions that are worked on at once: each holds one file in memory. */
const parallelMax = 8
/** One that fails is tried again after a second, then twice as long each time, up to five minutes. */
const backOffMsMax = 300_000

/**
 * Every Region whose name stands in events: those of the deployment, and the one of IAM's events, which the deployment
 * need not have.
 */
export function regionsOfEvents(regions: readonly Region[]): readonly Region[] {
  const global = parseRegion('us-east-1')
  return [...new Set([...regions, ...(global === undefined ? [] : [global])])]
}

/** How the delivery is, for the operator. */
export type DeliveryReport = {
  /** Whether this process is the one that delivers. */
  readonly delivers: boolean
  readonly trails: number
  /** ms since the oldest delivery that is due and not done. */
  readonly lagMs: number
  readonly failures: readonly {
    readonly trail: string
    readonly region: string
    readonly reason: string
  }[]
}

type Trouble = { readonly attempts: number; readonly notBefore: number; readonly reason: string }

/**
 * Delivers to the buckets of trails, in the one of several processes that holds the lock. Each trail and Region goes on
 * for itself: a bucket that fails holds up no other, nor any answer.
 */
export class TrailDelivery {
  readonly #deps: DeliveryDeps
  readonly #busy = new Map<string, Promise<void>>()
  readonly #troubles = new Map<string, Trouble>()
  #timer: NodeJS.Timeout | undefined
  #ticking: Promise<void> | undefined
  #delivers = false
  #failure: string | undefined
  #stopped = false

  constructor(deps: DeliveryDeps) {
    this.#deps = deps
  }

  start(intervalMs = tickMs): void {
    this.#timer = setInterval(() => void this.tick(), intervalMs)
  }

  /** Waits for what is under way; a put that hangs is waited for until it counts as failed. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    await this.#ticking
    await Promise.all(this.#busy.values())
  }

  /** Looks what is due and begins it. Never rejects. */
  tick(): Promise<void> {
    this.#ticking ??= this.#look()
      .catch((error: unknown) => this.#deps.log(`delivery to trails failed: ${textOf(error)}`))
      .finally(() => {
        this.#ticking = undefined
      })
    return this.#ticking
  }

  /** Resolves when everything that was due is delivered, or has failed. For tests, and for who stops the service. */
  async settle(): Promise<void> {
    for (let rounds = 0; rounds < 100; rounds++) {
      await this.tick()
      if (this.#busy.size === 0) return
      await Promise.all(this.#busy.values())
    }
    throw new Error('the delivery does not come to an end')
  }

  report(): DeliveryReport {
    const { states, spans, clock, journals } = this.#deps
    const now = clock.now()
    const failures = [...this.#troubles].map(([id, { reason }]) => {
      const [trail = '', region = ''] = id.split(' ')
      return { trail, region, reason }
    })
    const reason = journals.ended ?? this.#failure
    if (reason !== undefined) failures.push({ trail: '', region: '', reason })
    const due = [...states.rows.values()].filter(({ cursors }) => cursors !== undefined)
    const lagMs = Math.max(0, ...due.map(({ dueAt }) => now - dueAt))
    return { delivers: this.#delivers, trails: [...spans.trails].length, lagMs, failures }
  }

  async #look(): Promise<void> {
    const { journals, mirror } = this.#deps
    try {
      this.#delivers = await journals.lock()
      if (this.#delivers) await mirror.refresh()
      this.#failure = undefined
    } catch (error) {
      this.#delivers = false
      this.#failure = textOf(error)
    }
    if (!this.#delivers) return
    for (const { arn, region } of this.#units()) this.#begin(arn, region)
    await this.#forget()
  }

  #begin(arn: string, region: Region): void {
    const id = `${arn} ${region}`
    if (this.#stopped || this.#busy.has(id) || this.#busy.size >= parallelMax) return
    const { notBefore = 0 } = this.#troubles.get(id) ?? {}
    if (this.#deps.clock.now() < notBefore || !isDue(this.#deps, arn, region)) return
    const work = this.#work(id, arn, region).finally(() => this.#busy.delete(id))
    this.#busy.set(id, work)
  }

  async #work(id: string, arn: string, region: Region): Promise<void> {
    try {
      while (!this.#stopped && (await step(this.#deps, arn, region)));
      this.#troubles.delete(id)
    } catch (error) {
      // Somebody else was first with a row: what is to be done is read anew.
      if (error instanceof StoreConflict) return
      this.#trouble(id, error)
    }
  }

  #trouble(id: string, error: unknown): void {
    const attempts = (this.#troubles.get(id)?.attempts ?? 0) + 1
    const pause = Math.min(1000 * 2 ** Math.min(attempts - 1, 20), backOffMsMax)
    const reason = error instanceof DeliveryFailure ? error.code : textOf(error)
    if (this.#troubles.get(id)?.reason !== reason) {
      this.#deps.log(`delivery to the trail ${id} fails: ${textOf(error)}`)
    }
    this.#troubles.set(id, { attempts, notBefore: this.#deps.clock.now() + pause, reason })
  }

  /** Those that were due longest come first, so that a few busy ones leave room for the others. */
  #units(): { arn: string; region: Region }[] {
    const { spans, states } = this.#deps
    const units = [...spans.trails].flatMap((arn) =>
      this.#regionsOf(arn).map((region) => ({ arn, region })),
    )
    const dueAt = ({ arn, region }: { arn: string; region: Region }) =>
      this.#troubles.get(`${arn} ${region}`)?.notBefore ?? states.get(arn, region)?.dueAt ?? 0
    return units.sort((one, other) => dueAt(one) - dueAt(other))
  }

  #regionsOf(arn: string): readonly Region[] {
    const { spans, states, regions } = this.#deps
    const trails = spans.of(arn).flatMap(({ trail }) => trail ?? [])
    return regions.filter(
      (region) =>
        states.get(arn, region) !== undefined ||
        trails.some((trail) => trail.multiRegion || trail.homeRegion === region),
    )
  }

  /** Removes spans that everything is delivered of, and all that is known of trails that are gone. */
  async #forget(): Promise<void> {
    const { spans, states } = this.#deps
    for (const arn of [...spans.trails]) {
      const all = spans.of(arn)
      const regions = this.#regionsOf(arn)
      const known = regions.flatMap((region) => states.get(arn, region) ?? [])
      if (known.length < regions.length || this.#isBusy(known)) continue
      const reached = Math.min(...known.map(({ span }) => span), all.at(-1)?.number ?? 0)
      const isGone = all.at(-1)?.number === reached && all.at(-1)?.trail === undefined
      const done = all.filter(({ number }) => number < reached || isGone)
      if (done.length === 0) continue
      const puts = done.slice(0, 100).map((span) => spans.remove(span))
      if (isGone && done.length <= 100) puts.push(...known.map((state) => states.remove(state)))
      await this.#commit(puts)
    }
  }

  #isBusy(states: readonly DeliveryState[]): boolean {
    return states.some(({ arn, region }) => this.#busy.has(`${arn} ${region}`))
  }

  async #commit(puts: Parameters<typeof commitRecorded>[1]): Promise<void> {
    try {
      await commitRecorded(this.#deps, puts, [])
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error
    }
  }
}

/** What the operations on trails need of the delivery; in a process that does not deliver, too. */
export function deliveryOf(
  states: DeliveryStates,
  buckets: () => TrailBuckets,
  regions: readonly Region[],
): Delivery {
  return {
    status: (arn) => statusOf(regions.flatMap((region) => states.get(arn, region) ?? [])),
    check: (trail) => buckets().check(trail),
  }
}

/** Over all Regions of a trail: the newest successes, and any failure. */
function statusOf(states: readonly DeliveryState[]): DeliveryStatus {
  const latest = (times: readonly (number | undefined)[]) => {
    const known = times.filter((time) => time !== undefined)
    return known.length === 0 ? undefined : Math.max(...known)
  }
  const status = {
    latestDelivery: latest(states.map((state) => state.latestDelivery)),
    latestDeliveryError: states.find((state) => state.latestDeliveryError)?.latestDeliveryError,
    latestDigestDelivery: latest(states.map((state) => state.latestDigestDelivery)),
    latestDigestDeliveryError: states.find((state) => state.latestDigestDeliveryError)
      ?.latestDigestDeliveryError,
  }
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined))
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'detail' in error && error.detail !== undefined ? String(error.detail) : error.message
}
