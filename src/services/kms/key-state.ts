import { ServiceError } from '../../base/errors.ts'
import { unsupportedKind, wrongOrigin } from './errors.ts'
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
  | 'origin is EXTERNAL which is not valid for this operation.'
  /** Of keys in custom key stores, without words. */
  | ''

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

const rotating: Row = {
  ...cryptographic,
  PendingImport: 'origin is EXTERNAL which is not valid for this operation.',
  Unavailable: '',
}

const importing: Row = { ...unlessPendingDeletion, Unavailable: '', Creating: 'is creating.' }

/**
 * Which operation is possible in which state.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 */
export const stateTable = {
  CancelKeyDeletion: cancelling,
  CreateAlias: unlessPendingDeletion,
  CreateGrant: { ...cryptographic, Unavailable: free },
  Decrypt: cryptographic,
  Decapsulate: cryptographic,
  DeleteAlias: always,
  DeleteImportedKeyMaterial: {
    ...always,
    Unavailable: '',
    Creating: 'is creating.',
    Updating: 'is updating.',
  },
  DeriveSharedSecret: cryptographic,
  DescribeKey: always,
  DisableKey: switching,
  DisableKeyRotation: rotating,
  EnableKey: switching,
  EnableKeyRotation: rotating,
  Encapsulate: cryptographic,
  Encrypt: cryptographic,
  GenerateDataKey: cryptographic,
  GenerateDataKeyPair: cryptographic,
  GenerateDataKeyPairWithoutPlaintext: cryptographic,
  GenerateDataKeyWithoutPlaintext: cryptographic,
  GenerateMac: cryptographic,
  GetKeyPolicy: always,
  GetKeyRotationStatus: { ...always, PendingImport: rotating.PendingImport, Unavailable: '' },
  GetParametersForImport: { ...importing, Updating: 'is updating.' },
  GetPublicKey: { ...unlessPendingDeletion, Creating: 'is creating.' },
  ImportKeyMaterial: importing,
  ListAliases: always,
  ListGrants: always,
  ListKeyPolicies: always,
  ListKeyRotations: { ...always, Unavailable: '' },
  ListResourceTags: always,
  PutKeyPolicy: always,
  ReEncrypt: cryptographic,
  ReplicateKey: { ...cryptographic, Updating: 'is updating.' },
  RetireGrant: always,
  RevokeGrant: always,
  RotateKeyOnDemand: { ...cryptographic, Unavailable: '' },
  ScheduleKeyDeletion: { ...unlessPendingDeletion, Updating: 'is updating.' },
  Sign: cryptographic,
  TagResource: unlessPendingDeletion,
  UntagResource: unlessPendingDeletion,
  /** Of the key that the alias moves to; the one it leaves may be in any state. */
  UpdateAlias: unlessPendingDeletion,
  UpdateKeyDescription: unlessPendingDeletion,
  UpdatePrimaryRegion: cryptographic,
  Verify: cryptographic,
  VerifyMac: cryptographic,
} as const satisfies Readonly<Record<string, Row>>

/** Throws 'disabled', 'invalid-state' or 'unsupported' when the key's state does not allow the operation. */
export function requireState(key: KeyRecord, operation: keyof typeof stateTable): void {
  const obstacle = stateTable[operation][key.state]
  if (obstacle === undefined) return
  if (obstacle === '') throw unsupportedKind()
  if (obstacle === rotating.PendingImport) throw wrongOrigin(arnOf(key), 'EXTERNAL')
  const code = obstacle === 'is disabled.' ? 'disabled' : 'invalid-state'
  throw new ServiceError(code, `${arnOf(key)} ${obstacle}`)
}
