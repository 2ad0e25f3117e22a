import type { EntryKind } from '../base/entry-kind.ts'
import { internalError } from '../base/errors.ts'
import type { JournalStatus, OpenedJournal } from '../journal/journal.ts'

type Waiting = {
  readonly kind: EntryKind
  readonly record: string
  readonly resolve: (index: number) => void
  readonly reject: (error: Error) => void
}

/** A journal in memory whose disk can be held still, or broken. */
export class HeldJournal implements OpenedJournal {
  /** The events on its disk, in order. */
  readonly records: string[] = []
  /** The entries of other kinds, in order. */
  readonly others: { readonly kind: EntryKind; readonly record: string }[] = []
  /** What was appended and waits for the disk. */
  readonly waiting: Waiting[] = []
  failure: string | undefined
  maxRecordBytes = 256 * 1024
  #held = false

  get size(): number {
    return this.records.length + this.others.length
  }

  get healthy(): boolean {
    return this.failure === undefined
  }

  /** The records as events. */
  get events(): readonly RecordedEvent[] {
    return this.records.map((record) => JSON.parse(record) as RecordedEvent)
  }

  append(record: string, kind: EntryKind = 'event'): Promise<number> {
    if (this.failure !== undefined) return Promise.reject(internalError(this.failure))
    return new Promise((resolve, reject) => {
      this.waiting.push({ kind, record, resolve, reject })
      if (!this.#held) queueMicrotask(() => this.#write())
    })
  }

  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    this.#write()
  }

  /** What waits is rejected, and so is everything that comes. */
  break(reason: string): void {
    this.failure = reason
    for (const { reject } of this.waiting.splice(0)) reject(internalError(reason))
  }

  status(): JournalStatus {
    return {
      origin: 'kagiban/held/00000000-0000-0000-0000-000000000000',
      size: this.size,
      segment: 1,
      checkpointSize: 0,
      checkpointAt: undefined,
      signerFailure: undefined,
      preparationFailure: undefined,
      cut: 0,
    }
  }

  async close(): Promise<void> {}

  #write(): void {
    if (this.#held) return
    for (const { kind, record, resolve } of this.waiting.splice(0)) {
      const index = this.size
      if (kind === 'event') this.records.push(record)
      else this.others.push({ kind, record })
      resolve(index)
    }
  }
}

/** The members of a CloudTrail event that tests look at. */
export type RecordedEvent = {
  readonly eventID: string
  readonly eventName: string
  readonly eventSource: string
  readonly eventType: string
  readonly awsRegion: string
  readonly requestID?: string
  readonly sharedEventID?: string
  readonly errorCode?: string
  readonly errorMessage?: string
  readonly recipientAccountId: string
  readonly sourceIPAddress: string
  readonly userIdentity: Readonly<Record<string, unknown>>
  readonly requestParameters: Readonly<Record<string, unknown>> | null
  readonly responseElements: Readonly<Record<string, unknown>> | null
  readonly additionalEventData?: Readonly<Record<string, unknown>>
  readonly readOnly: boolean
  readonly resources?: readonly { readonly accountId: string; readonly ARN: string }[]
  readonly serviceEventDetails?: Readonly<Record<string, unknown>>
}
