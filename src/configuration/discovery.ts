import { setTimeout as sleep } from 'node:timers/promises'
import { type Recorder, settle } from '../record/commit.ts'
import { jsonCodec, type Mirror, type Table } from '../storage/mirror.ts'
import { StoreConflict } from '../storage/port.ts'
import type { ConfigurationRecorder } from './recorder.ts'
import type { PresentResource, Resources } from './resources.ts'

/** How far the discovery of resources that are older than recording has come. */
export type DiscoveryRecord = {
  /** Everything up to here has its first item. */
  readonly after: string
  readonly done: boolean
}

export const discoveryKind = 'configuration-discovery'
const row = 'discovery'

export function discoveryTable(mirror: Mirror): Table<DiscoveryRecord> {
  return mirror.table(discoveryKind, jsonCodec<DiscoveryRecord>())
}

const perCommit = 100
const pauseMs = 20
const perReport = 10_000

/**
 * Gives every resource of an older store its first item. Each commit brings some items and how far it has come, so
 * that a restart goes on there; of several processes one does it.
 */
export class Discovery {
  readonly #table: Table<DiscoveryRecord>
  /** Resources that got their first item meanwhile, because they changed. */
  readonly #changed = new Set<string>()
  #stopped = false

  constructor(table: Table<DiscoveryRecord>) {
    this.#table = table
  }

  /** Whether the item of a change is the first of its resource. `isNew`: the resource was not there before. */
  readonly isFirst = (ref: string, isNew: boolean): boolean => {
    const { after, done } = this.#progress()
    if (done || ref <= after) return isNew
    if (!isNew && this.#changed.has(ref)) return false
    this.#changed.add(ref)
    return true
  }

  async run(
    recorder: Recorder,
    resources: Resources,
    items: ConfigurationRecorder,
    log: (line: string) => void,
  ): Promise<void> {
    if (this.#progress().done) return
    const refs = [...resources.all()].filter(({ ref }) => ref > this.#progress().after)
    refs.sort((a, b) => (a.ref < b.ref ? -1 : 1))
    if (refs.length > 0) log(`recording the configuration of ${refs.length} older resources`)
    for (let at = 0; !this.#stopped; at += perCommit) {
      const part = refs.slice(at, at + perCommit)
      const last = part.at(-1)
      const progress = { after: last?.ref ?? this.#progress().after, done: last === undefined }
      if (!(await this.#commit(part, progress, { recorder, items }))) return
      if (last === undefined) break
      if (at > 0 && at % perReport === 0) log(`recorded ${at} of ${refs.length} older resources`)
      await sleep(pauseMs)
    }
    if (refs.length > 0 && !this.#stopped) log(`recorded ${refs.length} older resources`)
    this.#changed.clear()
  }

  stop(): void {
    this.#stopped = true
  }

  /** False when another process is at it. */
  async #commit(
    part: readonly PresentResource[],
    progress: DiscoveryRecord,
    { recorder, items }: { recorder: Recorder; items: ConfigurationRecorder },
  ): Promise<boolean> {
    const entries = part.flatMap(({ ref, view }) => {
      if (this.#changed.has(ref)) return []
      const found = view()
      return found === undefined ? [] : [items.item(found, 'ResourceDiscovered', [])]
    })
    try {
      const put = this.#table.put(row, progress)
      const committed = await recorder.mirror.commitEntries([put], entries)
      await Promise.all(committed.map(({ record, kind }) => recorder.journal.append(record, kind)))
      await settle(recorder.store, committed)
      return true
    } catch (error) {
      if (error instanceof StoreConflict) return false
      throw error
    }
  }

  #progress(): DiscoveryRecord {
    return this.#table.get(row) ?? { after: '', done: false }
  }
}
