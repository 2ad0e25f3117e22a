import type { AnyOperation, Service } from '../operation.ts'
import { getCallerIdentity } from './operations/get-caller-identity.ts'

export const stsOperations: ReadonlyMap<string, AnyOperation> = new Map<string, AnyOperation>([
  [getCallerIdentity.name, getCallerIdentity],
])

/** AWS Security Token Service, API version 2011-06-15. */
export function stsService(): Service {
  return {
    signingName: 'sts',
    eventSource: 'sts.amazonaws.com',
    protocol: {
      name: 'query',
      version: '2011-06-15',
      namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    },
    operations: stsOperations,
    deps: undefined,
  }
}
