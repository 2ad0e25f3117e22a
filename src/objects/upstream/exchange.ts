import * as http from 'node:http'
import * as https from 'node:https'
import { noAnswer, UpstreamFailure } from './failure.ts'
import type { Target } from './options.ts'

/** Of one request. What is more waits within its deadline. */
const socketsMax = 256
const idleSocketMs = 30_000
/** Bytes given to a socket at a time: how fine progress is seen. */
const writeBytes = 256 * 1024

export type Outgoing = {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: readonly Buffer[]
}

/** The head of an answer. Its body is to be read or destroyed, `pulled` does both. */
export type Answer = http.IncomingMessage

/** HTTP/1.1 over kept connections. A deadline is of a request that does not move, however long all of it takes. */
export class Exchange {
  readonly #target: Target
  readonly #agent: http.Agent

  constructor(target: Target) {
    this.#target = target
    const { secure, ca } = target
    const options = { keepAlive: true, maxSockets: socketsMax, timeout: idleSocketMs }
    this.#agent = secure
      ? new https.Agent({ ...options, minVersion: 'TLSv1.2', ...(ca && { ca }) })
      : new http.Agent(options)
  }

  /** Throws UpstreamFailure. */
  async send({ method, path, headers, body }: Outgoing): Promise<Answer> {
    const { secure, host, port, deadlineMs } = this.#target
    const request = (secure ? https : http).request({
      ...{ method, path, headers, host, port },
      agent: this.#agent,
    })
    const deadline = setTimeout(() => {
      request.destroy(tooLate(deadlineMs))
    }, deadlineMs)
    const answered = new Promise<Answer>((resolve, reject) => {
      request.on('response', (answer) => {
        // An answer before its end: what is left of the request is not sent behind it.
        if (!request.writableFinished) answer.once('close', () => request.destroy())
        resolve(answer)
      })
      // Behind the answer too: an error that nobody listens to would end the process.
      request.on('error', reject)
      request.on('close', () => reject(new Error('the connection was closed')))
    })
    try {
      await Promise.race([answered, write(request, body, () => deadline.refresh())])
      return await answered
    } catch (error) {
      throw noAnswer(error)
    } finally {
      clearTimeout(deadline)
    }
  }

  close(): void {
    this.#agent.destroy()
  }
}

async function write(request: http.ClientRequest, body: readonly Buffer[], moved: () => void) {
  for (const buffer of body) {
    for (let at = 0; at < buffer.length; at += writeBytes) {
      const piece = buffer.subarray(at, at + writeBytes)
      await new Promise<void>((resolve, reject) => {
        request.write(piece, (error) => (error ? reject(error) : resolve()))
      })
      moved()
    }
  }
  request.end()
}

/** The bytes of an answer, each piece within the deadline once it is asked for. Throws UpstreamFailure. */
export async function* pulled(answer: Answer, deadlineMs: number): AsyncGenerator<Buffer, void> {
  const pieces = answer[Symbol.asyncIterator]()
  try {
    for (;;) {
      const deadline = setTimeout(() => answer.destroy(tooLate(deadlineMs)), deadlineMs)
      const next = await pieces.next().finally(() => clearTimeout(deadline))
      if (next.done === true) return
      yield next.value
    }
  } catch (error) {
    throw noAnswer(error)
  } finally {
    answer.destroy()
  }
}

function tooLate(deadlineMs: number): UpstreamFailure {
  return new UpstreamFailure(`nothing came for ${deadlineMs / 1000} seconds`, { passing: true })
}

/** What is larger is no answer that anything here asks for. */
const answerBytesMax = 4 * 1024 * 1024

export async function textOfAnswer(answer: Answer, deadlineMs: number): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of pulled(answer, deadlineMs)) {
    size += piece.length
    if (size > answerBytesMax)
      throw new UpstreamFailure('its answer is too long', { passing: false })
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}
