import type { RowsClient } from '../rows/rows-client.ts'
import type { UpstreamEngine } from './engine.ts'
import { elementsOf, textOf } from './xml.ts'

/**
 * What the engine was asked to store by a process that died may still come to be after the process is gone. Former
 * runs are looked at once more, behind this, before they are forgotten.
 */
const againMs = 15 * 60_000

/**
 * Removes what former runs of this node left: bodies that no row names, and uploads that nobody goes on with. Only
 * what such a run made is looked at, by the beginning of its name.
 */
export class FormerRuns {
  readonly #engine: UpstreamEngine
  readonly #rows: RowsClient
  readonly #timer: NodeJS.Timeout
  #sweeping: Promise<void>
  #stopped = false

  constructor(engine: UpstreamEngine, rows: RowsClient, laterMs = againMs) {
    this.#engine = engine
    this.#rows = rows
    const runs = rows.run({ kind: 'former-runs' })
    this.#sweeping = this.#sweepAll(runs, false)
    this.#timer = setTimeout(() => {
      this.#sweeping = this.#sweeping.then(() => this.#sweepAll(runs, true))
    }, laterMs).unref()
  }

  stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    return this.#sweeping
  }

  /** What cannot be removed now is tried again at the next start: its run is not forgotten. */
  async #sweepAll(runs: Promise<unknown>, forget: boolean): Promise<void> {
    const all = await runs.catch(() => [])
    for (const run of Array.isArray(all) ? all : []) {
      try {
        await this.#abortUploads(run)
        await this.#removeBodies(run)
        if (forget && !this.#stopped) await this.#rows.run({ kind: 'forget-run', run })
      } catch {}
      if (this.#stopped) return
    }
  }

  async #removeBodies(run: string): Promise<void> {
    const { prefix } = this.#engine
    const asked = { 'list-type': '2', prefix: `${prefix}${run}/`, 'max-keys': '500' }
    let after = ''
    while (!this.#stopped) {
      const query = after === '' ? asked : { ...asked, 'start-after': prefix + after }
      const { text } = await this.#engine.call({ method: 'GET', query })
      const names = keysOf(text, 'Contents', prefix, run)
      const [first, last] = [names[0], names.at(-1)]
      if (first === undefined || last === undefined || last <= after) return
      const named = await this.#rows.run({ kind: 'named', first, last })
      if (!Array.isArray(named)) throw new Error('the rows gave no answer')
      const keep = new Set<unknown>(named)
      for (const name of names) {
        if (this.#stopped) return
        if (!keep.has(name)) await this.#engine.call({ method: 'DELETE', name })
      }
      if (textOf(text, 'IsTruncated') !== 'true') return
      after = last
    }
  }

  async #abortUploads(run: string): Promise<void> {
    const { prefix } = this.#engine
    const query = { uploads: '', prefix: `${prefix}${run}/` }
    // What was aborted is not shown again, so the first page is always the next one.
    for (let pages = 0; pages < 1000 && !this.#stopped; pages++) {
      const { text } = await this.#engine.call({ method: 'GET', query })
      for (const upload of elementsOf(text, 'Upload')) {
        const [name] = namesOf(upload, prefix, run)
        const uploadId = textOf(upload, 'UploadId')
        if (name === undefined || uploadId === undefined) continue
        await this.#engine.call({ method: 'DELETE', name, query: { uploadId } }).catch((error) => {
          if (!error.isAbsence) throw error
        })
      }
      if (textOf(text, 'IsTruncated') !== 'true') return
    }
  }
}

function keysOf(xml: string, element: string, prefix: string, run: string): string[] {
  return elementsOf(xml, element)
    .flatMap((each) => namesOf(each, prefix, run))
    .sort()
}

/** The name without the prefix; none unless it is one of the run, whatever was listed. */
function namesOf(xml: string, prefix: string, run: string): string[] {
  const key = textOf(xml, 'Key') ?? ''
  const name = key.slice(prefix.length)
  return key.startsWith(prefix) &&
    /^[0-9a-f]+\/[0-9a-f]{32}$/.test(name) &&
    name.startsWith(`${run}/`)
    ? [name]
    : []
}
