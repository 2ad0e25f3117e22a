import type { ErrorCode } from '../../base/errors.ts'
import {
  algorithmsOf,
  type EncryptionAlgorithm,
  isSymmetric,
  type KeyUsage,
  type MessageType,
  type SigningAlgorithm,
  signingRow,
  specRow,
} from '../../hsm/key-specs.ts'
import type { EncryptionContext } from '../../hsm/port.ts'
import type { CallContext } from '../operation.ts'
import {
  contextOfAsymmetric,
  digestLength,
  incompatibleAlgorithm,
  incompatibleMessageType,
  invalidGrantToken,
  tooLongToEncrypt,
  unsupported,
  wrongUsage,
} from './errors.ts'
import { grantOfToken } from './grant-token.ts'
import type { Grants } from './grants.ts'
import { arnOf, type KeyRecord } from './key.ts'
import { requireState, type stateTable } from './key-state.ts'

/** What every operation that uses a key's material may answer. */
export const errorsOfUse = [
  ...['disabled', 'dry-run', 'invalid-grant-token', 'invalid-key-usage', 'invalid-state'],
  ...['key-unavailable', 'not-found'],
] as const satisfies readonly ErrorCode[]

/**
 * Whether each token names a grant of the Region. One that does is accepted, and changes nothing: grants are known here
 * as soon as they are made. Asked before a key is looked for: behind it, the answer would tell whether another account
 * has such a key. Throws 'invalid-grant-token'.
 */
export function requireGrantTokens(
  { region }: CallContext,
  tokens: readonly string[] | undefined,
  grants: Grants,
): void {
  for (const token of tokens ?? none) {
    if (grantOfToken(token, region, grants) === undefined) throw invalidGrantToken()
  }
}

const none: readonly string[] = []

/**
 * Answers sealed to an attested enclave. Leaving the plaintext in would betray who asked for that.
 * Throws 'unsupported'.
 */
export function refuseRecipient(recipient: object | undefined): void {
  if (recipient !== undefined) throw unsupported('Recipient is')
}

/** What the wire knows and no key here has: `hsm/key-specs.ts` is the list of the others. */
type Chinese = 'SM2PKE' | 'SM2DSA'

/**
 * Whether a key can be used so: its state, then its usage, then the algorithm. Answers the algorithm, as one that the
 * key has. Throws 'disabled', 'invalid-state' or 'invalid-key-usage'.
 */
export function requireUse<A extends string>(
  key: KeyRecord,
  operation: keyof typeof stateTable,
  usage: KeyUsage,
  algorithm: A,
): Exclude<A, Chinese> {
  requireState(key, operation)
  if (key.keyUsage !== usage) throw wrongUsage(arnOf(key), key.keyUsage, operation)
  if (!algorithmsOf(key.keySpec, usage).includes(algorithm)) {
    throw incompatibleAlgorithm(algorithm, key.keySpec)
  }
  return algorithm as Exclude<A, Chinese>
}

/** Only what symmetric keys encrypt is bound to a context. Throws 'validation'. */
export function refuseContextOfAsymmetric(
  key: KeyRecord,
  context: EncryptionContext | undefined,
): void {
  if (isSymmetric(key.keySpec) || context === undefined) return
  if (Object.keys(context).length > 0) throw contextOfAsymmetric(key.keySpec)
}

/** Length of the hash, which OAEP adds twice, and two bytes more (RFC 8017 §7.1.1). */
const oaepHashBytes = { RSAES_OAEP_SHA_1: 20, RSAES_OAEP_SHA_256: 32 } as const

/** How much can be encrypted at once; undefined where the bound of the request's shape is all there is. */
export function plaintextBytesMax(
  key: KeyRecord,
  algorithm: EncryptionAlgorithm,
): number | undefined {
  const { material } = specRow(key.keySpec)
  if (material.type !== 'rsa' || algorithm === 'SYMMETRIC_DEFAULT') return undefined
  return material.bits / 8 - 2 * oaepHashBytes[algorithm] - 2
}

/** Throws 'validation'. */
export function requireRoomFor(
  plaintext: Buffer,
  key: KeyRecord,
  algorithm: EncryptionAlgorithm,
): void {
  const max = plaintextBytesMax(key, algorithm)
  if (max !== undefined && plaintext.length > max) {
    throw tooLongToEncrypt(algorithm, key.keySpec, max)
  }
}

/** Whether the message is of a type and, if it is hashed already, of a length that the algorithm takes. 'validation' */
export function requireMessage(
  message: Buffer,
  type: MessageType,
  algorithm: SigningAlgorithm,
): void {
  const { messageTypes, digestBytes } = signingRow(algorithm)
  if (!messageTypes.includes(type)) throw incompatibleMessageType(type, algorithm)
  if (type !== 'RAW' && message.length !== digestBytes) throw digestLength(algorithm)
}
