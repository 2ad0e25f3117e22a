import type { Service } from '../operation.ts'
import type { IamDeps } from './deps.ts'
import { concurrentModification } from './errors.ts'
import { iamOperations } from './operations/table.ts'
import { iamPool } from './quotas.ts'

/** AWS Identity and Access Management, API version 2010-05-08. */
export function iamService(deps: IamDeps): Service {
  return {
    signingName: 'iam',
    eventSource: 'iam.amazonaws.com',
    protocol: {
      name: 'query',
      version: '2010-05-08',
      namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
    },
    operations: iamOperations,
    deps,
    requestPool: () => iamPool,
    contended: concurrentModification,
  }
}
