/** Arithmetic modulo the order of a curve. */

export function toNumber(bytes: Buffer): bigint {
  return BigInt(`0x0${bytes.toString('hex')}`)
}

/** Big-endian, `size` bytes. */
export function toBytes(value: bigint, size: number): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * size, '0'), 'hex')
}

/** For public numbers: the time it takes depends on them. `value` has no factor in common with `modulus`. */
export function inverse(value: bigint, modulus: bigint): bigint {
  let [before, current] = [modulus, value % modulus]
  let [factorBefore, factor] = [0n, 1n]
  while (current !== 0n) {
    const quotient = before / current
    ;[before, current] = [current, before - quotient * current]
    ;[factorBefore, factor] = [factor, factorBefore - quotient * factor]
  }
  return factorBefore < 0n ? factorBefore + modulus : factorBefore
}

const limbBits = 16
const limbMask = 0xffff

/**
 * secret · factor mod modulus, as long as the secret: Montgomery's multiplication (CIOS; Koç, Acar, Kaliski, "Analyzing
 * and comparing Montgomery multiplication algorithms", 1996). Only `factor` and `modulus`, which are public, decide
 * what is done; the secret does not, and what comes of it is in memory that is wiped. `secret` is less than `modulus`,
 * which is odd; both have the same even length. The product is the caller's to wipe.
 */
export function multiply(secret: Buffer, factor: bigint, modulus: Buffer): Buffer {
  const [n, d] = [limbsOf(modulus), limbsOf(secret)]
  const order = toNumber(modulus)
  const radix = 1n << BigInt(8 * modulus.length)
  // The multiplication divides by the radix, so the factor is given with the radix in it.
  const b = limbsOf(toBytes((factor * radix) % order, modulus.length))
  const negated = Number((1n << 16n) - inverse(order & 0xffffn, 1n << 16n))
  const total = new Int32Array(n.length + 2)
  for (const limb of b) {
    addProduct(total, d, limb)
    reduce(total, n, negated)
  }
  const product = lessThanModulus(total, n)
  d.fill(0)
  total.fill(0)
  return product
}

/** total += factor · limb */
function addProduct(total: Int32Array, factor: Int32Array, limb: number): void {
  const size = factor.length
  let carry = 0
  for (let at = 0; at < size; at++) {
    const sum = Math.imul(factor[at] ?? 0, limb) + (total[at] ?? 0) + carry
    total[at] = sum & limbMask
    carry = sum >>> limbBits
  }
  const sum = (total[size] ?? 0) + carry
  total[size] = sum & limbMask
  total[size + 1] = sum >>> limbBits
}

/** total = (total + m · n) / 2¹⁶ with the m that makes it whole. */
function reduce(total: Int32Array, n: Int32Array, negated: number): void {
  const size = n.length
  const m = Math.imul(total[0] ?? 0, negated) & limbMask
  let carry = (Math.imul(m, n[0] ?? 0) + (total[0] ?? 0)) >>> limbBits
  for (let at = 1; at < size; at++) {
    const sum = Math.imul(m, n[at] ?? 0) + (total[at] ?? 0) + carry
    total[at - 1] = sum & limbMask
    carry = sum >>> limbBits
  }
  const sum = (total[size] ?? 0) + carry
  total[size - 1] = sum & limbMask
  total[size] = (total[size + 1] ?? 0) + (sum >>> limbBits)
}

/** `total` is less than 2 n. The difference is always computed, and taken by a mask and not by a branch. */
function lessThanModulus(total: Int32Array, n: Int32Array): Buffer {
  const size = n.length
  const difference = new Int32Array(size)
  let borrow = 0
  for (let at = 0; at < size; at++) {
    const each = (total[at] ?? 0) - (n[at] ?? 0) - borrow
    difference[at] = each & limbMask
    borrow = (each >>> limbBits) & 1
  }
  const take = -((total[size] ?? 0) | (borrow ^ 1))
  const bytes = Buffer.alloc(2 * size)
  for (let at = 0; at < size; at++) {
    const limb = ((total[at] ?? 0) & ~take) | ((difference[at] ?? 0) & take)
    bytes.writeUInt16BE(limb, bytes.length - 2 * at - 2)
  }
  difference.fill(0)
  return bytes
}

/** 16 bits each, the lowest first. */
function limbsOf(bytes: Buffer): Int32Array {
  const limbs = new Int32Array(bytes.length / 2)
  for (let at = 0; at < limbs.length; at++) {
    limbs[at] = bytes.readUInt16BE(bytes.length - 2 * at - 2)
  }
  return limbs
}
