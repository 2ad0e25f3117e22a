import { incompatibleAlgorithm, invalidGrantToken, unsupported } from './errors.ts'
import type { KeyRecord } from './key.ts'

/**
 * There are no grants, so no token can be one of ours; an empty list brings none. Asked before a key is looked for:
 * behind it, the answer would tell whether another account has such a key. Throws 'invalid-grant-token'.
 */
export function refuseGrantTokens(tokens: readonly string[] | undefined): void {
  if (tokens !== undefined && tokens.length > 0) throw invalidGrantToken()
}

/**
 * Answers sealed to an attested enclave. Leaving the plaintext in would betray who asked for that.
 * Throws 'unsupported'.
 */
export function refuseRecipient(recipient: object | undefined): void {
  if (recipient !== undefined) throw unsupported('Recipient is')
}

/** The one algorithm of symmetric keys. Throws 'invalid-key-usage'. */
export function requireAlgorithm(key: KeyRecord, algorithm: string): void {
  if (algorithm !== 'SYMMETRIC_DEFAULT') throw incompatibleAlgorithm(algorithm, key.keySpec)
}
