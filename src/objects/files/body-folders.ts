import { join } from 'node:path'
import type { Statements } from '../rows/statements.ts'
import type { SyncDisk } from './disk.ts'

/** Names are made so many at a time: each folder costs a few flushes. */
const namesPerFolder = 128

export type FoldersOptions = {
  readonly directory: string
  readonly node: string
  /** Not twice of one node. */
  readonly run: string
}

/**
 * The files of bodies: `bodies/<node>/<run>-<n>/<m>`. Each process makes its own folders, full of empty files: a name
 * is durable before a body is written under it, at the price of one flush for many.
 *
 * Files of an earlier run of this node that no row names were left by a crash.
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
}
