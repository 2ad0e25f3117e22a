import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readOrigin } from '../directory.ts'
import { errorCode, type Files } from '../files.ts'
import { FollowedLog } from './followed-log.ts'
import { isBrokenFile, TileFile } from './tile-file.ts'
import { StaleTiles } from './tile-tree.ts'

/** The name of the root log among the logs of the nodes. No node is called that. */
export const rootLogName = 'root'

/** After a failure, a log is left alone for so long, in ms. */
const restMs = 30_000

export type FollowedLogsOptions = {
  /** `<data>/journal`: a directory for each node. */
  readonly journals: string
  /** `<data>/root-log` */
  readonly rootLog: string
  /** `<data>/index/<node>.log.db` */
  readonly file: string
  readonly files: Files
  readonly publicKey: Buffer
  readonly log: (line: string) => void
}

type Failure = { readonly reason: string; readonly until: number }

/** All logs of a data folder, followed into one file of tiles. No failure of one keeps the others from going on. */
export class FollowedLogs {
  readonly #options: FollowedLogsOptions
  readonly #file: TileFile
  readonly #logs = new Map<string, FollowedLog>()
  readonly #failures = new Map<string, Failure>()

  constructor(options: FollowedLogsOptions) {
    this.#options = options
    this.#file = new TileFile(options.file)
  }

  get(name: string): FollowedLog | undefined {
    return this.#logs.get(name)
  }

  /** The names of the logs that have something to show, the root log among them. */
  names(): string[] {
    return [...this.#logs.keys()].sort()
  }

  failures(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#failures].map(([name, { reason }]) => [name, reason]))
  }

  /** Follows each log for about `ms` at the most. Answers whether there was anything to do. */
  follow(ms: number): boolean {
    let worked = false
    for (const [name, directory] of this.#directories()) {
      const failure = this.#failures.get(name)
      if (failure !== undefined && performance.now() < failure.until) continue
      worked = this.#followOne(name, directory, ms) || worked
    }
    return worked
  }

  close(): void {
    for (const log of this.#logs.values()) log.close()
    this.#file.close()
  }

  #followOne(name: string, directory: string, ms: number): boolean {
    try {
      const worked = this.#open(name, directory)?.follow(performance.now() + ms) ?? false
      if (worked && this.#failures.delete(name))
        this.#options.log(`log ${name}: it is followed again`)
      return worked
    } catch (error) {
      this.#drop(name)
      this.#fail(name, error)
      return false
    }
  }

  /** What is stale is made anew at once, the first time; what cannot be followed is tried again after a rest. */
  #fail(name: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    const before = this.#failures.get(name)?.reason
    if (before !== reason) this.#options.log(`log ${name}: it cannot be followed: ${reason}`)
    if (isBrokenFile(error)) {
      for (const other of this.names()) this.#drop(other)
      this.#file.renew()
    } else if (error instanceof StaleTiles) {
      this.#file.forget(name)
    }
    const again = before === undefined ? 0 : performance.now() + restMs
    this.#failures.set(name, { reason, until: again })
  }

  #open(name: string, directory: string): FollowedLog | undefined {
    const { files, publicKey } = this.#options
    const origin = readOrigin(files, directory)
    if (origin === undefined) return undefined
    const known = this.#logs.get(name)
    if (known?.origin === origin) return known
    this.#drop(name)
    const opened = new FollowedLog({ name, directory, origin, files, file: this.#file, publicKey })
    this.#logs.set(name, opened)
    return opened
  }

  #drop(name: string): void {
    this.#logs.get(name)?.close()
    this.#logs.delete(name)
  }

  #directories(): [string, string][] {
    const { journals, rootLog } = this.#options
    const nodes = directoriesIn(journals).filter((name) => name !== rootLogName)
    return [
      ...nodes.map((name): [string, string] => [name, join(journals, name)]),
      [rootLogName, rootLog],
    ]
  }
}

function directoriesIn(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}
