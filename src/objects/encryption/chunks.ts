import { type CipherGCM, createCipheriv, createDecipheriv, type DecipherGCM } from 'node:crypto'
import { ObjectDamage } from './damage.ts'
import { chunkBytes } from './header.ts'

/** AES-256-GCM (NIST SP 800-38D): the key is that of one segment and layer, the IV the chunk's number. */
const algorithm = 'aes-256-gcm'
const ivBytes = 12
export const tagBytes = 16

function ivOf(chunk: number): Buffer {
  const iv = Buffer.alloc(ivBytes)
  iv.writeUInt32BE(chunk, ivBytes - 4)
  return iv
}

export function chunkCount(size: number): number {
  return Math.ceil(size / chunkBytes)
}

/** Cuts what comes at the chunks' borders: each piece with how much is left of its chunk behind it. */
function* cut(piece: Buffer, position: number): Generator<{ part: Buffer; ends: boolean }> {
  let at = 0
  while (at < piece.length) {
    const room = chunkBytes - ((position + at) % chunkBytes)
    const part = piece.subarray(at, at + room)
    at += part.length
    yield { part, ends: part.length === room }
  }
}

/** Encrypts the chunks of one segment, in one or two layers. Wipes its keys when it is done. */
export class ChunkSealer {
  readonly #keys: readonly Buffer[]
  readonly #tags: Buffer[] = []
  #ciphers: readonly CipherGCM[] = []
  #size = 0
  #chunk = 0

  constructor(keys: readonly Buffer[]) {
    this.#keys = keys
  }

  get size(): number {
    return this.#size
  }

  /** The ciphertext, as long as the piece. */
  *add(piece: Buffer): Generator<Buffer> {
    for (const { part, ends } of cut(piece, this.#size)) {
      if (this.#ciphers.length === 0) this.#begin()
      yield this.#ciphers.reduce((bytes, cipher) => cipher.update(bytes), part)
      this.#size += part.length
      if (ends) this.#end()
    }
  }

  /** The tags of all chunks: of each those of all layers, the inner first. */
  finish(): Buffer {
    if (this.#ciphers.length > 0) this.#end()
    this.wipe()
    return Buffer.concat(this.#tags)
  }

  wipe(): void {
    for (const key of this.#keys) key.fill(0)
  }

  #begin(): void {
    const iv = ivOf(this.#chunk)
    this.#ciphers = this.#keys.map((key) => createCipheriv(algorithm, key, iv))
    this.#chunk += 1
  }

  #end(): void {
    for (const cipher of this.#ciphers) {
      cipher.final()
      this.#tags.push(cipher.getAuthTag())
    }
    this.#ciphers = []
  }
}

/**
 * Decrypts chunks of one segment, from any of them on. What it yields is authentic: a chunk's plaintext waits until
 * its tag has been checked.
 */
export class ChunkOpener {
  /** The outermost first. */
  readonly #keys: readonly Buffer[]
  #deciphers: readonly DecipherGCM[] = []
  #position: number
  #waiting: Buffer[] = []

  constructor(keys: readonly Buffer[], firstChunk: number) {
    this.#keys = keys.toReversed()
    this.#position = firstChunk * chunkBytes
  }

  /** `tagsOf`: the tags of a chunk, as `finish` of the sealer had them. `size`: of the whole segment. */
  *add(piece: Buffer, size: number, tagsOf: (chunk: number) => Buffer): Generator<Buffer> {
    for (const { part, ends } of cut(piece, this.#position)) {
      if (this.#deciphers.length === 0) this.#begin(tagsOf)
      this.#waiting.push(this.#deciphers.reduce((bytes, decipher) => decipher.update(bytes), part))
      this.#position += part.length
      if (ends || this.#position === size) yield* this.#end()
    }
  }

  /** Plaintext that nobody may have, and the keys. */
  wipe(): void {
    for (const bytes of [...this.#waiting, ...this.#keys]) bytes.fill(0)
  }

  #begin(tagsOf: (chunk: number) => Buffer): void {
    const chunk = this.#position / chunkBytes
    const tags = tagsOf(chunk)
    if (tags.length !== this.#keys.length * tagBytes) {
      throw new ObjectDamage('chunk', 'a chunk has no tag')
    }
    const iv = ivOf(chunk)
    const last = this.#keys.length - 1
    this.#deciphers = this.#keys.map((key, index) => {
      const decipher = createDecipheriv(algorithm, key, iv, { authTagLength: tagBytes })
      const at = (last - index) * tagBytes
      return decipher.setAuthTag(tags.subarray(at, at + tagBytes))
    })
  }

  #end(): Buffer[] {
    try {
      for (const decipher of this.#deciphers) decipher.final()
    } catch {
      throw new ObjectDamage('chunk', 'a chunk is not what was put')
    }
    const authentic = this.#waiting
    this.#deciphers = []
    this.#waiting = []
    return authentic
  }
}
