import type { Duplex } from 'node:stream'
import { ServiceError } from '../base/errors.ts'
import type { Core } from './core.ts'
import { execute } from './dispatch.ts'
import {
  encodeFrames,
  type Field,
  FrameReader,
  type Item,
  outcomes,
  type ReceivedItem,
} from './protocol.ts'

/** One line for the operator, without any secret. */
export type Log = (line: string) => void

/**
 * One client's connection, on the core's side. The answers to one frame go out in one write; while the client does not
 * read them, nothing more is read from it.
 */
export class Session {
  readonly #core: Core
  readonly #stream: Duplex
  readonly #log: Log
  readonly #reader = new FrameReader((items) => this.#answer(items))

  constructor(core: Core, stream: Duplex, log: Log) {
    this.#core = core
    this.#stream = stream
    this.#log = log
  }

  /** Bytes from the client; overwritten on return. A malformed frame ends the connection. */
  receive(chunk: Buffer): void {
    try {
      this.#reader.push(chunk)
    } catch (error) {
      this.#log(`The connection is ended: ${describe(error)}`)
      this.#stream.destroy()
    }
  }

  #answer(commands: readonly ReceivedItem[]): void {
    const answers = commands.map((command) => this.#execute(command))
    const frames = encodeFrames(answers)
    for (const { fields } of answers) wipe(fields)
    this.#stream.cork()
    let flowing = true
    for (const frame of frames) flowing = this.#stream.write(frame, () => frame.fill(0))
    this.#stream.uncork()
    if (flowing) return
    this.#stream.pause()
    this.#stream.once('drain', () => this.#stream.resume())
  }

  #execute({ code, id, fields }: ReceivedItem): Item {
    try {
      return { code: outcomes.done, id, fields: execute(this.#core, code, fields) }
    } catch (error) {
      const errorCode = error instanceof ServiceError ? error.code : 'internal'
      // A ciphertext that does not open is the caller's affair and may come at any rate.
      if (errorCode !== 'invalid-ciphertext') this.#log(describe(error))
      return { code: outcomes.failed, id, fields: [errorCode] }
    }
  }
}

function wipe(fields: readonly Field[]): void {
  for (const field of fields) if (typeof field !== 'string') field.fill(0)
}

/** Our own errors say what they mean; of any other the message might hold anything, and only the place is told. */
function describe(error: unknown): string {
  if (error instanceof ServiceError) return `${error.code}: ${error.detail ?? 'no detail'}`
  if (!(error instanceof Error)) return 'an unknown failure'
  const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '))
  return [error.name, ...frames.slice(0, 4).map((line) => line.trim())].join(' ')
}
