import { countOlderVersions, type Listed, objectsOf } from './reencrypt-listing.ts'
import { bringUnderRule, type Outcome, type Wanted } from './reencrypt-object.ts'
import { addOutcome, Failures, newTally, type Tally } from './reencrypt-tally.ts'
import { type S3Client, S3Failure, Unreachable } from './s3-client.ts'

/** How far it has come, for the next run. */
export type Place = {
  readonly after: string
  readonly failed: readonly string[]
  readonly tally: Tally
}

export type RunOptions = Wanted & {
  readonly prefix: string
  /** Where an earlier run ended. */
  readonly from: Place | undefined
  /** Called after each object, and at the end: what is certain then, if it is asked for. */
  readonly keep: (place: () => Place, isLast: boolean) => void
  readonly shown: (tally: Tally, failed: number) => void
  /** Objects under way are brought to their end, no other is begun. */
  readonly signal: AbortSignal
}

export type Result = {
  readonly tally: Tally
  readonly failures: Failures
  /** Why it ended before the last object. */
  readonly stopped: string | undefined
  /** Undefined: nobody knows. */
  readonly olderVersions: number | undefined
}

const workers = 4
/** Outcomes that wait for one that was begun before; whoever is further ahead waits as well. */
const aheadMax = 10_000
const failedMax = 10_000

type Done = {
  readonly key: string
  readonly retried: boolean
  readonly outcome: Outcome | S3Failure
}

/** Looks at every object below a prefix, a few at a time, and brings those under the rule that are not. */
export class Reencryption {
  readonly #client: S3Client
  readonly #options: RunOptions
  readonly #tally: Tally
  readonly #failures = new Failures()
  readonly #failed: Set<string>
  #after: string
  #taken = 0
  /** Outcomes are counted in the order of the keys, so that what is kept is of all objects up to one. */
  #counted = 0
  readonly #done = new Map<number, Done>()
  #waiting: (() => void)[] = []
  #stopped: string | undefined

  constructor(client: S3Client, options: RunOptions) {
    this.#client = client
    this.#options = options
    const { from } = options
    this.#tally = from?.tally ?? newTally()
    this.#failed = new Set(from?.failed ?? [])
    this.#after = from?.after ?? ''
  }

  async run(): Promise<Result> {
    const source = this.#objects()
    await Promise.all(Array.from({ length: workers }, () => this.#work(source)))
    if (this.#options.signal.aborted) this.#stopped ??= 'It was told to stop.'
    this.#options.keep(() => this.#place(), true)
    // What was done behind one that was not is not kept, and yet it was done.
    for (const [, each] of [...this.#done].sort(([one], [other]) => one - other)) this.#count(each)
    return {
      ...{ tally: this.#tally, failures: this.#failures, stopped: this.#stopped },
      olderVersions: this.#stopped === undefined ? await this.#olderVersions() : undefined,
    }
  }

  async #work(source: AsyncGenerator<Pick<Listed, 'key'> & { readonly retried: boolean }>) {
    while (this.#stopped === undefined && !this.#options.signal.aborted) {
      try {
        const next = await source.next()
        if (next.done === true) return
        const { key, retried } = next.value
        const number = this.#taken
        this.#taken += 1
        const outcome = await this.#outcome(key)
        this.#done.set(number, { key, retried, outcome })
        this.#drain()
        while (this.#taken - this.#counted > aheadMax && this.#stopped === undefined) {
          await new Promise<void>((resolve) => this.#waiting.push(resolve))
        }
      } catch (error) {
        if (!(error instanceof S3Failure) && !(error instanceof Unreachable)) throw error
        this.#stop(error instanceof S3Failure ? `${error.code}: ${error.message}` : error.message)
      }
    }
  }

  /** Failures of the object itself. Throws those that every other object would have as well. */
  async #outcome(key: string): Promise<Outcome | S3Failure> {
    try {
      return await bringUnderRule(this.#client, key, this.#options)
    } catch (error) {
      if (!(error instanceof S3Failure) || ofEveryObject.includes(error.code)) throw error
      return error
    }
  }

  async *#objects() {
    for (const key of [...this.#failed]) yield { key, retried: true }
    const { bucket, prefix } = this.#options
    for await (const { key } of objectsOf(this.#client, bucket, prefix, this.#after)) {
      yield { key, retried: false }
    }
  }

  #drain(): void {
    for (;;) {
      const next = this.#done.get(this.#counted)
      if (next === undefined) break
      this.#done.delete(this.#counted)
      this.#counted += 1
      this.#count(next)
      if (!next.retried) this.#after = next.key
    }
    for (const resume of this.#waiting.splice(0)) resume()
    if (this.#failed.size > failedMax) this.#stop(`More than ${failedMax} objects failed.`)
    this.#options.keep(() => this.#place(), false)
    this.#options.shown(this.#tally, this.#failures.count)
  }

  #count({ key, retried, outcome }: Done): void {
    if (!retried) this.#tally.lookedAt += 1
    if (outcome instanceof S3Failure) {
      this.#failures.add(key, outcome)
      this.#failed.add(key)
    } else {
      addOutcome(this.#tally, key, outcome)
      this.#failed.delete(key)
    }
  }

  #stop(reason: string): void {
    this.#stopped ??= reason
    for (const resume of this.#waiting.splice(0)) resume()
  }

  #place(): Place {
    return { after: this.#after, failed: [...this.#failed], tally: this.#tally }
  }

  async #olderVersions(): Promise<number | undefined> {
    if (!this.#tally.versioned) return 0
    const { bucket, prefix } = this.#options
    try {
      return await countOlderVersions(this.#client, bucket, prefix)
    } catch (error) {
      if (error instanceof S3Failure && error.code === 'AccessDenied') return undefined
      throw error
    }
  }
}

/** Nothing that is tried afterwards would fare better. */
const ofEveryObject: readonly string[] = [
  ...['ExpiredToken', 'InvalidToken', 'InvalidAccessKeyId', 'SignatureDoesNotMatch'],
  ...['RequestTimeTooSkewed', 'AuthorizationHeaderMalformed', 'NoSuchBucket', 'NotUnderstood'],
]
