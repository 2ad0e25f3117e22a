import type { AnyOperation, Service } from '../operation.ts'
import type { ConfigDeps } from './deps.ts'
import { configOperations } from './operations/table.ts'

/** AWS Config, API version 2014-11-12. */
export function configService(deps: ConfigDeps): Service {
  return {
    signingName: 'config',
    eventSource: 'config.amazonaws.com',
    protocol: { name: 'json', targetPrefixes: ['StarlingDoveService'] },
    operations: configOperations as ReadonlyMap<string, AnyOperation>,
    deps,
  }
}
