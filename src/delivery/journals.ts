import { basename, join } from 'node:path'
import { checkpointName } from '../journal/directory.ts'
import { errorCode, type Files, readSmallFile } from '../journal/files.ts'
import { JournalReader, type Position } from '../journal/journal-reader.ts'
import { JournalInUse, type JournalLock, lockJournal } from '../journal/lock.ts'
import { journalOrigin } from '../journal/lookup/followed-journal.ts'
import { segmentHolding } from '../journal/reader.ts'
import {
  type SelectableEvent,
  type SelectingTrail,
  selects,
} from '../services/cloudtrail/selection.ts'
import { GzipWriter } from './gzip.ts'
import type { Positions } from './spans.ts'
import type { DigestedFile, FileRange } from './state.ts'

export type CollectRequest = {
  readonly trail: SelectingTrail
  readonly region: string
  readonly from: Positions
  readonly to: Positions
  /** All of it, as it was collected once; otherwise as much as goes into one file and takes little time. */
  readonly exact: boolean
}

export type Collected = {
  /** What was looked at ends here, at `to` or before it. */
  readonly to: Positions
  /** Undefined when nothing is selected. */
  readonly file: CollectedFile | undefined
}

export type CollectedFile = Pick<DigestedFile, 'hash' | 'oldest' | 'newest' | 'ranges'> & {
  readonly body: Uint8Array
}

export type DeliveryJournalsOptions = {
  /** The folder with a directory for each process's journal. */
  readonly journals: string
  /** The name of this process. */
  readonly node: string
  /** A folder that the processes share, for the lock of who delivers. */
  readonly lock: string
  readonly files: Files
}

/** Of a file, compressed. CloudTrail's own bound is 50 MB. */
const fileBytesMax = 8 * 1024 * 1024
/** How long one collecting may take, over all journals. */
const collectMsMax = 300
const checkpointBytesMax = 16 * 1024
/** Places that later collecting begins at. */
const placesMax = 10_000

/** The journals of all processes, as delivery reads them. Blocks; `JournalsThread` gives it a thread. */
export class DeliveryJournals {
  readonly #options: DeliveryJournalsOptions
  /** At the tail of each journal, by its origin. */
  readonly #tails = new Map<string, JournalReader>()
  readonly #directories = new Map<string, string>()
  /** Where a record stands, by origin and index. */
  readonly #places = new Map<string, Position>()
  #lock: JournalLock | undefined

  constructor(options: DeliveryJournalsOptions) {
    this.#options = options
  }

