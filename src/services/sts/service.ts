import type { AnyOperation, Service } from '../operation.ts'
import type { StsDeps } from './deps.ts'
import { assumeRole } from './operations/assume-role.ts'
import { assumeRoleWithWebIdentity } from './operations/assume-role-with-web-identity.ts'
import { decodeAuthorizationMessage } from './operations/decode-authorization-message.ts'
import { getAccessKeyInfo } from './operations/get-access-key-info.ts'
import { getCallerIdentity } from './operations/get-caller-identity.ts'
import { getSessionToken } from './operations/get-session-token.ts'
import { stsPool } from './quotas.ts'

const operations: readonly AnyOperation[] = [
  assumeRole,
  assumeRoleWithWebIdentity,
  decodeAuthorizationMessage,
  getAccessKeyInfo,
  getCallerIdentity,
  getSessionToken,
]

/** Every operation of STS by its wire name. */
export const stsOperations: ReadonlyMap<string, AnyOperation> = new Map(
  operations.map((operation) => [operation.name, operation]),
)

/** AWS Security Token Service, API version 2011-06-15. */
export function stsService(deps: StsDeps): Service {
  return {
    signingName: 'sts',
    eventSource: 'sts.amazonaws.com',
    protocol: {
      name: 'query',
      version: '2011-06-15',
      namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    },
    operations: stsOperations,
    deps,
    requestPool: () => stsPool,
  }
}
