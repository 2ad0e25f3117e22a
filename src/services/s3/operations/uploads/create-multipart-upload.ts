import { sealUpload } from '../../../../objects/encryption/seal.ts'
import { header } from '../../../../wire/rest-xml/bindings.ts'
import { string, structure } from '../../../../wire/schema.ts'
import { type CallContext, operation } from '../../../operation.ts'
import {
  accessControlConditions,
  accessControlInput,
  requireNoAcl,
  requireStandard,
  storageClassInput,
} from '../../access-control.ts'
import type { Tag } from '../../bucket.ts'
import type { S3Deps } from '../../deps.ts'
import { newDataKeys, wipeKeys } from '../../encryption/data-keys.ts'
import {
  chosenEncryption,
  customerKeyInput,
  encryptionAnswer,
  encryptionConditions,
  encryptionInput,
  encryptionOutput,
  wipeChosen,
} from '../../encryption/request.ts'
import { type ContentAttributes, contentAttributes, contentMembers } from '../../metadata.ts'
import {
  headerParameters,
  objectInput,
  objectParameters,
  objectResources,
  withExpectedOwner,
} from '../../object-request.ts'
import { encryptionApplied, type ObjectTarget } from '../../object-target.ts'
import { canonicalUserId } from '../../owner.ts'
import { asked } from '../../refusals.ts'
import { objectCheck, requireBucket } from '../../resource.ts'
import { encodeTags, requestTagConditions, taggingInput, tagsOfHeader } from '../../tagging.ts'
import { sealedLabelsKey } from './labels-key.ts'
import { encodeUploadAttributes, type Initiator } from './upload.ts'
import {
  checksumAlgorithmInput,
  checksumNames,
  checksumTypeInput,
  type UploadChecksum,
  uploadChecksum,
} from './upload-checksum.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html */
export const createMultipartUpload = operation({
  name: 'CreateMultipartUpload',
  input: structure({
    ...objectInput,
    ...accessControlInput,
    ...storageClassInput,
    ...contentMembers,
    ...encryptionInput,
    ...customerKeyInput,
    ...taggingInput,
    ...checksumAlgorithmInput,
    ...checksumTypeInput,
  }),
  output: structure(
    {
      ...encryptionOutput,
      ChecksumAlgorithm: header('x-amz-checksum-algorithm', string()),
      ChecksumType: header('x-amz-checksum-type', string()),
      Bucket: string(),
      Key: string(),
      UploadId: string(),
    },
    { root: 'InitiateMultipartUploadResult' },
  ),
  effects: 'write',
  category: 'data',
  errors: [
    ...(['AccessControlListNotSupported', 'BadRequest', 'InvalidArgument'] as const),
    ...(['InvalidRequest', 'InvalidStorageClass', 'InvalidTag', 'MetadataTooLarge'] as const),
    'NoSuchBucket',
  ],
  resolve(call, input, deps: S3Deps): Target {
    const bucket = requireBucket(call, input.Bucket, deps)
    requireNoAcl(input)
    requireStandard(input)
    const tags = tagsOfHeader(input.Tagging)
    return {
      ...{ bucket, tags, learnt: {}, content: contentAttributes(input) },
      checksum: uploadChecksum(input),
    }
  },
  checks: (_call, input, { bucket, tags }) =>
    withExpectedOwner(
      [
        objectCheck('s3:PutObject', bucket, input.Key, conditionsOf(input, tags)),
        ...(input.Tagging === undefined
          ? []
          : [objectCheck('s3:PutObjectTagging', bucket, input.Key, requestTagConditions(tags))]),
      ],
      input,
      bucket,
    ),
  audit: {
    request: (input) => ({ ...objectParameters(input), uploads: '', ...headerParameters(input) }),
    response: ({ Bucket, Key, UploadId, ServerSideEncryption, SSEKMSKeyId }) => ({
      ...{ bucket: Bucket, key: Key, uploadId: UploadId },
      'x-amz-server-side-encryption': ServerSideEncryption,
      'x-amz-server-side-encryption-aws-kms-key-id': SSEKMSKeyId,
    }),
    resources: ({ bucket }, { Key }) => objectResources(bucket, Key),
    additional: (_output, _input, target) => encryptionApplied(target),
  },
  async handle(call, input, { bucket, tags, content, checksum, learnt }, deps) {
    const { Bucket, Key } = input
    const where = { bucket, key: Key }
    const identity = { bucket: bucket.storeId, key: Key }
    const chosen = chosenEncryption(call, input, bucket, Key)
    try {
      const { dataKeys, wrapped, stored } = await newDataKeys(call, chosen, where, deps)
      try {
        const sidecar = sealUpload({ dataKeys, wrapped, random: deps.random }, identity)
        const attributes = encodeUploadAttributes({
          object: { encryption: stored, ...content },
          checksum,
          initiator: initiatorOf(call),
          conditions: conditionsOf(input, tags),
          ...(stored.mode === 'customer' && {
            labelsKey: await sealedLabelsKey(sidecar, dataKeys, identity, deps),
          }),
        })
        const upload = { attributes, sidecar, tagging: encodeTags(tags) }
        const UploadId = await asked(deps.objects.createUpload(bucket.storeId, Key, upload))
        learnt.encryption = stored
        return {
          output: {
            ...{ Bucket, Key, UploadId, ...encryptionAnswer(stored), ...checksumNames(checksum) },
          },
        }
      } finally {
        wipeKeys(dataKeys)
      }
    } finally {
      wipeChosen(chosen)
    }
  },
})

type Target = ObjectTarget & {
  readonly tags: readonly Tag[]
  readonly content: ContentAttributes
  readonly checksum: UploadChecksum | undefined
}

type Asked = Parameters<typeof encryptionConditions>[0] &
  Parameters<typeof accessControlConditions>[0]

function conditionsOf(input: Asked, tags: readonly Tag[]) {
  return {
    ...encryptionConditions(input),
    ...accessControlConditions(input),
    ...requestTagConditions(tags),
  }
}

/** As AWS has it: the ARN of a user or a session, and of a root user the account's canonical id. */
function initiatorOf({ caller }: CallContext): Initiator {
  const { arn, account } = caller
  if (caller.type === 'root') {
    const id = canonicalUserId(account)
    return { id, displayName: id }
  }
  return { id: arn, displayName: arn.slice(arn.lastIndexOf('/') + 1) }
}
