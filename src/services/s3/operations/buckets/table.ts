import type { Route } from '../../../../wire/rest-xml/routes.ts'
import type { AnyOperation } from '../../../operation.ts'
import { createBucket } from './create-bucket.ts'
import { deleteBucket } from './delete-bucket.ts'
import { getBucketLocation } from './get-bucket-location.ts'
import { headBucket } from './head-bucket.ts'
import { listBuckets } from './list-buckets.ts'

export const bucketsOperations: readonly AnyOperation[] = [
  ...[createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets],
]

export const bucketsRoutes: readonly Route[] = [
  { operation: 'ListBuckets', method: 'GET', on: 'service' },
  { operation: 'CreateBucket', method: 'PUT', on: 'bucket' },
  { operation: 'DeleteBucket', method: 'DELETE', on: 'bucket' },
  { operation: 'HeadBucket', method: 'HEAD', on: 'bucket' },
  { operation: 'GetBucketLocation', method: 'GET', on: 'bucket', query: ['location'] },
]
