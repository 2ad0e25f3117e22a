import { createHash } from 'node:crypto'

/**
 * Ed25519ph, which node:crypto does not offer: RFC 8032 §5.1 in its plainest arithmetic. For tests alone: it is slow,
 * and takes a time that depends on the key.
 */
type Point = { readonly x: bigint; readonly y: bigint; readonly z: bigint; readonly t: bigint }

const p = 2n ** 255n - 19n
const order = 2n ** 252n + 27742317777372353535851937790883648493n
const mod = (value: bigint, by = p) => ((value % by) + by) % by

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let square = mod(base), rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = mod(result * square)
    square = mod(square * square)
  }
  return result
}

const inverse = (value: bigint) => power(value, p - 2n)
const d = mod(-121665n * inverse(121666n))
const rootOfMinusOne = power(2n, (p - 1n) / 4n)

function add(a: Point, b: Point): Point {
  const [e, f] = [mod((a.y - a.x) * (b.y - b.x)), mod((a.y + a.x) * (b.y + b.x))]
  const [g, h] = [mod(2n * d * a.t * b.t), mod(2n * a.z * b.z)]
  const [u, v, w, s] = [f - e, h - g, h + g, f + e]
  return { x: mod(u * v), y: mod(w * s), z: mod(v * w), t: mod(u * s) }
}

function times(scalar: bigint, point: Point): Point {
  let result: Point = { x: 0n, y: 1n, z: 1n, t: 0n }
  for (let double = point, rest = scalar; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = add(result, double)
    double = add(double, double)
  }
  return result
}

function number(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

function bytes(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse()
}

function encode({ x, y, z }: Point): Buffer {
  const scale = inverse(z)
  const sign = mod(x * scale) & 1n
  return bytes(mod(y * scale) | (sign << 255n))
}

/** Throws when the bytes are no point. */
function decode(encoded: Uint8Array): Point {
  const whole = number(encoded)
  const y = whole & (2n ** 255n - 1n)
  const square = mod((y * y - 1n) * inverse(d * y * y + 1n))
  const root = power(square, (p + 3n) / 8n)
  const candidate = mod(root * root) === square ? root : mod(root * rootOfMinusOne)
  if (mod(candidate * candidate) !== square) throw new Error('no point of the curve')
  const x = (candidate & 1n) === whole >> 255n ? candidate : p - candidate
  return { x, y, z: 1n, t: mod(x * y) }
}

const base = decode(Buffer.from(`58${'66'.repeat(31)}`, 'hex'))
const sha512 = (...parts: Uint8Array[]) =>
  createHash('sha512').update(Buffer.concat(parts)).digest()
/** dom2(1, ""): prehashed, without a context. */
const domain = Buffer.concat([Buffer.from('SigEd25519 no Ed25519 collisions'), Buffer.of(1, 0)])

/** `seed` and `publicKey` are the 32 bytes of RFC 8032. */
export function signEd25519ph(seed: Uint8Array, message: Uint8Array): Buffer {
  const expanded = sha512(seed)
  const clamped = (number(expanded.subarray(0, 32)) & (2n ** 254n - 8n)) | (2n ** 254n)
  const prehash = sha512(message)
  const nonce = mod(number(sha512(domain, expanded.subarray(32), prehash)), order)
  const commitment = encode(times(nonce, base))
  const publicKey = encode(times(clamped, base))
  const challenge = mod(number(sha512(domain, commitment, publicKey, prehash)), order)
  return Buffer.concat([commitment, bytes(mod(nonce + challenge * clamped, order))])
}

export function verifyEd25519ph(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const commitment = signature.subarray(0, 32)
  const response = number(signature.subarray(32))
  if (signature.length !== 64 || response >= order) return false
  const challenge = number(sha512(domain, commitment, publicKey, sha512(message)))
  const right = add(decode(commitment), times(mod(challenge, order), decode(publicKey)))
  return encode(times(response, base)).equals(encode(right))
}
