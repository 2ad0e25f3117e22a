import type { Random } from '../base/random.ts'

/** Prefixes of unique ids. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html */
export type IdPrefix = 'AIDA' | 'AGPA' | 'AROA' | 'ANPA' | 'AKIA' | 'ASIA'

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** 4 letters and 17 characters of base32, 85 bits of chance; access key ids have 16, as AWS's do. */
export function newUniqueId(prefix: IdPrefix, random: Random): string {
  const length = prefix === 'AKIA' || prefix === 'ASIA' ? 16 : 17
  let id: string = prefix
  for (const byte of random.bytes(length)) id += base32[byte % 32]
  return id
}

/** 40 characters of base64. */
export function newSecretAccessKey(random: Random): string {
  return random.bytes(30).toString('base64')
}
