import type { Clock } from '../base/clock.ts'
import type { AccountId, Region } from '../base/ids.ts'
import type { Random } from '../base/random.ts'
import type { Journal } from '../journal/port.ts'
import { wireName } from '../wire/errors.ts'
import type { Call } from './call.ts'
import { internalIdentity, serviceEventRecord } from './event.ts'
import { sourceIp } from './request.ts'

/**
 * Requests that nobody signed for. Anyone can send them, so a record each would let anyone fill the disk: they are
 * counted by source and kind, and each count becomes one record a second.
 * `docs/decisions/0003-unauthenticated-requests-are-counted.md`
 */
export type RefusalsOptions = {
  readonly journal: Journal
  readonly account: AccountId
  readonly region: Region
  readonly clock: Clock
  readonly random: Random
}

/** Sources told apart within one second; all others share one count. */
const sourcesMax = 256

type Count = { source: string; error: string; count: number }

export class Refusals {
  readonly #options: RefusalsOptions
  #counts = new Map<string, Count>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: RefusalsOptions) {
    this.#options = options
  }

  count(call: Call): void {
    const error = wireName(
      call.failure?.code ?? 'internal',
      call.addressed?.protocol.name ?? 'json',
    )
    const source = sourceIp(call.request)
    const known = this.#counts.get(`${source} ${error}`)
    if (known !== undefined) known.count++
    else if (this.#counts.size < sourcesMax) this.#add(source, error)
    else this.#countOther(error)
    this.#timer ??= setTimeout(() => void this.flush().catch(() => {}), 1000)
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
