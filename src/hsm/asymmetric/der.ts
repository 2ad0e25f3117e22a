/** Distinguished Encoding Rules (ITU-T X.690), as far as keys and signatures need them. */
export const tags = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  sequence: 0x30,
} as const

const shortLengthMax = 0x7f

/** Tag, length, contents. Contents up to 65,535 bytes. It leaves no copy of a secret but the one that it gives. */
export function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const length = contents.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([Buffer.of(tag, ...lengthOf(length)), ...contents])
}

function lengthOf(length: number): number[] {
  if (length <= shortLengthMax) return [length]
  return length <= 0xff ? [0x81, length] : [0x82, length >> 8, length & 0xff]
}

/** The INTEGER whose unsigned big-endian bytes these are, leading zeros or not. */
export function unsignedInteger(bytes: Buffer): Buffer {
  let first = 0
  while (first < bytes.length - 1 && bytes[first] === 0) first++
  const shortest = bytes.subarray(first)
  const negative = ((shortest[0] ?? 0) & 0x80) !== 0
  return negative ? der(tags.integer, Buffer.of(0), shortest) : der(tags.integer, shortest)
}

/** What an element holds, and what comes after it. */
export type Element = { readonly contents: Buffer; readonly rest: Buffer }

/** Undefined when `bytes` does not begin with a whole element of that tag. Accepts lengths that DER would shorten. */
export function readElement(tag: number, bytes: Buffer): Element | undefined {
  const first = bytes[1]
  if (bytes[0] !== tag || first === undefined) return undefined
  const more = first <= shortLengthMax ? 0 : first & 0x7f
  if (first > shortLengthMax && (more === 0 || more > 2 || bytes.length < 2 + more)) {
    return undefined
  }
  const length = more === 0 ? first : bytes.readUIntBE(2, more)
  const start = 2 + more
  if (bytes.length < start + length) return undefined
  return {
    contents: bytes.subarray(start, start + length),
    rest: bytes.subarray(start + length),
  }
}
