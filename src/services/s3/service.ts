import { s3Error } from '../../base/errors.ts'
import type { AnyOperation, Service } from '../operation.ts'
import type { S3Deps } from './deps.ts'
import { bucketsOperations, bucketsRoutes } from './operations/buckets/table.ts'
import { listingsOperations, listingsRoutes } from './operations/listings/table.ts'
import { objectsOperations, objectsRoutes } from './operations/objects/table.ts'
import { settingsOperations, settingsRoutes } from './operations/settings/table.ts'
import { uploadsOperations, uploadsRoutes } from './operations/uploads/table.ts'

const operations: readonly AnyOperation[] = [
  ...[...bucketsOperations, ...settingsOperations, ...objectsOperations],
  ...[...uploadsOperations, ...listingsOperations],
]

/** Amazon S3, API version 2006-03-01. */
export function s3Service(deps: S3Deps): Service {
  return {
    signingName: 's3',
    eventSource: 's3.amazonaws.com',
    protocol: {
      name: 'rest-xml',
      namespace: 'http://s3.amazonaws.com/doc/2006-03-01/',
      routes: [
        ...[...bucketsRoutes, ...settingsRoutes, ...objectsRoutes],
        ...[...uploadsRoutes, ...listingsRoutes],
      ],
    },
    operations: new Map(operations.map((each) => [each.name, each])),
    deps,
    contended: () => s3Error('OperationAborted'),
  }
}
