import { ServiceError } from '../../base/errors.ts'
import type { Service } from '../operation.ts'
import type { CloudTrailDeps } from './deps.ts'
import { cloudTrailOperations } from './operations/table.ts'

/** AWS CloudTrail, API version 2013-11-01. SDKs send the long target or the short one. */
export function cloudTrailService(deps: CloudTrailDeps): Service {
  return {
    signingName: 'cloudtrail',
    eventSource: 'cloudtrail.amazonaws.com',
    protocol: {
      name: 'json',
      targetPrefixes: [
        'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101',
        'CloudTrail_20131101',
      ],
    },
    operations: cloudTrailOperations,
    deps,
    contended: () =>
      new ServiceError('conflict', 'Another operation is modifying the resource. Try again later.'),
  }
}
