import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../base/clock.ts'
import { internalError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import {
  canonicalQuery,
  emptySha256,
  type RequestSigner,
  sha256Hex,
} from '../../base/request-signer.ts'
import { type Answer, Exchange, pulled, textOfAnswer } from './exchange.ts'
import { refusal, UpstreamFailure } from './failure.ts'
import type { Target } from './options.ts'
import { textOf } from './xml.ts'

/** Bytes that are sent at once: in memory, so that they can be sent again. */
export type Sent = {
  readonly pieces: readonly Buffer[]
  readonly size: number
  /** In hex. */
  readonly sha256: string
}

export function sentOf(bytes: Buffer): Sent {
  return { pieces: [bytes], size: bytes.length, sha256: sha256Hex(bytes) }
}

export type Call = {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** Without the prefix; absent for a call upon the bucket. */
  readonly name?: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly sent?: Sent
}

export type Answered = {
  readonly status: number
  readonly headers: Answer['headers']
  readonly text: string
}

export type EngineDeps = {
  readonly clock: Clock
  readonly random: Random
}

const attemptsMax = 4
/** While the engine fails, nobody waits for long. */
const attemptsWhileFailing = 2
const firstPauseMs = 100

/**
 * Calls upon one bucket of an S3 engine, each repeated when it fails in a way that passes: all of them have the same
 * effect once and several times, since names are given once and what they name is never changed.
 */
export class UpstreamEngine {
  readonly #target: Target
  readonly #signer: RequestSigner
  readonly #deps: EngineDeps
  readonly #exchange: Exchange
  readonly #closing = new AbortController()
  #failure: string | undefined
  #answers = 0

  constructor(target: Target, signer: RequestSigner, deps: EngineDeps) {
    this.#target = target
    this.#signer = signer
    this.#deps = deps
    this.#exchange = new Exchange(target)
  }

  get prefix(): string {
    return this.#target.prefix
  }

  /** Why the last call that was given up failed; undefined since one succeeded. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** How many calls the engine has answered as it should. */
  get answers(): number {
    return this.#answers
  }

  /** Answers what came with 2xx. Throws UpstreamFailure, once no attempt is left. */
  call(call: Call, attempts = this.#attemptsMax): Promise<Answered> {
    return this.#repeated(attempts, async () => {
      const answer = await this.#send(call)
      const text = await textOfAnswer(answer, this.#target.deadlineMs)
      const { statusCode: status = 0, headers } = answer
      // Some engines say 200 before they know, and then the error (CompleteMultipartUpload).
      if (status > 299 || textOf(text, 'Error') !== undefined) {
        throw refusal(status, textOf(text, 'Code'), textOf(text, 'Message'))
      }
      return { status, headers, text }
    })
  }

  /**
   * The bytes from `start` to `end`, that excluded. A connection that breaks is followed by another one, which goes on
   * where the first one ended. Throws UpstreamFailure.
   */
  async *read(name: string, start: number, end: number): AsyncGenerator<Buffer, void> {
    let at = start
    for (let failures = 0; at < end; ) {
      try {
        const answer = await this.#openRange(name, at, end)
        for await (const piece of pulled(answer, this.#target.deadlineMs)) {
          if (piece.length > end - at) throw unfit(`more than ${end - start} bytes`)
          at += piece.length
          failures = 0
          yield piece
        }
        if (at < end) throw unfit(`${end - at} bytes too few`)
        this.#succeeded()
      } catch (error) {
        failures += 1
        await this.#pauseBehind(error, failures, this.#attemptsMax)
      }
    }
  }

  close(): void {
    this.#closing.abort()
    this.#exchange.close()
    this.#signer.wipe()
  }

  get #attemptsMax(): number {
    return this.#failure === undefined ? attemptsMax : attemptsWhileFailing
  }

  async #openRange(name: string, at: number, end: number): Promise<Answer> {
    const answer = await this.#send({
      method: 'GET',
      name,
      headers: { range: `bytes=${at}-${end - 1}` },
    })
    const { statusCode = 0, headers } = answer
    if (statusCode > 299) {
      const text = await textOfAnswer(answer, this.#target.deadlineMs)
      throw refusal(statusCode, textOf(text, 'Code'), textOf(text, 'Message'))
    }
    const range = headers['content-range'] ?? ''
    const fits =
      headers['content-length'] === String(end - at) &&
      headers['content-encoding'] === undefined &&
      (statusCode === 206 ? range.startsWith(`bytes ${at}-${end - 1}/`) : at === 0)
    if (fits) return answer
    answer.destroy()
    throw unfit(`${statusCode} with ${headers['content-length']} bytes, '${range.slice(0, 80)}'`)
  }

  #send({ method, name, query = {}, headers = {}, sent }: Call): Promise<Answer> {
    if (this.#closing.signal.aborted) throw closed()
    const { root, prefix, hostHeader } = this.#target
    // Upon the bucket itself, `/bucket` and `/bucket/` are the same to engines, and signed as they stand.
    const path = root + (name === undefined ? '' : prefix + name)
    const encoded = canonicalQuery(query)
    // Bodies are in memory before they are sent, so that each is signed as a whole, over TLS and without it: what an
    // engine stored is what was signed, or it has refused it.
    const signed = this.#signer.sign(
      {
        ...{ method, path, query: encoded, sha256: sent?.sha256 ?? emptySha256 },
        headers: { host: hostHeader, ...headers },
      },
      this.#deps.clock.now(),
    )
    const hasBody = method === 'PUT' || method === 'POST'
    return this.#exchange.send({
      method,
      path: encoded === '' ? path : `${path}?${encoded}`,
      headers: {
        ...{ ...signed, 'user-agent': 'Kagiban', 'accept-encoding': 'identity' },
        ...(hasBody ? { 'content-length': String(sent?.size ?? 0) } : {}),
      },
      body: sent?.pieces ?? [],
    })
  }

  async #repeated<T>(attempts: number, work: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures++) {
      try {
        const result = await work()
        this.#succeeded()
        return result
      } catch (error) {
        await this.#pauseBehind(error, failures, attempts)
      }
    }
  }

  /** Waits, or throws the failure when there is no point in another attempt. */
  async #pauseBehind(error: unknown, failures: number, attempts: number): Promise<void> {
    if (!(error instanceof UpstreamFailure)) throw error
    const isClosed = this.#closing.signal.aborted
    if (isClosed || !error.passing || failures >= attempts) {
      if (error.isAbsence) this.#succeeded()
      else if (!isClosed) this.#failure = error.message
      throw error
    }
    // From half of it to all, so that many do not come back at once.
    const most = firstPauseMs * 4 ** (failures - 1)
    const chance = (this.#deps.random.bytes(1)[0] ?? 0) / 255
    await pause((most * (1 + chance)) / 2, undefined, { signal: this.#closing.signal }).catch(
      () => {
        throw closed()
      },
    )
  }

  #succeeded(): void {
    this.#answers += 1
    this.#failure = undefined
  }
}

function unfit(what: string): UpstreamFailure {
  return new UpstreamFailure(`it answered ${what}`, { passing: true })
}

function closed(): UpstreamFailure {
  return new UpstreamFailure('the store is closed', { passing: false })
}

/** What whoever waits for an object gets of a failure: nothing but that it happened. */
export function upstreamError(what: string, error: unknown): Error {
  if (!(error instanceof UpstreamFailure)) return error instanceof Error ? error : new Error(what)
  return internalError(`${what}: the upstream S3 failed: ${error.message}`, error)
}
