import { connect, type Socket } from 'node:net'
import type { Header } from './signer.ts'

export type RawResponse = {
  readonly status: number
  /** Lower-case names; the last of a repeated header. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

const responseBytesMax = 4 * 1024 * 1024

/**
 * One connection, byte for byte: what is written is what is sent. Reads answers that have a Content-Length, and
 * those in chunks, which Node's own HTTP server gives to what it refuses by itself.
 */
export class RawConnection {
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #ended = false
  #wake: (() => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake?.()
    })
    const end = () => {
      this.#ended = true
      this.#wake?.()
    }
    // A reset is an end like any other: the reader reports that no whole answer came.
    socket.on('end', end)
    socket.on('close', end)
    socket.on('error', end)
  }

  static open(endpoint: string): Promise<RawConnection> {
    const { hostname, port } = new URL(endpoint)
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new RawConnection(socket))
      })
    })
  }

  get ended(): boolean {
    return this.#ended
  }

  write(bytes: Buffer | string): void {
    if (!this.#socket.destroyed && this.#socket.writable) this.#socket.write(bytes)
  }

  /** Says that nothing more will be sent, and goes on reading. */
  finish(): void {
    this.#socket.end()
  }

  close(): void {
    this.#ended = true
    this.#socket.destroy()
  }

  /** The next whole answer, or undefined when the connection ended without one. Throws after `timeoutMs`. */
  async response(timeoutMs = 15_000): Promise<RawResponse | undefined> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const response = this.#take()
      if (response !== undefined) return response
      if (this.#ended) return undefined
      await this.#more(deadline - Date.now())
    }
  }

  #more(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => {
          const sofar = this.#received.toString('latin1').slice(0, 200)
          reject(new Error(`no whole answer in time; received so far: ${JSON.stringify(sofar)}`))
        },
        Math.max(timeoutMs, 0),
      )
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
    })
  }

  #take(): RawResponse | undefined {
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd < 0) return undefined
    const [statusLine = '', ...lines] = this.#received.toString('latin1', 0, headEnd).split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1])
    if (!(status >= 100)) throw new Error(`not an HTTP answer: ${JSON.stringify(statusLine)}`)
    const headers = new Map(lines.map((line) => headerOf(line)))
    const framed = headers.has('transfer-encoding')
      ? chunkedBody(this.#received, headEnd + 4)
      : measuredBody(this.#received, headEnd + 4, headers.get('content-length'))
    if (framed === undefined) return undefined
    const { body, end } = framed
    this.#received = this.#received.subarray(end)
    return { status, headers, body }
  }
}

type Framed = { readonly body: Buffer; readonly end: number }

/** The body and where it ends, or undefined while it is not whole. */
function measuredBody(
  bytes: Buffer,
  start: number,
  header: string | undefined,
): Framed | undefined {
  const length = Number(header ?? 0)
  if (!(length >= 0 && length <= responseBytesMax)) throw new Error(`Content-Length: ${header}`)
  const end = start + length
  return bytes.length < end ? undefined : { body: Buffer.from(bytes.subarray(start, end)), end }
}

function chunkedBody(bytes: Buffer, start: number): Framed | undefined {
  const chunks: Buffer[] = []
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const length = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    if (!(length >= 0 && length <= responseBytesMax)) throw new Error('a chunk without a length')
    const end = lineEnd + 2 + length + 2
    if (bytes.length < end) return undefined
    chunks.push(bytes.subarray(lineEnd + 2, end - 2))
    if (length === 0) return { body: Buffer.concat(chunks), end }
    at = end
  }
}

function headerOf(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}

/** The bytes of a request. `content-length` is added unless the headers have one. */
export function requestBytes(
  method: string,
  target: string,
  headers: readonly Header[],
  body: Buffer,
): Buffer {
  const all = headers.some(([name]) => name.toLowerCase() === 'content-length')
    ? headers
    : [...headers, ['content-length', String(body.length)] as const]
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.concat([
    Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines}\r\n`, 'latin1'),
    body,
  ])
}
