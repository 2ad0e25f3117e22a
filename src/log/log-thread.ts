import { join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { maxCheckpointBytes, parseCheckpoint } from '../journal/checkpoint.ts'
import { witnessedName } from '../journal/directory.ts'
import { readSmallFile, replaceFile } from '../journal/files.ts'
import { nodeFiles } from '../journal/node-files.ts'
import { signatureLine, signatureTypes, timestamped, verifierKey } from '../journal/note-keys.ts'
import type { FollowedLog, Published } from '../journal/tiles/followed-log.ts'
import { FollowedLogs, rootLogName } from '../journal/tiles/followed-logs.ts'
import type { FromLog, LogStatus, LogThreadData } from './messages.ts'
import { RootLog } from './root-log.ts'
import { parseWitnessList, type WitnessList } from './witness-list.ts'
import { checkpointOf, Witnessing } from './witnessing.ts'

/** For each log at a time; then four times as long asleep, or longer while there is nothing to do. */
const sliceMs = 20
const restFactor = 4
const restMsMin = 100
const restMsMax = 400
/** Between two entries of the root log. */
const enterMs = 1000
/** Between two attempts to become the one that writes the root log. */
const takeOverMs = 5000
/** How long the end may take: to follow to the tail, and to enter what it has. */
const endMs = 2000

export type LogThreadPorts = {
  readonly post: (message: FromLog) => void
  readonly sign: (text: string, ed25519?: Buffer) => Promise<Buffer>
}

/** All that becomes of the journals beside the service: tiles, the root log, cosignatures. Nobody waits for it. */
export class LogThread {
  readonly logs: FollowedLogs
  endpoint: string | undefined
  readonly #data: LogThreadData
  readonly #ports: LogThreadPorts
  readonly #list: WitnessList
  readonly #witnessing: Witnessing
  readonly #publicKey: Buffer
  #root: RootLog | undefined
  #rootFailure: string | undefined
  #nextEntry = 0
  #nextTakeOver = 0
  #nextHead = 0
  #heading: Promise<void> | undefined
  #closing = false
  #told = ''
  readonly #ended = Promise.withResolvers<void>()
  #rest: (() => void) | undefined

  /** Throws an Error if the list of witnesses is none. */
  constructor(data: LogThreadData, ports: LogThreadPorts) {
    this.#data = data
    this.#ports = ports
    this.#publicKey = Buffer.from(data.publicKey)
    this.#list = parseWitnessList(data.witnesses ?? '')
    const log = (line: string) => ports.post({ kind: 'log', line })
    const { witnessIntervalMs: intervalMs } = data
    this.#witnessing = new Witnessing(this.#list, { intervalMs, now: systemClock.now, log })
    this.logs = new FollowedLogs({
      journals: data.journals,
      rootLog: data.rootLog,
      file: data.tiles,
      files: nodeFiles,
      publicKey: this.#publicKey,
      log,
    })
  }

  /** The newest note of the root log with all its signatures, if the tiles cover it. */
  witnessed(): string | undefined {
    const root = this.logs.get(rootLogName)
    const path = join(this.#data.rootLog, witnessedName)
    const note = readSmallFile(nodeFiles, path, 8 * maxCheckpointBytes)?.toString()
    const checkpoint = note === undefined ? undefined : parseCheckpoint(note)
    if (root === undefined || checkpoint === undefined || typeof checkpoint === 'string')
      return undefined
    const isCovered = checkpoint.size <= (root.published?.checkpoint.size ?? 0)
    return isCovered && checkpoint.origin === root.origin ? note : undefined
  }

  async run(): Promise<void> {
    let rest = restMsMin
    while (!this.#closing) {
      const begun = performance.now()
      const worked = this.logs.follow(sliceMs)
      const took = performance.now() - begun
      await this.#write()
      this.#heading ??= this.#collect().finally(() => {
        this.#heading = undefined
      })
      this.#tell()
      rest = worked ? Math.max(restMsMin, took * restFactor) : Math.min(rest * 2, restMsMax)
      await this.#sleep(rest)
    }
    await this.#finish()
    this.#ended.resolve()
  }

  /** Enters what there is, for a short time, and ends. */
  close(): Promise<void> {
    this.#closing = true
    this.#rest?.()
    return this.#ended.promise
  }

  async #finish(): Promise<void> {
    const until = performance.now() + endMs
    while (this.logs.follow(sliceMs) && performance.now() < until);
    this.#nextEntry = 0
    if (this.#root !== undefined) await this.#write()
    this.#root?.close()
    this.logs.close()
  }

  /** Enters new checkpoints in the root log, once a second, if this process is the one that writes it. */
  async #write(): Promise<void> {
    const now = performance.now()
    if (now < this.#nextEntry) return
    this.#nextEntry = now + enterMs
    try {
      this.#takeOver(now)
      await this.#root?.enter(this.#nodes())
      if (this.#root !== undefined) this.#rootFailed(undefined)
    } catch (error) {
      this.#rootFailed(error instanceof Error ? error.message : String(error))
      // Nobody knows what the disk holds after a failed write: it is read again, by this process or another.
      this.#root?.close()
      this.#root = undefined
      this.#nextTakeOver = now + takeOverMs
    }
  }

  #takeOver(now: number): void {
    if (this.#root !== undefined || now < this.#nextTakeOver || this.#closing) return
    this.#nextTakeOver = now + takeOverMs
    const { rootLog, newOrigin, segmentBytes } = this.#data
    this.#root = RootLog.open({
      directory: rootLog,
      newOrigin,
      segmentBytes,
      publicKey: this.#publicKey,
      files: nodeFiles,
      sign: (text) => this.#ports.sign(text),
      found: (finding) => this.#ports.post({ kind: 'found', finding }),
    })
  }

  #nodes(): FollowedLog[] {
    return this.logs
      .names()
      .filter((name) => name !== rootLogName)
      .flatMap((name) => this.logs.get(name) ?? [])
  }

  /** Has the newest checkpoint of the root log signed with ML-DSA, and cosigned; keeps it once it has its quorum. */
  async #collect(): Promise<void> {
    const published = this.logs.get(rootLogName)?.published
    if (this.#root === undefined || published === undefined || this.#closing) return
    if (performance.now() < this.#nextHead) return
    this.#nextHead = performance.now() + this.#data.witnessIntervalMs
    const kept = this.witnessed()
    if (kept !== undefined && this.#isComplete(kept, published)) return
    try {
      const note = await this.#head(published)
      const head = { note, checkpoint: published.checkpoint, subtrees: this.#subtrees }
      const cosigned = await this.#witnessing.cosigned(head)
      if (cosigned === undefined || this.#root === undefined) return
      replaceFile(nodeFiles, join(this.#data.rootLog, witnessedName), Buffer.from(cosigned))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#ports.post({ kind: 'log', line: `root log: its head is not witnessed: ${reason}` })
    }
  }

  /** Of the root log as it is followed then. */
  readonly #subtrees = (level: number, index: number): string => {
    const log = this.logs.get(rootLogName)
    if (log === undefined) throw new Error('the root log is not followed')
    return log.tree.subtrees(level, index)
  }

  /** Whether this very checkpoint has the cosignatures of all. */
  #isComplete(kept: string, { checkpoint }: Published): boolean {
    const { text, signatures } = checkpointOf(kept)
    const names = new Set(signatures.map(({ name }) => name))
    return text === checkpoint.text && this.#list.witnesses.every(({ key }) => names.has(key.name))
  }

  /** The note with the log's two signatures. ML-DSA's is left out rather than waited for. */
  async #head({ note, checkpoint }: Published): Promise<string> {
    const { origin, text, signatures } = checkpoint
    const ed25519 = signatures.find(({ name }) => name === origin)?.signature
    if (ed25519 === undefined) return note
    try {
      const signature = await this.#ports.sign(text, ed25519)
      const raw = Buffer.from(this.#data.mlDsaPublicKey)
      const key = verifierKey(origin, signatureTypes.mlDsa44, raw)
      return note + signatureLine(key, timestamped(0, signature))
    } catch {
      return note
    }
  }

  #rootFailed(reason: string | undefined): void {
    if (reason === this.#rootFailure) return
    this.#rootFailure = reason
    const line = reason === undefined ? 'root log: it is written again' : `root log: ${reason}`
    this.#ports.post({ kind: 'log', line })
  }

  #tell(): void {
    const status = this.#status()
    const text = JSON.stringify(status)
    if (text === this.#told) return
    this.#told = text
    this.#ports.post({ kind: 'status', status })
  }

  #status(): LogStatus {
    const root = this.logs.get(rootLogName)
    const witnessed = this.witnessed()
    return {
      endpoint: this.endpoint,
      root: {
        writing: this.#root !== undefined,
        origin: root?.origin,
        size: root?.published?.checkpoint.size ?? 0,
        witnessedSize:
          witnessed === undefined || this.#list.quorum === 0 ? 0 : checkpointOf(witnessed).size,
        failure: this.#rootFailure,
      },
      quorum: this.#list.quorum,
      witnesses: this.#witnessing.status(),
      failures: { ...this.logs.failures(), ...this.#root?.refusals() },
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#rest = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
