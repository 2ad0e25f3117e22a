import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../base/clock.ts'
import { errorCode, type Files } from '../files.ts'
import type {
  ConfigurationQuery,
  LastEvent,
  LastEventQuery,
  LookupPage,
  LookupQuery,
  ResourceListing,
  ResourceQuery,
  ResourceRow,
} from '../port.ts'
import { eventAttributes, hasAttribute } from './attributes.ts'
import { isBrokenIndex, openIndexFile, removeIndexFile } from './database.ts'
import { firstId } from './event-id.ts'
import { EventIndex, type EventPlace } from './event-index.ts'
import { FollowedJournal, journalOrigin, StaleIndex } from './followed-journal.ts'
import type { Answer, Question } from './messages.ts'
import { RecordFiles } from './record-files.ts'

export type LookupIndexOptions = {
  /** The folder with a directory for each node's journal. */
  readonly journals: string
  /** The index's file; everything in it can be made anew from the journals. */
  readonly file: string
  readonly retentionDays: number
  /** How far back `find` goes unless it is asked for older events. */
  readonly shownDays: number
  readonly clock: Clock
  readonly files: Files
}

/** Batches between two commits, to bound the write-ahead log. */
const batchesPerCommit = 500
const expiryStep = 200
/** Of the records of one page; a page has one record at the least. What fits no more is on the next page. */
const pageBytesMax = 1024 * 1024

/** The index over the journals of all nodes. Blocks; `LookupThread` gives it a thread. */
export class LookupIndex {
  readonly #options: LookupIndexOptions
  readonly #texts: RecordFiles
  #database: DatabaseSync
  #index: EventIndex
  readonly #journals = new Map<string, FollowedJournal>()

  constructor(options: LookupIndexOptions) {
    this.#options = options
    this.#texts = new RecordFiles(options.files)
    try {
      this.#database = openIndexFile(options.file)
      this.#index = new EventIndex(this.#database)
    } catch (error) {
      if (!isBrokenIndex(error)) throw error
      removeIndexFile(options.file)
      this.#database = openIndexFile(options.file)
      this.#index = new EventIndex(this.#database)
    }
  }

