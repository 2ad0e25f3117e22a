import type { CallContext, Check, JsonObject } from '../operation.ts'
import { grantableCheck } from './conditions.ts'
import type { KmsDeps } from './deps.ts'
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
  deps: Pick<KmsDeps, 'state' | 'grants'>,
): Check {
  return grantableCheck(call, permission, target, deps, {
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
