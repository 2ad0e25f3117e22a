import type { Route } from '../../../../wire/rest-xml/routes.ts'
import type { AnyOperation } from '../../../operation.ts'
import { absentOperations, absentRoutes } from './absent.ts'
import { getBucketAcl, putBucketAcl } from './acl.ts'
import { deleteBucketEncryption, getBucketEncryption, putBucketEncryption } from './encryption.ts'
import {
  deleteBucketOwnershipControls,
  getBucketOwnershipControls,
  putBucketOwnershipControls,
} from './ownership-controls.ts'
import {
  deleteBucketPolicy,
  getBucketPolicy,
  getBucketPolicyStatus,
  putBucketPolicy,
} from './policy.ts'
import {
  deletePublicAccessBlock,
  getPublicAccessBlock,
  putPublicAccessBlock,
} from './public-access-block.ts'
import { deleteBucketTagging, getBucketTagging, putBucketTagging } from './tagging.ts'
import { getBucketVersioning, putBucketVersioning } from './versioning.ts'

export const settingsOperations: readonly AnyOperation[] = [
  ...[getBucketEncryption, putBucketEncryption, deleteBucketEncryption],
  ...[getBucketVersioning, putBucketVersioning],
  ...[getBucketTagging, putBucketTagging, deleteBucketTagging],
  ...[getBucketOwnershipControls, putBucketOwnershipControls, deleteBucketOwnershipControls],
  ...[getPublicAccessBlock, putPublicAccessBlock, deletePublicAccessBlock],
  ...[getBucketPolicy, putBucketPolicy, deleteBucketPolicy, getBucketPolicyStatus],
  ...[getBucketAcl, putBucketAcl],
  ...absentOperations,
]

export const settingsRoutes: readonly Route[] = [
  ...routesOf('encryption', 'BucketEncryption', ['GET', 'PUT', 'DELETE']),
  ...routesOf('versioning', 'BucketVersioning', ['GET', 'PUT']),
  ...routesOf('tagging', 'BucketTagging', ['GET', 'PUT', 'DELETE']),
  ...routesOf('ownershipControls', 'BucketOwnershipControls', ['GET', 'PUT', 'DELETE']),
  ...routesOf('publicAccessBlock', 'PublicAccessBlock', ['GET', 'PUT', 'DELETE']),
  ...routesOf('policy', 'BucketPolicy', ['GET', 'PUT', 'DELETE']),
  ...routesOf('policyStatus', 'BucketPolicyStatus', ['GET']),
  ...routesOf('acl', 'BucketAcl', ['GET', 'PUT']),
  ...absentRoutes,
]

type Method = 'GET' | 'PUT' | 'DELETE'

function routesOf(query: string, name: string, methods: readonly Method[]): readonly Route[] {
  const verbs = { GET: 'Get', PUT: 'Put', DELETE: 'Delete' } as const
  return methods.map((method) => ({
    operation: `${verbs[method]}${name}`,
    method,
    on: 'bucket',
    query: [query],
  }))
}
