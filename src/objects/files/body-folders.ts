import { join } from 'node:path'
import { number, text } from './database.ts'
import type { SyncDisk } from './disk.ts'
import type { Statements } from './statements.ts'

/** Names are made so many at a time: each folder costs a few flushes. */
export const namesPerFolder = 128

/** Files removed in one step, so that what waits behind it waits for milliseconds. */
const removedAtOnce = 64

/** A process that has not been seen for so long reads nothing any more. It says so itself much more often. */
export const processGoneMs = 60_000

export type FoldersOptions = {
  readonly directory: string
  readonly node: string
  /** Not twice of one node. */
  readonly run: string
  readonly now: number
}

/**
 * The files of bodies: `bodies/<node>/<run>-<n>/<m>`. Each process makes its own folders, full of empty files: a name
 * is durable before a body is written under it, at the price of one flush for many.
 *
 * Files that lost their rows are `garbage`, in order. A process reads what rows said some time ago, so it says up to
 * which garbage it needs none; what no process needs is removed. Files of an earlier run of this node that no row
 * names were left by a crash.
 */
export class BodyFolders {
  readonly #sql: Statements
  readonly #disk: SyncDisk
  readonly #options: FoldersOptions
  #made = 0
  #former: string[] | undefined

  constructor(sql: Statements, disk: SyncDisk, options: FoldersOptions) {
    this.#sql = sql
    this.#disk = disk
    this.#options = options
    const last = number(sql.lastGarbage.get()?.['seq'])
    sql.setProcess.run(options.node, last, options.now)
  }

  get #own(): string {
    return join(this.#options.directory, 'bodies', this.#options.node)
  }

  /** New, empty files, by the names that rows have. */
  makeNames(): string[] {
    const { directory, node, run } = this.#options
    this.#made += 1
    const folder = `${run}-${this.#made}`
    const names = Array.from({ length: namesPerFolder }, (_, index) => String(index))
    this.#disk.makeDirectory(join(this.#own, folder))
    this.#disk.makeFiles(join(directory, 'bodies', node, folder), names)
    return names.map((name) => `${node}/${folder}/${name}`)
  }

  /** Removes what no process needs; true when there is more. */
  sweepGarbage(needsBehind: number, now: number): boolean {
    if (this.#sql.anyGarbage.get() === undefined) return false
    const { directory, node } = this.#options
    this.#sql.setProcess.run(node, needsBehind, now)
    const needed = number(this.#sql.needed.get(now - processGoneMs)?.['sequence'])
    const rows = this.#sql.garbageUpTo.all(needed, removedAtOnce)
    for (const row of rows) this.#disk.remove(join(directory, 'bodies', text(row['body'])))
    if (rows.length === 0) return false
    this.#sql.begin.run()
    try {
      for (const row of rows) this.#sql.deleteGarbage.run(number(row['sequence']))
      this.#sql.commit.run()
    } catch (error) {
      this.#sql.rollback.run()
      throw error
    }
    return rows.length === removedAtOnce
  }

  /** One folder of an earlier run of this node; false when there is none left. */
  sweepOrphans(): boolean {
    const current = (folder: string) => folder.startsWith(`${this.#options.run}-`)
    this.#former ??= this.#disk.list(this.#own).filter((folder) => !current(folder))
    const folder = this.#former.pop()
    if (folder === undefined) return false
    // The lock of this node stands there, too.
    if (!/^[0-9a-f]+-\d+$/.test(folder)) return true
    const prefix = `${this.#options.node}/${folder}/`
    const behind = `${this.#options.node}/${folder}0`
    const named = new Set(this.#sql.namedIn.all(prefix, behind).map((row) => row['body']))
    const path = join(this.#own, folder)
    for (const name of this.#disk.list(path)) {
      if (!named.has(prefix + name)) this.#disk.remove(join(path, name))
    }
    if (named.size === 0) this.#disk.removeDirectory(path)
    return true
  }

  /** This process reads nothing any more. */
  leave(): void {
    this.#sql.deleteProcess.run(this.#options.node)
  }
}
