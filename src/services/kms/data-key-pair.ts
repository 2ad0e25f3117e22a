import type { DataKeyPairSpec } from '../../hsm/key-specs.ts'
import type { CallContext, Check, JsonObject } from '../operation.ts'
import { useCheck } from './conditions.ts'
import type { KmsDeps } from './deps.ts'
import { unsupported } from './errors.ts'
import type { KeyTarget } from './key-identifier.ts'

/** What the operations that make data key pairs have in common. */
type DataKeyPairRequest = {
  readonly KeyId: string
  readonly EncryptionContext?: Readonly<Record<string, string>> | undefined
  readonly KeyPairSpec: DataKeyPairSpec | 'SM2'
  readonly DryRun?: boolean | undefined
}

/** The pair that is asked for. Throws 'unsupported': SM2 exists in AWS's Chinese Regions only. */
export function dataKeyPairSpec({ KeyPairSpec }: DataKeyPairRequest): DataKeyPairSpec {
  if (KeyPairSpec === 'SM2') throw unsupported('KeyPairSpec SM2 is')
  return KeyPairSpec
}

export function dataKeyPairCheck(
  call: CallContext,
  permission: string,
  target: KeyTarget,
  request: DataKeyPairRequest,
  deps: Pick<KmsDeps, 'state' | 'grants'>,
): Check {
  const use = {
    algorithm: 'SYMMETRIC_DEFAULT',
    context: request.EncryptionContext,
    dataKeyPairSpec: request.KeyPairSpec,
  }
  return useCheck(call, permission, target, use, deps)
}

export function recordedDataKeyPair(request: DataKeyPairRequest): JsonObject {
  return {
    keyId: request.KeyId,
    keyPairSpec: request.KeyPairSpec,
    encryptionContext: request.EncryptionContext,
    dryRun: request.DryRun,
  }
}
