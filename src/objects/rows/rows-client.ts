import type { Clock } from '../../base/clock.ts'
import { internalError } from '../../base/errors.ts'
import { ObjectRefusal } from '../port.ts'
import type { Channel } from './channel.ts'
import type { Change, Errand, Outcome, Question, ToRows } from './messages.ts'

/** Changes and questions travel together up to so many. */
const togetherMax = 256

type Waiting<T> = { readonly item: T } & PromiseWithResolvers<unknown>

/** One message is under way at a time; what comes meanwhile gathers for the next, and shares its flush. */
class Gathering<T> {
  readonly #send: (items: readonly T[]) => Promise<readonly Outcome[]>
  readonly #waiting: Waiting<T>[] = []
  #running = false

  constructor(send: (items: readonly T[]) => Promise<readonly Outcome[]>) {
    this.#send = send
  }

  add(item: T): Promise<unknown> {
    const waiting = { item, ...Promise.withResolvers<unknown>() }
    this.#waiting.push(waiting)
    if (!this.#running) {
      this.#running = true
      setImmediate(() => void this.#run())
    }
    return waiting.promise
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, togetherMax)
      try {
        const outcomes = await this.#send(batch.map(({ item }) => item))
        for (const [index, waiting] of batch.entries()) settle(waiting, outcomes[index])
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#running = false
  }
}

function settle({ resolve, reject }: Waiting<unknown>, outcome: Outcome | undefined): void {
  if (outcome === undefined) reject(internalError('the rows of objects gave no answer'))
  else if ('value' in outcome) resolve(outcome.value)
  else if ('refused' in outcome) reject(new ObjectRefusal(outcome.refused, outcome.message))
  else reject(internalError(`an object's row cannot be written: ${outcome.failed}`))
}

/** The rows as the store sees them. */
export class RowsClient {
  readonly #reader: Channel
  readonly #writer: Channel
  readonly #clock: Clock
  readonly #questions: Gathering<Question>
  readonly #changes: Gathering<Change>
  /** The writer takes one message at a time: changes and errands take turns. */
  #writing: Promise<unknown> = Promise.resolve()
  #garbage = 0
  #failure: string | undefined

  constructor(reader: Channel, writer: Channel, clock: Clock) {
    this.#reader = reader
    this.#writer = writer
    this.#clock = clock
    this.#questions = new Gathering((questions) =>
      this.#deliver(reader, { kind: 'read', questions }),
    )
    this.#changes = new Gathering((changes) =>
      this.#write(() => ({ kind: 'write', now: clock.now(), changes })),
    )
  }

  get healthy(): boolean {
    return this.#failure === undefined
  }

  /** The greatest sequence of garbage that was heard of. */
  get garbage(): number {
    return this.#garbage
  }

  now(): number {
    return this.#clock.now()
  }

  ask(question: Question): Promise<unknown> {
    return this.#questions.add(question)
  }

  /** What rejects with an ObjectRefusal changed nothing; of any other failure that is not known. */
  change(change: Change): Promise<unknown> {
    return this.#changes.add(change)
  }

  async run(errand: Errand): Promise<unknown> {
    const now = this.#clock.now()
    const [outcome] = await this.#write(() => ({ kind: 'errand', now, errand }))
    return outcome !== undefined && 'value' in outcome ? outcome.value : undefined
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => {})
    await this.#reader.close()
    await this.#writer.close()
  }

  #write(message: () => ToRows): Promise<readonly Outcome[]> {
    const sent = this.#writing.then(() => this.#deliver(this.#writer, message()))
    this.#writing = sent.catch(() => {})
    return sent
  }

  async #deliver(channel: Channel, message: ToRows): Promise<readonly Outcome[]> {
    const answer = await channel.send(message)
    if ('failed' in answer) {
      if (answer.lasting) this.#failure ??= answer.failed
      throw internalError(`the rows of objects failed: ${answer.failed}`)
    }
    this.#garbage = Math.max(this.#garbage, answer.garbage)
    return answer.outcomes
  }
}
