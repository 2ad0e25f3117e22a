import { ServiceError } from '../../base/errors.ts'
import { arnOf, type KeyRecord, type KeyState } from './key.ts'

/** How a key's state stands in the way of an operation. AWS's words, after the key's ARN. */
type Obstacle =
  | 'is disabled.'
  | 'is pending deletion.'
  | 'is not pending deletion.'
  | 'is pending import.'
  | 'is unavailable.'
  | 'is creating.'
  | 'is updating.'

type Row = Readonly<Record<KeyState, Obstacle | undefined>>

const free = undefined

const always: Row = {
  Enabled: free,
  Disabled: free,
  PendingDeletion: free,
  PendingReplicaDeletion: free,
  PendingImport: free,
  Unavailable: free,
  Creating: free,
  Updating: free,
}

const unlessPendingDeletion: Row = {
  ...always,
  PendingDeletion: 'is pending deletion.',
  PendingReplicaDeletion: 'is pending deletion.',
}

const cryptographic: Row = {
  ...unlessPendingDeletion,
  Disabled: 'is disabled.',
  PendingImport: 'is pending import.',
  Unavailable: 'is unavailable.',
  Creating: 'is creating.',
}

const switching: Row = {
  ...unlessPendingDeletion,
  PendingImport: 'is pending import.',
  Creating: 'is creating.',
  Updating: 'is updating.',
}

const cancelling: Row = {
  Enabled: 'is not pending deletion.',
  Disabled: 'is not pending deletion.',
  PendingDeletion: free,
  PendingReplicaDeletion: free,
  PendingImport: 'is not pending deletion.',
  Unavailable: 'is not pending deletion.',
  Creating: 'is not pending deletion.',
  Updating: 'is not pending deletion.',
}

/**
 * Which operation is possible in which state.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 */
export const stateTable = {
  CancelKeyDeletion: cancelling,
  CreateAlias: unlessPendingDeletion,
  Decrypt: cryptographic,
  DeleteAlias: always,
  DescribeKey: always,
  DisableKey: switching,
  EnableKey: switching,
  Encrypt: cryptographic,
  GenerateDataKey: cryptographic,
  GenerateDataKeyWithoutPlaintext: cryptographic,
  GetKeyPolicy: always,
  ListAliases: always,
  ListKeyPolicies: always,
  ListResourceTags: always,
  PutKeyPolicy: always,
  ReEncrypt: cryptographic,
  ScheduleKeyDeletion: { ...unlessPendingDeletion, Updating: 'is updating.' },
  TagResource: unlessPendingDeletion,
  UntagResource: unlessPendingDeletion,
  /** Of the key that the alias moves to; the one it leaves may be in any state. */
  UpdateAlias: unlessPendingDeletion,
  UpdateKeyDescription: unlessPendingDeletion,
} as const satisfies Readonly<Record<string, Row>>

/** Throws 'disabled' or 'invalid-state' when the key's state does not allow the operation. */
export function requireState(key: KeyRecord, operation: keyof typeof stateTable): void {
  const obstacle = stateTable[operation][key.state]
  if (obstacle === undefined) return
  const code = obstacle === 'is disabled.' ? 'disabled' : 'invalid-state'
  throw new ServiceError(code, `${arnOf(key)} ${obstacle}`)
}
