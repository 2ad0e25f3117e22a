import type { Random } from '../../base/random.ts'
import { hmac } from './hmac.ts'
import { equal } from './labels.ts'

const saltBytes = 32
const macBytes = 32
const purpose = Buffer.from('kagiban/customer-key/v1')

/**
 * What is kept of a customer's key (SSE-C), in the place of a wrapped data key: enough to recognise it and no more.
 * Salt and HMAC-SHA-256 under the key.
 */
export function customerKeyMark(key: Buffer, random: Random): Buffer {
  const salt = random.bytes(saltBytes)
  return Buffer.concat([salt, macOf(key, salt)])
}

export function isCustomerKey(mark: Buffer, key: Buffer): boolean {
  if (mark.length !== saltBytes + macBytes) return false
  const salt = mark.subarray(0, saltBytes)
  return equal(mark.subarray(saltBytes), macOf(key, salt))
}

function macOf(key: Buffer, salt: Buffer): Buffer {
  return hmac(key, purpose, salt)
}
