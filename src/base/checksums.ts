import { createHash, type Hash } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** The checksums that S3 knows, by the names of its headers behind `x-amz-checksum-`, and their bytes. */
export const checksumBytes = { crc32: 4, crc32c: 4, crc64nvme: 8, sha1: 20, sha256: 32 } as const
export type ChecksumAlgorithm = keyof typeof checksumBytes

export function isChecksumAlgorithm(name: string): name is ChecksumAlgorithm {
  return Object.hasOwn(checksumBytes, name)
}

/** A checksum of bytes that come in pieces. */
export type Checksum = {
  update(bytes: Buffer): void
  /** Big-endian, as S3 writes it in Base64. To be called once, last. */
  digest(): Buffer
}

export function checksum(algorithm: ChecksumAlgorithm): Checksum {
  switch (algorithm) {
    case 'crc32':
      return new Crc32(crc32)
    case 'crc32c':
      return new Crc32(crc32c)
    case 'crc64nvme':
      return new Crc64Nvme()
    case 'sha1':
    case 'sha256':
      return new Digest(createHash(algorithm))
  }
}

class Digest implements Checksum {
  readonly #hash: Hash

  constructor(hash: Hash) {
    this.#hash = hash
  }

  update(bytes: Buffer): void {
    this.#hash.update(bytes)
  }

  digest(): Buffer {
    return this.#hash.digest()
  }
}

class Crc32 implements Checksum {
  readonly #next: (bytes: Buffer, value: number) => number
  #value = 0

  constructor(next: (bytes: Buffer, value: number) => number) {
    this.#next = next
  }

  update(bytes: Buffer): void {
    this.#value = this.#next(bytes, this.#value)
  }

  digest(): Buffer {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(this.#value)
    return bytes
  }
}

/** Bytes that are looked up at once, each in a table of its own (slicing by eight). */
const slices = 8

/** CRC-32C (Castagnoli, RFC 3720 §12.1), reflected. `value` is that of the bytes before. */
export function crc32c(bytes: Buffer, value = 0): number {
  castagnoli ??= tablesOf32(0x82f63b78)
  const table = castagnoli
  let crc = ~value
  let at = 0
  for (const end = bytes.length - (bytes.length % slices); at < end; at += slices) {
    const low =
      crc ^
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24))
    crc =
      (table[1792 + (low & 255)] as number) ^
      (table[1536 + ((low >>> 8) & 255)] as number) ^
      (table[1280 + ((low >>> 16) & 255)] as number) ^
      (table[1024 + (low >>> 24)] as number) ^
      (table[768 + (bytes[at + 4] as number)] as number) ^
      (table[512 + (bytes[at + 5] as number)] as number) ^
      (table[256 + (bytes[at + 6] as number)] as number) ^
      (table[bytes[at + 7] as number] as number)
  }
  for (; at < bytes.length; at++) {
    crc = (table[(crc ^ (bytes[at] as number)) & 255] as number) ^ (crc >>> 8)
  }
  return ~crc >>> 0
}

let castagnoli: Int32Array | undefined

/** Eight tables of 256, one behind the other: table k is for the byte with k bytes behind it. */
function tablesOf32(polynomial: number): Int32Array {
  const tables = new Int32Array(256 * slices)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ polynomial
    tables[byte] = crc
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256] as number
    tables[at] = (before >>> 8) ^ (tables[before & 255] as number)
  }
  return tables
}

/**
 * CRC-64/NVME (NVM Express NVM Command Set Specification 1.0d §5.2.1.3.4), reflected, in two halves of 32 bits since
 * numbers hold 53.
 */
class Crc64Nvme implements Checksum {
  #low = -1
  #high = -1

  update(bytes: Buffer): void {
    nvme ??= tablesOf64(0x9a6c9329, 0xac4bc9b5)
    const { lows, highs } = nvme
    let low = this.#low
    let high = this.#high
    let at = 0
    for (const end = bytes.length - (bytes.length % slices); at < end; at += slices) {
      low ^=
        (bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24)
      high ^=
        (bytes[at + 4] as number) |
        ((bytes[at + 5] as number) << 8) |
        ((bytes[at + 6] as number) << 16) |
        ((bytes[at + 7] as number) << 24)
      const l = low
      const h = high
      low =
        (lows[1792 + (l & 255)] as number) ^
        (lows[1536 + ((l >>> 8) & 255)] as number) ^
        (lows[1280 + ((l >>> 16) & 255)] as number) ^
        (lows[1024 + (l >>> 24)] as number) ^
        (lows[768 + (h & 255)] as number) ^
        (lows[512 + ((h >>> 8) & 255)] as number) ^
        (lows[256 + ((h >>> 16) & 255)] as number) ^
        (lows[h >>> 24] as number)
      high =
        (highs[1792 + (l & 255)] as number) ^
        (highs[1536 + ((l >>> 8) & 255)] as number) ^
        (highs[1280 + ((l >>> 16) & 255)] as number) ^
        (highs[1024 + (l >>> 24)] as number) ^
        (highs[768 + (h & 255)] as number) ^
        (highs[512 + ((h >>> 8) & 255)] as number) ^
        (highs[256 + ((h >>> 16) & 255)] as number) ^
        (highs[h >>> 24] as number)
    }
    for (; at < bytes.length; at++) {
      const index = (low ^ (bytes[at] as number)) & 255
      low = ((low >>> 8) | (high << 24)) ^ (lows[index] as number)
      high = (high >>> 8) ^ (highs[index] as number)
    }
    this.#low = low
    this.#high = high
  }

  digest(): Buffer {
    const bytes = Buffer.alloc(8)
    bytes.writeInt32BE(~this.#high, 0)
    bytes.writeInt32BE(~this.#low, 4)
    return bytes
  }
}

type Halves = { readonly lows: Int32Array; readonly highs: Int32Array }

let nvme: Halves | undefined

function tablesOf64(highPolynomial: number, lowPolynomial: number): Halves {
  const lows = new Int32Array(256 * slices)
  const highs = new Int32Array(256 * slices)
  for (let byte = 0; byte < 256; byte++) {
    let low = byte
    let high = 0
    for (let bit = 0; bit < 8; bit++) {
      const odd = low & 1
      low = (low >>> 1) | (high << 31)
      high >>>= 1
      if (odd === 1) {
        low ^= lowPolynomial
        high ^= highPolynomial
      }
    }
    lows[byte] = low
    highs[byte] = high
  }
  for (let at = 256; at < lows.length; at++) {
    const low = lows[at - 256] as number
    const high = highs[at - 256] as number
    lows[at] = ((low >>> 8) | (high << 24)) ^ (lows[low & 255] as number)
    highs[at] = (high >>> 8) ^ (highs[low & 255] as number)
  }
  return { lows, highs }
}
