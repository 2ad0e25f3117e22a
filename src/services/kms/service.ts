import type { Service } from '../operation.ts'
import type { KmsDeps } from './deps.ts'
import { kmsOperations } from './operations/table.ts'

/** AWS Key Management Service, API version 2014-11-01. */
export function kmsService(deps: KmsDeps): Service {
  return {
    signingName: 'kms',
    eventSource: 'kms.amazonaws.com',
    protocol: { name: 'json', targetPrefixes: ['TrentService'] },
    operations: kmsOperations,
    deps,
  }
}
