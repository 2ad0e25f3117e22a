import type { Clock } from '../base/clock.ts'
import type { AccountId, Region } from '../base/ids.ts'
import type { Random } from '../base/random.ts'
import { TokenBuckets } from '../base/token-buckets.ts'
import type { Journal } from '../journal/port.ts'
import { wireName } from '../wire/errors.ts'
import type { Call } from './call.ts'
import { deniedAllowance, isDeniedWebIdentity } from './denied-web-identities.ts'
import { internalIdentity, serviceEventRecord } from './event.ts'
import { networkOf } from './network.ts'
import { sourceIp } from './request.ts'

/**
 * Requests that nobody signed for. Anyone can send them, so a record each would let anyone fill the disk: they are
 * counted by source and kind, and each count becomes one record, a second after the first of them. Only so many
 * seconds can be had at once; whoever goes on is recorded once a minute. Web identities that are denied too often are
 * counted among them.
 * `docs/decisions/0003-unauthenticated-requests-are-counted.md`
 */
export type RefusalsOptions = {
  readonly journal: Journal
  readonly account: AccountId
  readonly region: Region
  readonly clock: Clock
  readonly random: Random
}

/** Sources and kinds told apart at a time; all others share one count of each kind. */
const sourcesMax = 256
const soonMs = 1000
const minuteMs = 60_000
/** Flushes that may come soon; each minute gives one back. In the long run there is no more than one a minute. */
const soonMax = 60

type Count = { source: string; error: string; count: number }

export class Refusals {
  readonly #options: RefusalsOptions
  #counts = new Map<string, Count>()
  #timer: NodeJS.Timeout | undefined
  #soon = soonMax
  #soonAt: number
  readonly #denied = new TokenBuckets()

  constructor(options: RefusalsOptions) {
    this.#options = options
    this.#soonAt = options.clock.now()
  }

  /** Counts a call that gets no record of its own; false for one that does. To be asked once of each. */
  take(call: Call): boolean {
    if (call.identity !== undefined && !this.#isBeyondAllowance(call)) return false
    this.count(call)
    return true
  }

  count(call: Call): void {
    const error = wireName(
      call.failure?.code ?? 'internal',
      call.addressed?.protocol.name ?? 'json',
    )
    const source = networkOf(sourceIp(call.request))
    const known = this.#counts.get(`${source} ${error}`)
    if (known !== undefined) known.count++
    else if (this.#counts.size < sourcesMax) this.#add(source, error)
    else this.#countOther(error)
    this.#timer ??= setTimeout(() => void this.flush().catch(() => {}), this.#delay())
  }

  /** Appends what was counted. A journal that fails says so by its own `healthy`. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const counts = [...this.#counts.values()]
    this.#counts.clear()
    const { journal } = this.#options
    await Promise.all(counts.map((count) => journal.append(this.#recordOf(count))))
  }

  #isBeyondAllowance(call: Call): boolean {
    if (call.identity === undefined || !isDeniedWebIdentity(call)) return false
    const { account } = call.identity.caller
    return !this.#denied.take(account, deniedAllowance, this.#options.clock.now())
  }

  /** How long to count before the next flush. */
  #delay(): number {
    const now = this.#options.clock.now()
    const since = Math.max(0, now - this.#soonAt)
    this.#soonAt = now
    this.#soon = Math.min(soonMax, this.#soon + since / minuteMs)
    const untilNext = (1 - this.#soon) * minuteMs
    this.#soon = Math.max(0, this.#soon) - 1
    return Math.min(minuteMs, Math.max(soonMs, untilNext))
  }

  #add(source: string, error: string): void {
    this.#counts.set(`${source} ${error}`, { source, error, count: 1 })
  }

  #countOther(error: string): void {
    const other = this.#counts.get(`others ${error}`)
    if (other === undefined) this.#add('others', error)
    else other.count++
  }

  #recordOf({ source, error, count }: Count): string {
    const { account, region, clock, random } = this.#options
    return serviceEventRecord({
      eventId: random.uuid(),
      userIdentity: internalIdentity(account),
      time: clock.now(),
      eventSource: 'kagiban.internal',
      eventName: 'RefusedUnauthenticated',
      region,
      sourceIp: source,
      errorCode: error,
      serviceEventDetails: { requests: count },
      recipientAccountId: account,
    })
  }
}
