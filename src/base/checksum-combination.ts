/** The checksums that can be had of a whole from those of its runs, with no byte read. */
export type CombinableAlgorithm = 'crc32' | 'crc32c' | 'crc64nvme'

export function isCombinable(algorithm: string): algorithm is CombinableAlgorithm {
  return Object.hasOwn(fields, algorithm)
}

/** A run of bytes: its checksum, big-endian, and its bytes. */
export type ChecksummedRun = { readonly digest: Buffer; readonly size: number }

/**
 * The checksum of runs that follow on each other, as `checksum` of `checksums.ts` has it of all their bytes.
 *
 * A CRC that begins with ones and ends inverted has crc(A ‖ B) = crc(A) · x^(bits of B) + crc(B), polynomials over
 * GF(2) modulo the CRC's own (as zlib's crc32_combine).
 */
export function combinedChecksum(
  algorithm: CombinableAlgorithm,
  runs: Iterable<ChecksummedRun>,
): Buffer {
  const field = fields[algorithm]
  let crc: Polynomial = { high: 0, low: 0 }
  let shift: { readonly size: number; readonly factor: Polynomial } | undefined
  for (const { digest, size } of runs) {
    // Parts of an upload mostly have the same size.
    if (shift?.size !== size) shift = { size, factor: powerOfBytes(size, field) }
    const moved = multiply(crc, shift.factor, field)
    const own = read(digest, field)
    crc = { high: moved.high ^ own.high, low: moved.low ^ own.low }
  }
  return written(crc, field)
}

/** Reflected: the highest bit is the coefficient of 1, the lowest that of x^(bits - 1). Of 32 bits, `low` is 0. */
type Polynomial = { readonly high: number; readonly low: number }

type Field = {
  readonly bits: 32 | 64
  /** The CRC's polynomial, without its highest power. */
  readonly modulus: Polynomial
  /** x^(2^n), as far as they have been asked for. */
  readonly squares: Polynomial[]
}

const x: Polynomial = { high: 0x40000000, low: 0 }

const fields: Readonly<Record<CombinableAlgorithm, Field>> = {
  crc32: { bits: 32, modulus: { high: 0xedb88320 | 0, low: 0 }, squares: [x] },
  crc32c: { bits: 32, modulus: { high: 0x82f63b78 | 0, low: 0 }, squares: [x] },
  crc64nvme: { bits: 64, modulus: { high: 0x9a6c9329 | 0, low: 0xac4bc9b5 | 0 }, squares: [x] },
}

/** x^(8 · size). */
function powerOfBytes(size: number, field: Field): Polynomial {
  let power: Polynomial = { high: 0x80000000 | 0, low: 0 }
  for (let left = size, square = 3; left > 0; left = Math.floor(left / 2), square++) {
    if (left % 2 === 1) power = multiply(power, squareOf(square, field), field)
  }
  return power
}

function squareOf(index: number, field: Field): Polynomial {
  const { squares } = field
  for (let known = squares.length; known <= index; known++) {
    const last = squares[known - 1] ?? x
    squares.push(multiply(last, last, field))
  }
  return squares[index] ?? x
}

function multiply(one: Polynomial, other: Polynomial, { bits, modulus }: Field): Polynomial {
  const { high: modulusHigh, low: modulusLow } = modulus
  let { high, low } = other
  let productHigh = 0
  let productLow = 0
  for (let power = 0; power < bits; power++) {
    const coefficients = power < 32 ? one.high : one.low
    if (coefficients << (power & 31) < 0) {
      productHigh ^= high
      productLow ^= low
    }
    const overflows = ((bits === 32 ? high : low) & 1) === 1
    if (bits === 64) low = (low >>> 1) | (high << 31)
    high = (high >>> 1) | 0
    if (overflows) {
      high ^= modulusHigh
      low ^= modulusLow
    }
  }
  return { high: productHigh, low: productLow }
}

function read(digest: Buffer, { bits }: Field): Polynomial {
  if (digest.length !== bits / 8) throw new RangeError(`a checksum of ${digest.length} bytes`)
  return { high: digest.readInt32BE(0), low: bits === 64 ? digest.readInt32BE(4) : 0 }
}

function written({ high, low }: Polynomial, { bits }: Field): Buffer {
  const digest = Buffer.alloc(bits / 8)
  digest.writeInt32BE(high, 0)
  if (bits === 64) digest.writeInt32BE(low, 4)
  return digest
}
