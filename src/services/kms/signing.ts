import type { CallContext, Check, JsonObject } from '../operation.ts'
import { grantableCheck } from './conditions.ts'
import type { Grants } from './grants.ts'
import type { KeyTarget } from './key-identifier.ts'

/** What Sign and Verify have in common. */
type SigningRequest = {
  readonly KeyId: string
  readonly MessageType?: string | undefined
  readonly SigningAlgorithm: string
  readonly DryRun?: boolean | undefined
}

export function signingCheck(
  call: CallContext,
  permission: string,
  target: KeyTarget,
  { MessageType = 'RAW', SigningAlgorithm }: SigningRequest,
  grants: Grants,
): Check {
  return grantableCheck(call, permission, target, grants, {
    'kms:MessageType': MessageType,
    'kms:SigningAlgorithm': SigningAlgorithm,
  })
}

export function recordedSigning(request: SigningRequest): JsonObject {
  return {
    keyId: request.KeyId,
    messageType: request.MessageType ?? 'RAW',
    signingAlgorithm: request.SigningAlgorithm,
    dryRun: request.DryRun,
  }
}