  /** The next page; everything that is in the journals when it is called is found. */
  find(query: LookupQuery): LookupPage {
    return this.#repairing(() => {
      this.#catchUp()
      return this.#page(query)
    })
  }

  /** Like `find`, of everything that is in the journals when it is called. */
  last(query: LastEventQuery): LastEvent | undefined {
    return this.#repairing(() => {
      this.#catchUp()
      return this.#index.uses.last(query)
    })
  }

  /** Like `find`, whatever is asked. */
  answer(question: Question): Answer {
    switch (question.kind) {
      case 'find':
        return this.find(question.query)
      case 'last':
        return this.last(question.query)
      case 'uses':
        return this.#current(() => this.#index.uses.find(question.query))
      case 'grantUses':
        return this.#current(() => this.#index.uses.grants(question.query))
      case 'items':
        return this.#current(() => this.#history(question.query))
      case 'newest':
        return this.#current(() => question.query.map((query) => this.#newest(query)))
      case 'resources':
        return this.#current(() => this.#resources(question.query))
      case 'counts': {
        const { account, region } = question.query
        return this.#current(() => this.#index.items.counts(account, region))
      }
    }
  }

  #current<T>(read: () => T): T {
    return this.#repairing(() => {
      this.#catchUp()
      return read()
    })
  }

  #history(query: ConfigurationQuery): LookupPage {
    const records: string[] = []
    let bytes = 0
    let last: number | undefined
    for (const place of this.#index.items.history(query)) {
      if (records.length === query.limit) return { records, next: last }
      const record = this.#textAt(place)
      bytes += Buffer.byteLength(record)
      if (bytes > pageBytesMax && records.length > 0) return { records, next: last }
      records.push(record)
      last = place.id
    }
    return { records, next: undefined }
  }

  #newest({ account, region, type, resource }: ResourceQuery): string | undefined {
    const place = this.#index.items.newest(account, region, type, resource)
    return place === undefined || place.deleted === 1 ? undefined : this.#textAt(place)
  }

  #resources(listing: ResourceListing): readonly ResourceRow[] {
    const rows: ResourceRow[] = []
    let bytes = 0
    for (const found of this.#index.items.resources(listing)) {
      const { type, resource, name, time, deleted } = found
      const row = { type, resource, name, time, deleted }
      if (listing.records !== true) {
        rows.push(row)
        continue
      }
      const record = this.#textAt(found)
      bytes += Buffer.byteLength(record)
      if (bytes > pageBytesMax && rows.length > 0) return rows
      rows.push({ ...row, record })
    }
    return rows
  }

  #textAt({ journal, segment, offset }: EventPlace): string {
    const found = [...this.#journals.values()].find(({ id }) => id === journal)
    if (found === undefined) throw new StaleIndex('an indexed journal is gone')
    return this.#texts.read(found.directory, segment, offset)
  }

  /** Indexes, or forgets what is too old, for about `ms`. Answers whether there was anything to do. */
  work(ms: number): boolean {
    return this.#repairing(() => {
      const until = performance.now() + ms
      let worked = false
      for (const journal of this.#follow()) {
        const { sequence } = journal.position
        this.#indexBatches(journal, until)
        worked ||= journal.position.sequence > sequence
      }
      if (performance.now() >= until) return true
      return this.#forget() > 0 || worked
    })
  }

  close(): void {
    this.#closeJournals()
    this.#texts.close()
    if (this.#database.isOpen) this.#database.close()
  }

  #catchUp(): void {
    for (const journal of this.#follow()) {
      // A writer may be faster than the index: it has to reach only what is there now.
      if (this.#indexBatches(journal, Number.POSITIVE_INFINITY)) continue
      const target = journal.tail()
      while (journal.position.sequence < target) {
        this.#indexBatches(journal, Number.POSITIVE_INFINITY)
      }
    }
  }

  #indexBatches(journal: FollowedJournal, until: number): boolean {
    const oldest = this.#oldestSecond()
    return journal.index(this.#index, { batches: batchesPerCommit, until, oldest })
  }

  #page(query: LookupQuery): LookupPage {
    const { account, region, category = 'Management', attribute, limit } = query
    const oldest = Math.max(Math.ceil(query.from / 1000), this.#oldestSecond(query.older !== true))
    const latest = firstId(Math.floor(query.to / 1000) + 1) - 1
    const highest = Math.min(latest, (query.after ?? Number.POSITIVE_INFINITY) - 1)
    const directories = new Map([...this.#journals.values()].map((one) => [one.id, one.directory]))
    const records: string[] = []
    let bytes = 0
    let last: number | undefined
    const range = { lowest: firstId(oldest), highest, category }
    for (const place of this.#index.candidates({ account, region, attribute, ...range })) {
      const directory = directories.get(place.journal)
      if (directory === undefined) throw new StaleIndex('an indexed journal is gone')
      const record = this.#texts.read(directory, place.segment, place.offset)
      const event = eventAttributes(record)
      if (event === undefined || event.account !== account || event.region !== region) continue
      if (event.category !== category) continue
      if (attribute && !hasAttribute(event, attribute.key, attribute.value)) continue
      if (records.length === limit) return { records, next: last }
      bytes += Buffer.byteLength(record)
      if (bytes > pageBytesMax && records.length > 0) return { records, next: last }
      records.push(record)
      last = place.id
    }
    return { records, next: undefined }
  }

  #forget(): number {
    this.#database.exec('BEGIN IMMEDIATE')
    const forgotten = this.#index.forget(firstId(this.#oldestSecond()), expiryStep)
    this.#database.exec('COMMIT')
    return forgotten
  }

  #oldestSecond(shown = false): number {
    const { clock, retentionDays, shownDays } = this.#options
    const days = shown ? Math.min(shownDays, retentionDays) : retentionDays
    return Math.ceil(clock.now() / 1000) - days * 86_400
  }

  /** The journals that are there now. */
  #follow(): Iterable<FollowedJournal> {
    const { journals, files } = this.#options
    for (const node of directoriesIn(journals)) {
      if (this.#journals.has(node)) continue
      const directory = join(journals, node)
      const origin = journalOrigin(files, directory)
      if (origin === undefined) continue
      this.#journals.set(node, new FollowedJournal(files, this.#database, directory, origin))
    }
    return this.#journals.values()
  }

  /** Makes the index anew, once, if its file is broken or belongs to other journals. */
  #repairing<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      this.#closeJournals()
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      if (!isBrokenIndex(error) && !(error instanceof StaleIndex)) throw error
    }
    this.close()
    removeIndexFile(this.#options.file)
    this.#database = openIndexFile(this.#options.file)
    this.#index = new EventIndex(this.#database)
    return work()
  }

  #closeJournals(): void {
    for (const journal of this.#journals.values()) journal.close()
    this.#journals.clear()
  }
}

function directoriesIn(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}
