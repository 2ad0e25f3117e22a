import type { PrincipalNames } from '../../authorize/policy/bind.ts'
import { type AccountId, type KeyId, type Region, rootArn } from '../../base/ids.ts'
import { isAsymmetric, isSymmetric, type KeyUsage } from '../../hsm/key-specs.ts'
import type { EncryptionContext } from '../../hsm/port.ts'
import { shownParty } from './grant-principal.ts'
import { arnOf, type KeyRecord } from './key.ts'

/**
 * What a grant can permit, in AWS's order, which is also the order of every answer. The place of each is its bit in
 * an `OperationSet`; stored grants have the names.
 */
export const grantOperations = [
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
  'Sign',
  'Verify',
  'GetPublicKey',
  'CreateGrant',
  'RetireGrant',
  'DescribeKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateMac',
  'VerifyMac',
  'DeriveSharedSecret',
  'Encapsulate',
  'Decapsulate',
] as const
export type GrantOperation = (typeof grantOperations)[number]

/** A set of grant operations in one number: there are very many grants. */
export type OperationSet = number

const bits = new Map<string, number>(grantOperations.map((name, place) => [name, 1 << place]))

/** Throws for a name that is none: a grant that could not be read whole must not count in part. */
export function operationSet(names: readonly string[]): OperationSet {
  let set = 0
  for (const name of names) {
    const bit = bits.get(name)
    if (bit === undefined) throw new Error(`'${name}' is no grant operation`)
    set |= bit
  }
  return set
}

export function operationNames(set: OperationSet): readonly GrantOperation[] {
  return grantOperations.filter((name) => includesOperation(set, name))
}

export function includesOperation(set: OperationSet, name: GrantOperation): boolean {
  return (set & (bits.get(name) ?? 0)) !== 0
}

/** A grant in memory. There is no operation that changes one. */
export type GrantRecord = {
  /** 64 lower-case hexadecimal digits, random. */
  readonly grantId: string
  /** Of the key. */
  readonly region: Region
  readonly account: AccountId
  readonly keyId: KeyId
  /**
   * When the key was made: a multi-Region key that is replicated into the same Region again has the same id, and must
   * not come by the grants of the replica that was deleted.
   */
  readonly keyCreatedAt: number
  /** ms since the epoch */
  readonly createdAt: number
  /** The account of who made it. */
  readonly issuingAccount: AccountId
  /** The unique id of a user, a role or a session, the root ARN of an account, or the name of a service. */
  readonly grantee: string
  readonly retiring?: string | undefined
  readonly operations: OperationSet
  readonly name?: string | undefined
  /** Pairs of an encryption context, key by key, each followed by its value, in the order of the keys. */
  readonly contextEquals?: readonly string[] | undefined
  readonly contextSubset?: readonly string[] | undefined
  readonly sourceArn?: string | undefined
}

/** Services are told from principals by their names: ARNs and ids of sessions have colons, other ids no dots. */
export function isServiceName(party: string): boolean {
  return party.includes('.') && !party.includes(':')
}

const always = ['CreateGrant', 'RetireGrant', 'DescribeKey'] as const
const ofUsage: Readonly<Record<KeyUsage, readonly GrantOperation[]>> = {
  ENCRYPT_DECRYPT: ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo'],
  SIGN_VERIFY: ['Sign', 'Verify'],
  GENERATE_VERIFY_MAC: ['GenerateMac', 'VerifyMac'],
  KEY_AGREEMENT: ['DeriveSharedSecret'],
  ENCAPSULATE_DECAPSULATE: ['Encapsulate', 'Decapsulate'],
}
const ofSymmetric = [
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
] as const

/**
 * The operations that a grant on the key can permit: those that the key supports.
 * https://docs.aws.amazon.com/kms/latest/developerguide/grants.html#terms-grant-operations
 */
export function supportedOperations({ keySpec, keyUsage }: KeyRecord): OperationSet {
  const names: GrantOperation[] = [...always, ...ofUsage[keyUsage]]
  if (isSymmetric(keySpec)) names.push(...ofSymmetric)
  if (isAsymmetric(keySpec)) names.push('GetPublicKey')
  return operationSet(names)
}

/** Undefined for a context without pairs, which is as good as none. */
export function pairsOf(context: EncryptionContext | undefined): readonly string[] | undefined {
  const keys = Object.keys(context ?? {}).sort()
  return keys.length === 0 ? undefined : keys.flatMap((key) => [key, context?.[key] ?? ''])
}

export function contextOf(pairs: readonly string[] | undefined): EncryptionContext | undefined {
  if (pairs === undefined) return undefined
  const entries = pairs.flatMap((key, at) => (at % 2 === 0 ? [[key, pairs[at + 1] ?? '']] : []))
  return Object.fromEntries(entries)
}

/** AWS's GrantListEntry. */
export function grantListEntry(
  grant: GrantRecord,
  key: KeyRecord,
  names: Pick<PrincipalNames, 'arnOf'>,
) {
  const { grantee, retiring } = grant
  return {
    KeyId: arnOf(key),
    GrantId: grant.grantId,
    // As AWS shows it where there is none.
    Name: grant.name ?? '',
    CreationDate: grant.createdAt,
    ...(isServiceName(grantee)
      ? { GranteeServicePrincipal: grantee }
      : { GranteePrincipal: shownParty(grantee, names) }),
    ...(retiring === undefined
      ? {}
      : isServiceName(retiring)
        ? { RetiringServicePrincipal: retiring }
        : { RetiringPrincipal: shownParty(retiring, names) }),
    IssuingAccount: rootArn(grant.issuingAccount),
    Operations: operationNames(grant.operations),
    Constraints: constraintsOf(grant),
  }
}

function constraintsOf({ contextEquals, contextSubset, sourceArn }: GrantRecord) {
  if ((contextEquals ?? contextSubset ?? sourceArn) === undefined) return undefined
  return {
    EncryptionContextEquals: contextOf(contextEquals),
    EncryptionContextSubset: contextOf(contextSubset),
    SourceArn: sourceArn,
  }
}
