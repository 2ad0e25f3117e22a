import type { Random } from '../../base/random.ts'

/** The tag of an object whose bytes' MD5 nobody is promised: under a key of KMS, or a customer's. */
export function newEtag(random: Random): string {
  return random.bytes(16).toString('hex')
}
