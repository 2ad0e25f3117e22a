import type { AnyOperation, Service } from '../operation.ts'
import type { CloudTrailDeps } from './deps.ts'
import { lookupEvents } from './operations/lookup-events.ts'

export const cloudTrailOperations: ReadonlyMap<string, AnyOperation> = new Map<
  string,
  AnyOperation
>([[lookupEvents.name, lookupEvents]])

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
  }
}
