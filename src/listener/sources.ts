import { isIPv6 } from 'node:net'
import { isLoopback } from './address.ts'

/** What the clients at one address hold of what is there for all. */
export class Source {
  /** Whether it is held to its share. */
  readonly limited: boolean
  connections = 0
  bufferedBytes = 0

  constructor(limited: boolean) {
    this.limited = limited
  }
}

/**
 * The addresses that hold something. An IPv6 client has its whole /64 to choose addresses from, so that is one source
 * (RFC 4291 §2.5.1). Loopback has no share unless `limitLoopback` says so.
 */
export class Sources {
  readonly #limitLoopback: boolean
  readonly #byNetwork = new Map<string, Source>()

  constructor(limitLoopback: boolean) {
    this.#limitLoopback = limitLoopback
  }

  get size(): number {
    return this.#byNetwork.size
  }

  of(address: string): Source {
    const network = networkOf(address)
    const known = this.#byNetwork.get(network)
    if (known !== undefined) return known
    const source = new Source(this.#limitLoopback || !isLoopback(address))
    this.#byNetwork.set(network, source)
    return source
  }

  /** Drops those that hold nothing any more. */
  forgetIdle(): void {
    for (const [network, { connections, bufferedBytes }] of this.#byNetwork) {
      if (connections === 0 && bufferedBytes === 0) this.#byNetwork.delete(network)
    }
  }
}

/** An IPv4 address, also one that is mapped into IPv6, or the first half of an IPv6 address. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(address)) return address
  const [head = '', tail = ''] = address.split('::')
  const first = head.split(':').filter((group) => group !== '')
  const last = tail.split(':').filter((group) => group !== '')
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0')
  return [...first, ...zeros, ...last].slice(0, 4).join(':')
}
