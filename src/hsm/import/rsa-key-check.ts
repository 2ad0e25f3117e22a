import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readElement, tags } from '../asymmetric/der.ts'
import { signMessageLater, verifyMessage } from '../asymmetric/native-signature.ts'
import { parsePrivateKeyInfo } from './private-key-info.ts'

/** FIPS 186-5 §5.4 (e): odd, and 2^16 < e < 2^256. */
const exponentMin = 65_537n
const exponentEnd = 1n << 256n

/** Places in RSAPrivateKey (RFC 8017 §A.1.2). */
const privateExponentAt = 3
const firstCrtExponentAt = 6

const algorithm = 'RSASSA_PKCS1_V1_5_SHA_256'
const probe = Buffer.from('kagiban/rsa-key-check')

/** Whether the key is one of RSA with a modulus of exactly `bits` and a public exponent in bounds. */
export function isRsa(key: KeyObject, bits: number): boolean {
  if (key.asymmetricKeyType !== 'rsa') return false
  const { modulusLength, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (modulusLength !== bits || publicExponent % 2n !== 1n) return false
  return publicExponent >= exponentMin && publicExponent < exponentEnd
}

/**
 * Whether the key, PKCS #8 in DER, has two primes, and its numbers belong together. That the factors are prime is not
 * looked into: who made the key knows it anyway, and gains nothing. It takes some 50 ms on libuv's pool: ask the
 * `GenerationQueue` first.
 */
export async function isConsistentRsa(pkcs8: Buffer): Promise<boolean> {
  try {
    const tried = [signsWithout(pkcs8, privateExponentAt), signsWithout(pkcs8, firstCrtExponentAt)]
    return (await Promise.all(tried)).every((each) => each)
  } catch {
    // What OpenSSL says of a key that it cannot use is nobody's concern.
    return false
  }
}

/** Views of the numbers of RSAPrivateKey; undefined for a key of more primes, which has a sequence of them, too. */
function integersOf(pkcs8: Buffer): Buffer[] | undefined {
  const integers: Buffer[] = []
  let rest = parsePrivateKeyInfo(pkcs8)?.privateKey
  while (rest !== undefined && rest.length > 0) {
    const integer = readElement(tags.integer, rest)
    if (integer !== undefined) integers.push(integer.contents)
    rest = integer?.rest
  }
  return rest && integers
}

/**
 * Whether the key signs although one of its numbers is spoilt. OpenSSL takes the private exponent where the Chinese
 * remainders give a wrong result, and only there: without the one it shows that the others are right.
 */
async function signsWithout(pkcs8: Buffer, place: number): Promise<boolean> {
  const publicKey = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }))
  const signature = await signMessageLater(spoilt(pkcs8, place), algorithm, probe)
  return verifyMessage(publicKey, algorithm, probe, signature)
}

/** The key with another number in that place. */
function spoilt(pkcs8: Buffer, place: number): KeyObject {
  const key = Buffer.from(pkcs8)
  try {
    const integer = integersOf(key)?.[place]
    if (integer === undefined) throw new RangeError('not a key of two primes')
    const last = integer.length - 1
    integer[last] = (integer[last] ?? 0) ^ 2
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  } finally {
    key.fill(0)
  }
}
