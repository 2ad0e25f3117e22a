import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { type Files, readSmallFile } from '../journal/files.ts'
import { firstPosition } from '../journal/journal-reader.ts'
import { journalTail } from '../journal/reader.ts'
import { advanced, type Cursor, type CursorFile, type Place, placeIn } from './cursor.ts'
import type { ExportState } from './messages.ts'
import type { ExportSettings } from './settings.ts'
import type { Sink } from './sink.ts'
import { type Batch, EntrySource } from './source.ts'

export type FollowerDeps = {
  readonly settings: ExportSettings
  readonly sink: Sink
  readonly cursors: CursorFile
  readonly journal: { readonly files: Files; readonly directory: string }
  readonly clock: Clock
  readonly random: Random
  /** Resolves after so many ms, or when the export ends. */
  readonly rest: (ms: number) => Promise<void>
  /** Says where it stands: behind each batch, and at each failure. */
  readonly report: (state: ExportState) => void
}

/** Behind a batch with which the end of the journal was reached: what comes meanwhile goes together. */
const restMs = 250
/** Of syslog, where a batch is a connection. */
const syslogRestMs = 1000
const backoffMinMs = 500
const backoffMaxMs = 60_000
const originBytesMax = 256

/** One export: hands on what is in the journal of this process, in its order, until it is told to end. */
export class Follower {
  readonly #deps: FollowerDeps
  #cursor: Cursor | undefined
  #source: EntrySource | undefined
  #ended = false
  #failures = 0
  #failure: ExportState['failure']
  #deliveredAt: number | undefined
  #reported: Cursor | undefined

  constructor(deps: FollowerDeps) {
    this.#deps = deps
  }

  /** Resolves when it was told to end. Whatever fails is tried again. */
  async run(): Promise<void> {
    const { rest, settings } = this.#deps
    while (!this.#ended) {
      try {
        const batch = this.#opened().next()
        if (batch !== undefined) await this.#deliver(batch)
        if (batch === undefined) this.#passed()
        if (batch?.isFull !== true) await rest(settings.type === 'syslog' ? syslogRestMs : restMs)
      } catch (error) {
        this.#reopen()
        await this.#backOff(error)
      }
    }
    this.#reopen()
  }

  end(): void {
    this.#ended = true
    this.#deps.sink.close()
  }

  /** Gives the same batch until the receiver has it. */
  async #deliver(batch: Batch): Promise<void> {
    const { sink, clock } = this.#deps
    const cursor = this.#cursor
    if (cursor === undefined) throw new Error('a batch of no cursor')
    let { state } = cursor
    while (batch.entries.length > 0) {
      try {
        state = await sink.deliver(batch.entries, state)
        this.#deliveredAt = clock.now()
        break
      } catch (error) {
        if (this.#ended) return
        await this.#backOff(error)
        if (this.#ended) return
      }
    }
    this.#store(advanced(cursor, batch.place, state))
    this.#passed()
  }

  #store(cursor: Cursor): void {
    this.#deps.cursors.write(cursor)
    this.#cursor = cursor
  }

  #opened(): EntrySource {
    this.#source ??= this.#open()
    return this.#source
  }

  #open(): EntrySource {
    const { cursors, journal, settings } = this.#deps
    const origin = originOf(journal)
    const known = cursors.read()
    const found = known && placeIn(known, { ...journal, origin })
    if (known !== undefined && found?.isLast === true) this.#cursor = known
    else {
      // What a file holds behind an earlier place was said by a journal that has gone back: it is left as it is.
      const place = known === undefined ? this.#first() : (found?.place ?? beginning)
      this.#store({ origin, place, earlier: [] })
    }
    return new EntrySource(journal, this.#cursor?.place, settings.kinds)
  }

  #first(): Place {
    const { journal, settings } = this.#deps
    if (settings.from === 'beginning') return beginning
    const { position, last } = journalTail(journal.directory, false, journal.files)
    return { position, next: position.sequence, last }
  }

  #reopen(): void {
    this.#source?.close()
    this.#source = undefined
  }

  #passed(): void {
    const isNews = this.#failures > 0 || this.#cursor !== this.#reported
    this.#failures = 0
    this.#failure = undefined
    if (isNews) this.#report()
  }

  #report(): void {
    const { report, settings } = this.#deps
    this.#reported = this.#cursor
    report({
      name: settings.name,
      next: this.#cursor?.place.next ?? 0,
      deliveredAt: this.#deliveredAt,
      failure: this.#failure,
    })
  }

  async #backOff(error: unknown): Promise<void> {
    if (this.#ended) return
    const { clock, random, rest } = this.#deps
    const since = this.#failure?.since ?? clock.now()
    const reason = printable(error instanceof Error ? error.message : String(error))
    this.#failures += 1
    this.#failure = { since, reason, attempts: this.#failures }
    this.#report()
    await rest(backoffMs(this.#failures, random))
  }
}

const beginning: Place = { position: firstPosition, next: 0 }

const reasonMax = 300

/** A certificate that is refused says in it what its holder likes. */
function printable(text: string): string {
  return text.slice(0, reasonMax).replace(/[^ -~]/g, '?')
}

/** Twice as long after each failure, and half of it by chance, so that exports do not come back together. */
export function backoffMs(failures: number, random: Random): number {
  const most = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(failures - 1, 16))
  return Math.round(most * (0.5 + random.bytes(1).readUInt8(0) / 512))
}

function originOf({ files, directory }: FollowerDeps['journal']): string {
  const origin = readSmallFile(files, `${directory}/origin`, originBytesMax)
  if (origin === undefined) throw new Error(`there is no journal in ${directory}`)
  return origin.toString().trim()
}