  /** The number of durable records of each journal, by its origin. */
  positions(): { own: string; positions: Positions } {
    const positions: Record<string, number> = {}
    let own: string | undefined
    for (const [origin, directory] of this.#follow()) {
      const reader = this.#tailOf(origin, directory)
      while (reader.next(false));
      positions[origin] = reader.position.sequence
      this.#remember(origin, reader.position)
      if (basename(directory) === this.#options.node) own = origin
    }
    if (own === undefined) throw new Error(`there is no journal of ${this.#options.node}`)
    return { own, positions }
  }

  /** The index of the record with that eventID, of those from `from` to before `to`. */
  find(origin: string, from: number, to: number, eventId: string): number | undefined {
    const text = `"eventID":"${eventId}"`
    for (const { index, record } of this.#records(origin, from, to)) {
      if (record.includes(text) && eventIdOf(record) === eventId) return index
    }
    return undefined
  }

  /** The records that a trail selects, in the order of the journals' origins, as the content of one log file. */
  collect(request: CollectRequest): Collected {
    const file = new LogFile(request)
    const origins = Object.keys(request.to).sort()
    const to: Record<string, number> = {}
    const ranges: FileRange[] = []
    const share = 1 / Math.max(1, origins.length)
    let bytes = fileBytesMax * share
    for (const origin of origins) {
      const from = request.from[origin] ?? 0
      const until = performance.now() + collectMsMax * share
      let next = from
      let count = 0
      for (const { index, record, kind } of this.#records(origin, from, request.to[origin] ?? 0)) {
        if (kind === 'event' && file.take(record)) count++
        next = index + 1
        if (!request.exact && (performance.now() > until || file.compressedBytes > bytes)) break
      }
      bytes += fileBytesMax * share
      to[origin] = next
      if (next > from) ranges.push({ origin, from, to: next, count })
    }
    return { to, file: file.finish(ranges) }
  }

  /** The newest signed checkpoint of this process's journal. */
  checkpoint(): string | undefined {
    const path = join(this.#options.journals, this.#options.node, checkpointName)
    return readSmallFile(this.#options.files, path, checkpointBytesMax)?.toString()
  }

  /** Whether this process is the one that delivers; it stays so until it ends. */
  lock(): boolean {
    const { lock, files } = this.#options
    if (this.#lock !== undefined) {
      this.#lock.check()
      return true
    }
    files.makeDirectory(lock)
    try {
      this.#lock = lockJournal(files, lock)
      return true
    } catch (error) {
      if (error instanceof JournalInUse) return false
      throw error
    }
  }

  close(): void {
    for (const reader of this.#tails.values()) reader.close()
    this.#tails.clear()
    this.#lock?.release()
    this.#lock = undefined
  }

  *#records(origin: string, from: number, to: number) {
    if (from >= to) return
    const directory = this.#directories.get(origin) ?? this.#found(origin)
    const { files } = this.#options
    const place = this.#places.get(`${origin} ${from}`) ?? segmentHolding(files, directory, from)
    const reader = new JournalReader(directory, place, files)
    try {
      while (reader.position.sequence < to) {
        if (!reader.next(false)) throw new Error(`the journal ${directory} ends before ${to}`)
        if (reader.position.sequence <= from) continue
        for (const record of reader.records()) {
          if (record.index >= from && record.index < to) yield record
        }
        this.#remember(origin, reader.position)
      }
    } finally {
      reader.close()
    }
  }

  #found(origin: string): string {
    for (const [each] of this.#follow()) if (each === origin) break
    const directory = this.#directories.get(origin)
    if (directory === undefined) throw new Error(`there is no journal of the origin ${origin}`)
    return directory
  }

  #tailOf(origin: string, directory: string): JournalReader {
    const known = this.#tails.get(origin)
    if (known !== undefined) return known
    const { files } = this.#options
    const start = segmentHolding(files, directory, Number.POSITIVE_INFINITY)
    const reader = new JournalReader(directory, start, files)
    this.#tails.set(origin, reader)
    return reader
  }

  /** The last one of each journal is enough: collecting begins where one before it ended. */
  #remember(origin: string, position: Position): void {
    this.#places.set(`${origin} ${position.sequence}`, position)
    if (this.#places.size <= placesMax) return
    const [oldest] = this.#places.keys()
    if (oldest !== undefined) this.#places.delete(oldest)
  }

  /** The journals that are there now. */
  #follow(): ReadonlyMap<string, string> {
    const { journals, files } = this.#options
    const found = new Map<string, string>()
    for (const node of files.list(journals)) {
      const directory = join(journals, node)
      const origin = originOf(files, directory)
      if (origin !== undefined) found.set(origin, directory)
    }
    for (const [origin, directory] of found) this.#directories.set(origin, directory)
    return found
  }
}

/** Undefined for what is no journal, or none yet. */
function originOf(files: Files, directory: string): string | undefined {
  try {
    return journalOrigin(files, directory)
  } catch (error) {
    if (errorCode(error) === 'ENOTDIR') return undefined
    throw error
  }
}

function eventIdOf(record: string): unknown {
  return (JSON.parse(record) as { eventID?: unknown }).eventID
}

/** One log file while it is put together: the records as they stand in the journal, byte for byte. */
class LogFile {
  readonly #request: CollectRequest
  readonly #account: string
  readonly #region: string
  readonly #gzip = new GzipWriter()
  #count = 0
  #oldest = ''
  #newest = ''

  constructor(request: CollectRequest) {
    this.#request = request
    this.#account = `"recipientAccountId":"${request.trail.account}"`
    this.#region = `"awsRegion":"${request.region}"`
  }

  get compressedBytes(): number {
    return this.#gzip.compressedBytes
  }

  /** False for a record that is not selected. */
  take(record: string): boolean {
    // Parsing costs ten times as much as these two looks, and most records are of somebody else's.
    if (!record.includes(this.#account) || !record.includes(this.#region)) return false
    const event = JSON.parse(record) as SelectableEvent & { readonly eventTime?: string }
    const { trail, region } = this.#request
    if (event.awsRegion !== region || !selects(trail, event)) return false
    const time = event.eventTime ?? ''
    this.#gzip.add(this.#count === 0 ? `{"Records":[${record}` : `,${record}`)
    if (this.#count === 0 || time < this.#oldest) this.#oldest = time
    if (time > this.#newest) this.#newest = time
    this.#count++
    return true
  }

  finish(ranges: readonly FileRange[]): CollectedFile | undefined {
    if (this.#count === 0) return undefined
    this.#gzip.add(']}')
    const { body, sha256 } = this.#gzip.finish()
    return { body, hash: sha256, oldest: this.#oldest, newest: this.#newest, ranges }
  }
}
