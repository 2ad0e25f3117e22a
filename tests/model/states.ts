import type { KeyState } from './world.ts'

/**
 * Which states refuse which operations, and with what.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 */
type Refusals = Partial<Record<KeyState, string>>

export const invalidState = 'KMSInvalidStateException'
export const disabled = 'DisabledException'
export const unsupported = 'UnsupportedOperationException'
export const notFound = 'NotFoundException'

const deleting: Refusals = { PendingDeletion: invalidState, PendingReplicaDeletion: invalidState }
const using: Refusals = { ...deleting, Disabled: disabled, PendingImport: invalidState }
const switching: Refusals = { ...deleting, PendingImport: invalidState }
const rotating: Refusals = { ...deleting, Disabled: disabled, PendingImport: unsupported }

const table = {
  CancelKeyDeletion: {
    Enabled: invalidState,
    Disabled: invalidState,
    PendingImport: invalidState,
  },
  CreateAlias: deleting,
  CreateGrant: using,
  Decrypt: using,
  DeleteImportedKeyMaterial: {},
  DescribeKey: {},
  DisableKey: switching,
  DisableKeyRotation: rotating,
  EnableKey: switching,
  EnableKeyRotation: rotating,
  Encrypt: using,
  GenerateDataKey: using,
  GenerateMac: using,
  GetParametersForImport: deleting,
  GetPublicKey: deleting,
  ImportKeyMaterial: deleting,
  ReEncrypt: using,
  ReplicateKey: using,
  RevokeGrant: {},
  RetireGrant: {},
  RotateKeyOnDemand: using,
  ScheduleKeyDeletion: deleting,
  Sign: using,
  TagResource: deleting,
  UntagResource: deleting,
  UpdateAlias: deleting,
  UpdateKeyDescription: deleting,
  UpdatePrimaryRegion: using,
  Verify: using,
  VerifyMac: using,
} as const satisfies Record<string, Refusals>

export type Operation = keyof typeof table

/** The error that an operation meets in that state, if any. */
export function refusalIn(state: KeyState, operation: Operation): string | undefined {
  if (state === 'Gone') return notFound
  const refusals: Refusals = table[operation]
  return refusals[state]
}
