import { s3Error } from '../../../../base/errors.ts'
import { payload } from '../../../../wire/rest-xml/bindings.ts'
import { list, required, string, structure } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import type { Tag } from '../../bucket.ts'
import type { S3Deps } from '../../deps.ts'
import { taggedObjectCheck } from '../../existing-tags.ts'
import {
  objectInput,
  objectParameters,
  objectResources,
  withExpectedOwner,
} from '../../object-request.ts'
import { type BucketTarget, requireBucket } from '../../resource.ts'
import { setTags } from '../../set-tags.ts'
import { requestTagConditions, requireObjectTags } from '../../tagging.ts'
import {
  requireVersionId,
  versionedPermission,
  versionIdAnswer,
  versionIdInput,
  versionIdOutput,
} from '../../version-id.ts'

/** Ten tags of 384 characters, each of them referred to by its number, come to half of it. */
const bodyBytesMax = 64 * 1024

type Given = {
  readonly TagSet?:
    | readonly {
        readonly Key?: string | undefined
        readonly Value?: string | undefined
      }[]
    | undefined
}

function tagsOf({ TagSet }: Given): readonly Tag[] {
  if (TagSet === undefined) throw s3Error('MalformedXML')
  return TagSet.map(({ Key: key, Value: value }) => {
    if (key === undefined || value === undefined) throw s3Error('MalformedXML')
    return { key, value }
  })
}

type Target = BucketTarget & { readonly tags: readonly Tag[] }

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html */
export const putObjectTagging = operation({
  name: 'PutObjectTagging',
  input: structure({
    ...objectInput,
    ...versionIdInput,
    Tagging: payload(
      required(
        structure({
          TagSet: list(structure({ Key: string(), Value: string() }), { each: 'Tag' }),
        }),
      ),
      { root: 'Tagging', bytesMax: bodyBytesMax },
    ),
  }),
  output: structure(versionIdOutput),
  effects: 'write',
  category: 'data',
  errors: [
    ...(['AuthorizationHeaderMalformed', 'BadRequest', 'InvalidArgument', 'InvalidTag'] as const),
    ...(['MalformedXML', 'MethodNotAllowed', 'NoSuchBucket', 'NoSuchKey'] as const),
    ...(['NoSuchVersion', 'OperationAborted'] as const),
  ],
  resolve(call, input, deps: S3Deps): Target {
    const bucket = requireBucket(call, input.Bucket, deps)
    requireVersionId(input.VersionId)
    return { bucket, tags: requireObjectTags(tagsOf(input.Tagging)) }
  },
  checks(call, input, { bucket, tags }, deps) {
    const permission = versionedPermission('s3:PutObjectTagging', input.VersionId)
    const name = { bucket, key: input.Key, versionId: input.VersionId }
    const conditions = requestTagConditions(tags)
    const check = taggedObjectCheck(call, permission, name, conditions, deps)
    return withExpectedOwner([check], input, bucket)
  },
  audit: {
    request: (input) => ({ ...objectParameters(input), tagging: '' }),
    resources: ({ bucket }, { Key }) => objectResources(bucket, Key),
  },
  async handle(call, input, { bucket, tags }, deps) {
    const name = { bucket, key: input.Key, versionId: input.VersionId }
    const { versionId } = await setTags(call, name, tags, 'PUT', deps)
    return { output: versionIdAnswer(bucket, versionId) }
  },
})
