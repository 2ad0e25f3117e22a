import { type Element, tags } from '../asymmetric/der.ts'

/**
 * Basic Encoding Rules (ITU-T X.690), of which keys may come in more than the distinguished ones: lengths of up to four
 * bytes, however many are needed, and of what is constructed also the indefinite form. Strings are in one piece.
 */
const lengthBytesMax = 4
/** Of one element of indefinite length in another. */
const depthMax = 8
const constructed = 0x20
const indefinite = 0x80
/** Five ones: the tag goes on in the next byte. */
const longTag = 0x1f

/** Undefined when `bytes` does not begin with a whole element of that tag. */
export function readBer(tag: number, bytes: Buffer): Element | undefined {
  return bytes[0] === tag ? readAny(bytes, depthMax) : undefined
}

function readAny(bytes: Buffer, depth: number): Element | undefined {
  const [tag, first] = bytes
  if (tag === undefined || first === undefined || (tag & longTag) === longTag) return undefined
  if (first < indefinite) return cut(bytes, 2, first)
  if (first === indefinite) {
    return (tag & constructed) === 0 || depth === 0 ? undefined : readToEnd(bytes, depth)
  }
  const count = first - indefinite
  if (count > lengthBytesMax || bytes.length < 2 + count) return undefined
  return cut(bytes, 2 + count, bytes.readUIntBE(2, count))
}

function cut(bytes: Buffer, start: number, length: number): Element | undefined {
  const end = start + length
  if (bytes.length < end) return undefined
  return { contents: bytes.subarray(start, end), rest: bytes.subarray(end) }
}

/** Up to the two zeros after the last element inside. */
function readToEnd(bytes: Buffer, depth: number): Element | undefined {
  const start = 2
  let rest: Buffer | undefined = bytes.subarray(start)
  while (rest !== undefined && !(rest[0] === 0 && rest[1] === 0)) {
    rest = readAny(rest, depth - 1)?.rest
  }
  if (rest === undefined) return undefined
  const contents = bytes.subarray(start, bytes.length - rest.length)
  return { contents, rest: rest.subarray(2) }
}

/** The unsigned number of an INTEGER, without leading zeros. Undefined for none, and for one without any byte. */
export function readUnsigned(bytes: Buffer): Element | undefined {
  const integer = readBer(tags.integer, bytes)
  if (integer === undefined || integer.contents.length === 0) return undefined
  const first = integer.contents.findIndex((byte) => byte !== 0)
  return { ...integer, contents: integer.contents.subarray(first < 0 ? -1 : first) }
}
