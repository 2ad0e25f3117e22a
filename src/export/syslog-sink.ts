import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { SyslogSettings } from './settings.ts'
import { DeliveryError, type Entry, type Sink } from './sink.ts'
import { syslogFrame } from './syslog-message.ts'

export type SyslogDeps = {
  readonly node: string
  readonly ca: Buffer | undefined
  readonly timeoutMs?: number
}

const timeoutMsDefault = 30_000

/**
 * Syslog has no acknowledgement: what was written to a connection that breaks may be lost, and nobody hears of it. So a
 * batch is a connection of its own, and the receiver has it when it has closed the connection behind us without an
 * error: it ends its side once it has read ours to the end, and a system that still holds unread bytes of a receiver
 * that is gone resets the connection instead.
 */
export class SyslogSink implements Sink {
  readonly #settings: SyslogSettings
  readonly #deps: SyslogDeps
  #socket: Socket | undefined

  constructor(settings: SyslogSettings, deps: SyslogDeps) {
    this.#settings = settings
    this.#deps = deps
  }

  deliver(entries: readonly Entry[]): Promise<undefined> {
    const { timeoutMs = timeoutMsDefault, node } = this.#deps
    const { hostname, maxMessageBytes } = this.#settings
    const origin = { hostname, node, maxMessageBytes }
    const bytes = Buffer.concat(entries.map((entry) => syslogFrame(entry, origin)))
    return new Promise((resolve, reject) => {
      const socket = this.#connect()
      this.#socket = socket
      let failure: string | undefined
      let ended = false
      const timer = setTimeout(() => {
        failure = `it did not take the batch and close the connection within ${timeoutMs / 1000} seconds`
        socket.destroy()
      }, timeoutMs)
      socket.on('error', (error) => {
        failure ??= error.message
      })
      socket.on('end', () => {
        // Before ours, it is no answer to it.
        ended = socket.writableFinished
      })
      socket.on('close', () => {
        clearTimeout(timer)
        this.#socket = undefined
        if (failure === undefined && ended) resolve(undefined)
        else reject(new DeliveryError(failure ?? 'it closed the connection before the end'))
      })
      // Receivers say nothing; what one says all the same is read and passed over.
      socket.resume()
      socket.end(bytes)
    })
  }

  close(): void {
    this.#socket?.destroy()
  }

  #connect(): Socket {
    const { host, port, transport } = this.#settings
    // Its side stays open until it has closed its own: an early end must not look like a late one.
    if (transport === 'tcp') return connectTcp({ host, port, allowHalfOpen: true })
    const { ca } = this.#deps
    return connectTls({
      ...{ host, port, allowHalfOpen: true, minVersion: 'TLSv1.2' },
      servername: isIP(host) === 0 ? host : '',
      ...(ca === undefined ? {} : { ca }),
    })
  }
}
