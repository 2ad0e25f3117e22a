import type { Route } from '../../../../wire/rest-xml/routes.ts'
import type { AnyOperation } from '../../../operation.ts'
import { deleteObject } from './delete-object.ts'
import { deleteObjectTagging } from './delete-object-tagging.ts'
import { deleteObjects } from './delete-objects.ts'
import { getObject } from './get-object.ts'
import { getObjectAcl } from './get-object-acl.ts'
import { getObjectAttributes } from './get-object-attributes.ts'
import { getObjectTagging } from './get-object-tagging.ts'
import { headObject } from './head-object.ts'
import { getObjectLegalHold, getObjectRetention } from './object-lock.ts'
import { putObject } from './put-object.ts'
import { putObjectAcl } from './put-object-acl.ts'
import { putObjectTagging } from './put-object-tagging.ts'

export const objectsOperations: readonly AnyOperation[] = [
  ...[putObject, getObject, headObject, deleteObject, deleteObjects, getObjectAttributes],
  ...[getObjectTagging, putObjectTagging, deleteObjectTagging, getObjectAcl, putObjectAcl],
  ...[getObjectLegalHold, getObjectRetention],
]

export const objectsRoutes: readonly Route[] = [
  { operation: 'PutObject', method: 'PUT', on: 'object' },
  { operation: 'GetObject', method: 'GET', on: 'object', may: ['partNumber'] },
  { operation: 'HeadObject', method: 'HEAD', on: 'object', may: ['partNumber'] },
  { operation: 'DeleteObject', method: 'DELETE', on: 'object' },
  { operation: 'DeleteObjects', method: 'POST', on: 'bucket', query: ['delete'] },
  { operation: 'GetObjectAttributes', method: 'GET', on: 'object', query: ['attributes'] },
  { operation: 'GetObjectTagging', method: 'GET', on: 'object', query: ['tagging'] },
  { operation: 'PutObjectTagging', method: 'PUT', on: 'object', query: ['tagging'] },
  { operation: 'DeleteObjectTagging', method: 'DELETE', on: 'object', query: ['tagging'] },
  { operation: 'GetObjectAcl', method: 'GET', on: 'object', query: ['acl'] },
  { operation: 'PutObjectAcl', method: 'PUT', on: 'object', query: ['acl'] },
  { operation: 'GetObjectLegalHold', method: 'GET', on: 'object', query: ['legal-hold'] },
  { operation: 'GetObjectRetention', method: 'GET', on: 'object', query: ['retention'] },
]
