import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { signMessageLater, verifyMessage } from '../asymmetric/native-signature.ts'
import { parsePrivateKeyInfo } from './private-key-info.ts'
import { numbersOf } from './rsa-key.ts'

/** Places in RSAPrivateKey (RFC 8017 §A.1.2). */
const privateExponentAt = 3
const firstCrtExponentAt = 6

const algorithm = 'RSASSA_PKCS1_V1_5_SHA_256'
const probe = Buffer.from('kagiban/rsa-key-check')

/**
 * Whether the key, PKCS #8 in DER, has two primes, and its numbers belong together. That the factors are prime is not
 * looked into: who made the key knows it anyway, and gains nothing. It takes some 50 ms on libuv's pool: to be
 * run by `Turns`.
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
    const info = parsePrivateKeyInfo(key)
    const number = info && numbersOf(info.privateKey)[place]
    if (number === undefined) throw new RangeError('not a key of two primes')
    const last = number.length - 1
    number[last] = (number[last] ?? 0) ^ 2
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  } finally {
    key.fill(0)
  }
}
