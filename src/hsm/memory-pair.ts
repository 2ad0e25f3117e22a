import { Duplex } from 'node:stream'

/**
 * Like two joined sockets, each write is copied: both ends overwrite what they wrote once it is written, and what they
 * read once it is read.
 */
export function memoryPair(): [Duplex, Duplex] {
  const left = new MemoryEnd()
  const right = new MemoryEnd()
  left.peer = right
  right.peer = left
  return [left, right]
}

class MemoryEnd extends Duplex {
  peer: MemoryEnd | undefined

  constructor() {
    super({ allowHalfOpen: false })
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, written: () => void): void {
    this.peer?.push(Buffer.from(chunk))
    written()
  }

  override _final(ended: () => void): void {
    this.peer?.push(null)
    ended()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { peer } = this
    this.peer = undefined
    if (peer !== undefined && !peer.destroyed) setImmediate(() => peer.destroy())
    done(error)
  }
}
