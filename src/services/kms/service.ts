import type { KeySpec } from '../../hsm/key-specs.ts'
import type { Service } from '../operation.ts'
import type { KmsDeps } from './deps.ts'
import { kmsOperations } from './operations/table.ts'
import { requestPool } from './quotas.ts'

/** AWS Key Management Service, API version 2014-11-01. */
export function kmsService(deps: KmsDeps): Service {
  return {
    signingName: 'kms',
    eventSource: 'kms.amazonaws.com',
    protocol: { name: 'json', targetPrefixes: ['TrentService'] },
    operations: kmsOperations,
    deps,
    requestPool: (operation, target) => requestPool(operation, keySpecOf(target)),
  }
}

/** Of the key that a call is about, or that it reads from. */
function keySpecOf(target: unknown): KeySpec | undefined {
  const { key, keySpec, source } = (target ?? {}) as {
    readonly key?: { readonly keySpec?: KeySpec }
    readonly keySpec?: KeySpec
    readonly source?: { readonly key?: { readonly keySpec?: KeySpec } }
  }
  return key?.keySpec ?? keySpec ?? source?.key?.keySpec
}
