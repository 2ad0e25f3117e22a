import { header } from '../../../../wire/rest-xml/bindings.ts'
import { integer, structure } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import { decodeAttributes } from '../../attributes.ts'
import { requireReadConditions } from '../../conditional.ts'
import type { S3Deps } from '../../deps.ts'
import { encryptionConditions } from '../../encryption/request.ts'
import { requireDecidedTags, taggedObjectCheck } from '../../existing-tags.ts'
import { requireKeys } from '../../key-proof.ts'
import {
  isChecksumWanted,
  readAnswer,
  readInput,
  readOutput,
  requireReadable,
  selectionOf,
  unchangedHeaders,
} from '../../object-read.ts'
import {
  headerParameters,
  objectParameters,
  objectResources,
  withExpectedOwner,
} from '../../object-request.ts'
import { encryptionApplied, type ObjectTarget } from '../../object-target.ts'
import { found, requireBytes } from '../../object-versions.ts'
import { requireBucket } from '../../resource.ts'
import { requireVersionId, versionedPermission } from '../../version-id.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
export const headObject = operation({
  name: 'HeadObject',
  input: structure(readInput),
  output: structure({ ...readOutput, ContentLength: header('Content-Length', integer()) }),
  effects: 'read',
  category: 'data',
  errors: [
    ...(['AuthorizationHeaderMalformed', 'InvalidArgument', 'InvalidPartNumber'] as const),
    ...(['InvalidRange', 'InvalidRequest', 'MethodNotAllowed', 'NoSuchBucket'] as const),
    ...(['NoSuchKey', 'NoSuchVersion', 'NotModified', 'OperationAborted'] as const),
    'PreconditionFailed',
  ],
  resolve(call, input, deps: S3Deps): ObjectTarget {
    const bucket = requireBucket(call, input.Bucket, deps)
    requireVersionId(input.VersionId)
    requireReadable(input)
    return { bucket, learnt: {} }
  },
  checks(call, input, { bucket }, deps) {
    const permission = versionedPermission('s3:GetObject', input.VersionId)
    const name = { bucket, key: input.Key, versionId: input.VersionId }
    const check = taggedObjectCheck(call, permission, name, encryptionConditions(input), deps)
    return withExpectedOwner([check], input, bucket)
  },
  audit: {
    request: (input) => ({
      ...objectParameters(input),
      ...headerParameters(input),
      Range: input.Range,
      partNumber: input.PartNumber,
    }),
    resources: ({ bucket }, { Key }) => objectResources(bucket, Key),
    additional: (_output, _input, target) => encryptionApplied(target),
  },
  async handle(call, input, target, deps) {
    const { bucket } = target
    const name = { bucket, key: input.Key, versionId: input.VersionId }
    const heading = deps.objects.head(bucket.storeId, input.Key, input.VersionId)
    const version = await found(heading, call, name, deps)
    requireBytes(version, 'HEAD', call, name, deps)
    requireDecidedTags(call, version.tagging)
    const attributes = decodeAttributes(version.attributes)
    target.learnt.encryption = attributes.encryption
    requireReadConditions(input, version, () => unchangedHeaders(bucket, version, attributes))
    const selection = selectionOf(input, version, attributes)
    await requireKeys(call, input, name, version, isChecksumWanted(input, attributes), deps)
    const answer = readAnswer(call, input, name, version, attributes, selection, deps)
    return { output: { ...answer, ContentLength: selection.end - selection.start } }
  },
})
