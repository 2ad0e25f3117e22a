import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { Agent, type RequestOptions, request } from 'node:https'
import type { Clock } from '../base/clock.ts'
import type { WebhookSettings } from './settings.ts'
import { DeliveryError, type Entry, lines, type Sink } from './sink.ts'

export type WebhookDeps = {
  /** Wiped. */
  readonly secret: Buffer
  readonly ca: Buffer | undefined
  readonly clock: Clock
  readonly timeoutMs?: number
}

const timeoutMsDefault = 30_000

/**
 * Batches as newline-delimited JSON, one POST each, one at a time over one connection. Any answer of 2xx says that the
 * receiver has the batch; nothing else does, a redirect least of all: the record goes nowhere but to the URL that the
 * operator wrote down. Signed, so that the receiver knows whose it is, with the time, so that it can refuse an old one:
 *
 *     Kagiban-Signature: t=<seconds>,v1=<hex of HMAC-SHA-256(secret, "<seconds>." ‖ body)>
 */
export class WebhookSink implements Sink {
  readonly #url: URL
  readonly #key: KeyObject
  readonly #clock: Clock
  readonly #agent: Agent
  readonly #timeoutMs: number

  constructor({ url }: WebhookSettings, { secret, ca, clock, timeoutMs }: WebhookDeps) {
    this.#url = new URL(url)
    this.#key = createSecretKey(secret)
    secret.fill(0)
    this.#clock = clock
    this.#timeoutMs = timeoutMs ?? timeoutMsDefault
    this.#agent = new Agent({
      ...{ keepAlive: true, maxSockets: 1, minVersion: 'TLSv1.2' },
      ...(ca === undefined ? {} : { ca }),
    })
  }

  async deliver(entries: readonly Entry[]): Promise<undefined> {
    const body = lines(entries)
    const status = await this.#post(body)
    if (status < 200 || status > 299) throw new DeliveryError(`it answered ${status}`)
    return undefined
  }

  close(): void {
    this.#agent.destroy()
  }

  #post(body: Buffer): Promise<number> {
    const signal = AbortSignal.timeout(this.#timeoutMs)
    const options: RequestOptions = { method: 'POST', agent: this.#agent, signal }
    return new Promise((resolve, reject) => {
      const outgoing = request(this.#url, { ...options, headers: this.#headers(body) })
      outgoing.on('response', (response) => {
        const { statusCode = 0 } = response
        // What it says beside the status is nothing to us; read, so that the connection serves again.
        let left = answerBytesMax
        response.on('data', (bytes: Buffer) => {
          left -= bytes.length
          if (left < 0) response.destroy()
        })
        response.on('close', () => resolve(statusCode))
        response.on('error', () => resolve(statusCode))
      })
      outgoing.on('error', (error) => {
        const late = signal.aborted ? `no answer within ${this.#timeoutMs / 1000} seconds` : ''
        reject(new DeliveryError(late || error.message))
      })
      outgoing.end(body)
    })
  }

  #headers(body: Buffer): Record<string, string | number> {
    const seconds = Math.floor(this.#clock.now() / 1000)
    const mac = createHmac('sha256', this.#key).update(`${seconds}.`).update(body).digest('hex')
    return {
      'Content-Type': 'application/x-ndjson',
      'Content-Length': body.length,
      'User-Agent': 'Kagiban',
      'Kagiban-Signature': `t=${seconds},v1=${mac}`,
    }
  }
}

const answerBytesMax = 64 * 1024
