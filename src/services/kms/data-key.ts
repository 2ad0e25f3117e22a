import type { CallContext, Check } from '../operation.ts'
import { useCheck } from './conditions.ts'
import type { KmsDeps } from './deps.ts'
import { eitherSizeOrSpec } from './errors.ts'
import type { KeyTarget } from './key-identifier.ts'

/** What the operations that make symmetric data keys have in common. */
export type DataKeyRequest = {
  readonly KeyId: string
  readonly EncryptionContext?: Readonly<Record<string, string>> | undefined
  readonly KeySpec?: 'AES_256' | 'AES_128' | undefined
  readonly NumberOfBytes?: number | undefined
  readonly DryRun?: boolean | undefined
}

/** The length of the data key. Throws 'validation' unless exactly one of KeySpec and NumberOfBytes is given. */
export function dataKeyBytes({ KeySpec, NumberOfBytes }: DataKeyRequest): number {
  if ((KeySpec === undefined) === (NumberOfBytes === undefined)) throw eitherSizeOrSpec()
  if (NumberOfBytes !== undefined) return NumberOfBytes
  return KeySpec === 'AES_128' ? 16 : 32
}

export function dataKeyChecks(
  call: CallContext,
  permission: string,
  target: KeyTarget,
  request: DataKeyRequest,
  deps: Pick<KmsDeps, 'state' | 'grants'>,
): readonly Check[] {
  const use = { algorithm: 'SYMMETRIC_DEFAULT', context: request.EncryptionContext }
  return [useCheck(call, permission, target, use, deps)]
}

export function recordedDataKeyRequest(request: DataKeyRequest) {
  return {
    keyId: request.KeyId,
    keySpec: request.KeySpec,
    numberOfBytes: request.NumberOfBytes,
    encryptionContext: request.EncryptionContext,
    dryRun: request.DryRun,
  }
}
