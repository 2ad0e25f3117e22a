import type { Route } from '../../../../wire/rest-xml/routes.ts'
import type { AnyOperation } from '../../../operation.ts'
import { abortMultipartUpload } from './abort-multipart-upload.ts'
import { completeMultipartUpload } from './complete-multipart-upload.ts'
import { copyObject } from './copy-object.ts'
import { createMultipartUpload } from './create-multipart-upload.ts'
import { listMultipartUploads } from './list-multipart-uploads.ts'
import { listParts } from './list-parts.ts'
import { uploadPart } from './upload-part.ts'
import { uploadPartCopy } from './upload-part-copy.ts'

export const uploadsOperations: readonly AnyOperation[] = [
  ...[createMultipartUpload, uploadPart, uploadPartCopy, completeMultipartUpload],
  ...[abortMultipartUpload, listParts, listMultipartUploads, copyObject],
]

const copySource = ['x-amz-copy-source']
const ofPart = ['partNumber', 'uploadId']

export const uploadsRoutes: readonly Route[] = [
  { operation: 'CreateMultipartUpload', method: 'POST', on: 'object', query: ['uploads'] },
  { operation: 'UploadPart', method: 'PUT', on: 'object', query: ofPart },
  { operation: 'UploadPartCopy', method: 'PUT', on: 'object', query: ofPart, headers: copySource },
  { operation: 'CompleteMultipartUpload', method: 'POST', on: 'object', query: ['uploadId'] },
  { operation: 'AbortMultipartUpload', method: 'DELETE', on: 'object', query: ['uploadId'] },
  { operation: 'ListParts', method: 'GET', on: 'object', query: ['uploadId'] },
  { operation: 'ListMultipartUploads', method: 'GET', on: 'bucket', query: ['uploads'] },
  { operation: 'CopyObject', method: 'PUT', on: 'object', headers: copySource },
]
