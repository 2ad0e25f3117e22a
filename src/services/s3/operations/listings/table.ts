import type { Route } from '../../../../wire/rest-xml/routes.ts'
import type { AnyOperation } from '../../../operation.ts'
import { listObjectVersions } from './list-object-versions.ts'
import { listObjects } from './list-objects.ts'
import { listObjectsV2 } from './list-objects-v2.ts'

export const listingsOperations: readonly AnyOperation[] = [
  listObjects,
  listObjectsV2,
  listObjectVersions,
]

export const listingsRoutes: readonly Route[] = [
  { operation: 'ListObjects', method: 'GET', on: 'bucket' },
  { operation: 'ListObjectsV2', method: 'GET', on: 'bucket', query: ['list-type=2'] },
  { operation: 'ListObjectVersions', method: 'GET', on: 'bucket', query: ['versions'] },
]
