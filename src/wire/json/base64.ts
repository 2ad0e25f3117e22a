/**
 * Base64 (RFC 4648 §4) from bytes to bytes, so that a plaintext or a key never becomes a string on its way in or
 * out: strings cannot be overwritten.
 */
const alphabet = Buffer.from(
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
  'latin1',
)
const padding = 0x3d

/** The value of each byte in the alphabet, -1 for all others. */
const values = new Int8Array(256).fill(-1)
for (const [value, byte] of alphabet.entries()) values[byte] = value

/** Whether a byte may stand in base64 at all. */
export function isBase64Byte(byte: number): boolean {
  return byte === padding || (byte < 256 && (values[byte] as number) >= 0)
}

/**
 * Decodes `source[start, end)` into a Buffer of its own. Answers undefined for anything but the one canonical form:
 * standard alphabet, complete padding, no white space, unused bits zero.
 *
 * The Buffer comes from Node's pool when it is small, since separate memory costs more than all of the decoding:
 * `fill(0)` overwrites what there is of it, its `.buffer` must not be handed on.
 */
export function decodeBase64(source: Uint8Array, start: number, end: number): Buffer | undefined {
  const length = end - start
  if (length === 0) return Buffer.allocUnsafe(0)
  if (length % 4 !== 0) return undefined
  const pads = source[end - 1] !== padding ? 0 : source[end - 2] !== padding ? 1 : 2
  const decoded = Buffer.allocUnsafe((length / 4) * 3 - pads)
  const whole = pads === 0 ? end : end - 4
  // Becomes negative as soon as one byte outside the alphabet is met.
  let seen = 0
  let at = 0
  for (let from = start; from < whole; from += 4) {
    const a = values[source[from] as number] as number
    const b = values[source[from + 1] as number] as number
    const c = values[source[from + 2] as number] as number
    const d = values[source[from + 3] as number] as number
    seen |= a | b | c | d
    decoded[at] = (a << 2) | (b >> 4)
    decoded[at + 1] = (b << 4) | (c >> 2)
    decoded[at + 2] = (c << 6) | d
    at += 3
  }
  if (pads > 0) seen |= decodeLast(source, whole, pads, decoded, at)
  if (seen >= 0) return decoded
  decoded.fill(0)
  return undefined
}

/** The last, padded group. Negative when it is not canonical. */
function decodeLast(
  source: Uint8Array,
  from: number,
  pads: number,
  decoded: Buffer,
  at: number,
): number {
  const a = values[source[from] as number] as number
  const b = values[source[from + 1] as number] as number
  const c = pads === 2 ? 0 : (values[source[from + 2] as number] as number)
  decoded[at] = (a << 2) | (b >> 4)
  if (pads === 1) decoded[at + 1] = (b << 4) | (c >> 2)
  const unused = pads === 2 ? b & 0x0f : c & 0x03
  return unused === 0 ? a | b | c : -1
}

/** How many characters `bytes` bytes take in base64. */
export function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4
}

/** Writes the base64 of `source` into `target` from `at` on; answers the position after it. */
export function encodeBase64(source: Uint8Array, target: Uint8Array, at: number): number {
  const whole = source.length - (source.length % 3)
  let to = at
  for (let from = 0; from < whole; from += 3) {
    const a = source[from] as number
    const b = source[from + 1] as number
    const c = source[from + 2] as number
    target[to] = alphabet[a >> 2] as number
    target[to + 1] = alphabet[((a & 0x03) << 4) | (b >> 4)] as number
    target[to + 2] = alphabet[((b & 0x0f) << 2) | (c >> 6)] as number
    target[to + 3] = alphabet[c & 0x3f] as number
    to += 4
  }
  if (whole === source.length) return to
  const a = source[whole] as number
  const two = source.length - whole === 2
  const b = two ? (source[whole + 1] as number) : 0
  target[to] = alphabet[a >> 2] as number
  target[to + 1] = alphabet[((a & 0x03) << 4) | (b >> 4)] as number
  target[to + 2] = two ? (alphabet[(b & 0x0f) << 2] as number) : padding
  target[to + 3] = padding
  return to + 4
}
