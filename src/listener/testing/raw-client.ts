import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A client of bytes, for tests: sends what no HTTP client would, and keeps what comes back. */
export class RawClient {
  readonly socket: Socket
  received = ''
  /** Resolves once the connection is closed, whoever closed it and however. */
  readonly closed: Promise<void>

  constructor(port: number, options: { allowHalfOpen?: boolean; localAddress?: string } = {}) {
    this.socket = connect({ host: '127.0.0.1', port, ...options })
    this.socket.setNoDelay(true)
    this.socket.on('data', (bytes) => {
      this.received += bytes.toString('latin1')
    })
    this.socket.on('error', () => {})
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()))
  }

  send(text: string | Buffer): this {
    this.socket.write(text)
    return this
  }

  /** Waits until `enough` holds of what was received. Gives up after `ms`. */
  async until(enough: (received: string) => boolean, ms = 3000): Promise<string> {
    for (let waited = 0; !enough(this.received); waited += 5) {
      if (waited > ms)
        throw new Error(`nothing came of it; received: ${JSON.stringify(this.received)}`)
      await sleep(5)
    }
    return this.received
  }

  answers(count: number): Promise<string> {
    return this.until((received) => statuses(received).length >= count)
  }

  end(): void {
    this.socket.destroy()
  }
}

/** The status codes of the answers received, in order. */
export function statuses(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]))
}

export function post(body: string, ...headers: string[]): string {
  const lines = ['POST / HTTP/1.1', 'Host: test', ...headers, `Content-Length: ${body.length}`]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}
