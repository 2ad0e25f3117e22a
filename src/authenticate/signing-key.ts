import { hash, timingSafeEqual } from 'node:crypto'
import { internalError } from '../base/errors.ts'
import { algorithm } from './authorization.ts'

const blockBytes = 64
const keyBytes = 32
const timestampAt = blockBytes + algorithm.length + 1
const timestampBytes = 16
const digestHexBytes = 64

/**
 * One SigV4 signing key, ready to sign strings of its scope. HMAC-SHA-256 (RFC 2104) as two one-shot hashes over
 * blocks prepared once: within a scope only the timestamp and the digest of the canonical request change. This costs
 * a third of createHmac.
 */
export class SigningKey {
  /** The record's sealed secret that the key was derived from: a record that changed no longer fits. */
  readonly sealedSecret: string
  readonly #inner: Buffer
  readonly #outer: Buffer
  readonly #digestAt: number
  #wiped = false

  /** `key` is 32 bytes, taken over and wiped. `scope` is `date/region/service/aws4_request`, in ASCII. */
  constructor(key: Buffer, scope: string, sealedSecret: string) {
    if (key.length !== keyBytes) throw internalError('a signing key is 32 bytes')
    this.sealedSecret = sealedSecret
    this.#digestAt = timestampAt + timestampBytes + 1 + scope.length + 1
    this.#inner = Buffer.alloc(this.#digestAt + digestHexBytes)
    this.#outer = Buffer.alloc(blockBytes + keyBytes)
    for (let index = 0; index < blockBytes; index++) {
      const byte = key[index] ?? 0
      this.#inner[index] = byte ^ 0x36
      this.#outer[index] = byte ^ 0x5c
    }
    this.#inner.write(`${algorithm}\n`, blockBytes, 'latin1')
    this.#inner.write(`\n${scope}\n`, timestampAt + timestampBytes, 'latin1')
    key.fill(0)
  }

  /** Whether `signature` (hexadecimal, lower case) is that of the request. Takes the same time wherever it differs. */
  verifies(signature: string, timestamp: string, canonicalRequestHash: string): boolean {
    // A wiped key is a key of zeros, which everybody knows.
    if (this.#wiped) throw internalError('signing key used after it was dropped')
    if (signature.length !== digestHexBytes) return false
    this.#inner.write(timestamp, timestampAt, timestampBytes, 'latin1')
    this.#inner.write(canonicalRequestHash, this.#digestAt, digestHexBytes, 'latin1')
    this.#outer.write(hash('sha256', this.#inner, 'latin1'), blockBytes, keyBytes, 'latin1')
    const expected = hash('sha256', this.#outer, 'hex')
    expectedBytes.write(expected, 0, digestHexBytes, 'latin1')
    givenBytes.write(signature, 0, digestHexBytes, 'latin1')
    // Writing drops the high byte of a character; the second comparison is for those, once the bytes are known equal.
    return timingSafeEqual(expectedBytes, givenBytes) && expected === signature
  }

  /** A key of its own, for what follows the head of a request; to be wiped by whoever asked for it. */
  forChunks(): ChunkKey {
    if (this.#wiped) throw internalError('signing key used after it was dropped')
    return new ChunkKey(
      Buffer.from(this.#inner.subarray(0, blockBytes)),
      Buffer.from(this.#outer.subarray(0, blockBytes)),
    )
  }

  wipe(): void {
    this.#wiped = true
    this.#inner.fill(0)
    this.#outer.fill(0)
  }
}

const expectedBytes = Buffer.alloc(digestHexBytes)
const givenBytes = Buffer.alloc(digestHexBytes)

/** HMAC-SHA-256 with one signing key, over texts of any length: chunks and trailers of a body. */
export class ChunkKey {
  readonly #inner: Buffer
  readonly #outer: Buffer
  #wiped = false

  /** The two blocks of the key (RFC 2104), taken over. */
  constructor(inner: Buffer, outer: Buffer) {
    this.#inner = inner
    this.#outer = outer
  }

  /** Whether `signature` (hexadecimal, lower case) is that of the text, in ASCII. */
  verifies(text: string, signature: string): boolean {
    if (this.#wiped) throw internalError('chunk key used after it was wiped')
    const inner = hash(
      'sha256',
      Buffer.concat([this.#inner, Buffer.from(text, 'latin1')]),
      'buffer',
    )
    const expected = hash('sha256', Buffer.concat([this.#outer, inner]), 'hex')
    if (signature.length !== expected.length) return false
    return timingSafeEqual(Buffer.from(expected, 'latin1'), Buffer.from(signature, 'latin1'))
  }

  wipe(): void {
    this.#wiped = true
    this.#inner.fill(0)
    this.#outer.fill(0)
  }
}
