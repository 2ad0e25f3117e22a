import { Worker } from 'node:worker_threads'
import type { Random } from '../base/random.ts'
import type { Hsm } from '../hsm/port.ts'
import type { Finding, FromLog, LogStatus, LogThreadData, ToLog } from './messages.ts'

export type { Finding, LogStatus } from './messages.ts'

export type LogOptions = Pick<
  LogThreadData,
  'journals' | 'rootLog' | 'tiles' | 'listen' | 'insecurePlaintext' | 'segmentBytes'
> & {
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined
  readonly witnesses: string | undefined
  readonly hsm: Pick<
    Hsm,
    'checkpointPublicKey' | 'checkpointMlDsaPublicKey' | 'signCheckpoint' | 'cosignCheckpoint'
  >
  readonly random: Random
  readonly log: (line: string) => void
  /** Puts a finding into the record. */
  readonly found: (finding: Finding) => Promise<void>
}

export type OpenedLog = {
  /** Undefined until it has said something. */
  status(): LogStatus | undefined
  /** Enters what there is in the root log, which takes two seconds at the most, and ends. */
  close(): Promise<void>
}

const witnessIntervalMs = 2000
/** A root log grows by a few hundred bytes a second. */
const rootSegmentBytesMax = 4 * 1024 * 1024
const closeMs = 10_000

/**
 * Starts the thread that makes the journals into a log for others: tiles, the read-only listener, the root log and its
 * witnesses. Rejects if it cannot be listened at, or the witnesses are none. What fails later holds nobody up.
 */
export async function openLog(options: LogOptions): Promise<OpenedLog> {
  const { hsm, random, journals, rootLog, tiles, listen, tls, insecurePlaintext } = options
  const workerData: LogThreadData = {
    ...{ journals, rootLog, tiles, listen, tls, insecurePlaintext, witnessIntervalMs },
    witnesses: options.witnesses,
    publicKey: await hsm.checkpointPublicKey(),
    mlDsaPublicKey: await hsm.checkpointMlDsaPublicKey(),
    newOrigin: `kagiban/root-log/${random.uuid()}`,
    segmentBytes: Math.min(options.segmentBytes, rootSegmentBytesMax),
  }
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData, name: 'log' })
  const log = new ServedLog(worker, options)
  await log.ready
  return log
}

class ServedLog implements OpenedLog {
  readonly ready: Promise<void>
  readonly #ready = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<void>()
  readonly #worker: Worker
  readonly #options: LogOptions
  #status: LogStatus | undefined
  #closing = false

  constructor(worker: Worker, options: LogOptions) {
    this.#worker = worker
    this.#options = options
    this.ready = this.#ready.promise
    worker.on('message', (message: FromLog) => this.#hear(message))
    worker.on('error', (error) => this.#end(String(error)))
    worker.on('exit', () => this.#end('its thread ended'))
  }

  status(): LogStatus | undefined {
    return this.#status
  }

  async close(): Promise<void> {
    this.#closing = true
    this.#send({ kind: 'close' })
    const timer = setTimeout(() => void this.#worker.terminate(), closeMs)
    await this.#ended.promise
    clearTimeout(timer)
  }

  #hear(message: FromLog): void {
    switch (message.kind) {
      case 'ready':
        this.#ready.resolve()
        break
      case 'refused':
        this.#ready.reject(new Error(message.reason))
        break
      case 'sign':
        void this.#sign(message)
        break
      case 'status':
        this.#status = message.status
        break
      case 'found':
        this.#found(message.finding)
        break
      case 'log':
        this.#options.log(message.line)
    }
  }

  async #sign({ id, text, ed25519 }: FromLog & { kind: 'sign' }): Promise<void> {
    const { hsm } = this.#options
    const message = Buffer.from(text)
    try {
      const signature =
        ed25519 === undefined
          ? await hsm.signCheckpoint(message)
          : await hsm.cosignCheckpoint(message, Buffer.from(ed25519))
      this.#send({ kind: 'signature', id, signature, reason: undefined })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#send({ kind: 'signature', id, signature: undefined, reason })
    }
  }

  #found(finding: Finding): void {
    const { log, found } = this.#options
    log(sentenceOf(finding))
    found(finding).catch((error: unknown) => {
      log(
        `root log: what it found is not recorded: ${error instanceof Error ? error.message : String(error)}`,
      )
    })
  }

  #end(reason: string): void {
    this.#ready.reject(new Error(`the log does not start: ${reason}`))
    if (!this.#closing) {
      this.#closing = true
      this.#options.log(`log: ${reason}; it starts again with the service`)
      if (this.#status !== undefined) {
        const root = { ...this.#status.root, writing: false, failure: reason }
        this.#status = { ...this.#status, root }
      }
    }
    this.#ended.resolve()
  }

  #send(message: ToLog): void {
    this.#worker.postMessage(message)
  }
}

function sentenceOf(finding: Finding): string {
  if (finding.kind === 'new-epoch') {
    return `root log: node ${finding.node} has a new log, ${finding.origin}, after ${finding.formerSize} records of ${finding.formerOrigin}`
  }
  return `root log: the log of node ${finding.node} went back or was rewritten: ${finding.seenSize} records of ${finding.origin} were seen, ${finding.size} are signed now. It is not entered any more.`
}
