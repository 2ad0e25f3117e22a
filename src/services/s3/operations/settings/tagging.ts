import { s3Error } from '../../../../base/errors.ts'
import { payload } from '../../../../wire/rest-xml/bindings.ts'
import { required, structure, type Value } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import { bucketTags, tagList } from '../../bucket-tags.ts'
import { bucketInput } from '../../object-request.ts'
import {
  bucketAudit,
  needs,
  repeated,
  resolveBucket,
  settingBytesMax,
  without,
} from './bucket-operation.ts'
import { settingDeletion } from './setting-deletion.ts'

const root = 'Tagging'
const tagging = structure({ TagSet: tagList }, { root })

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html */
export const getBucketTagging = operation({
  name: 'GetBucketTagging',
  input: structure(bucketInput),
  output: tagging,
  effects: 'read',
  errors: ['NoSuchBucket', 'NoSuchTagSet'],
  resolve: resolveBucket,
  checks: needs('s3:GetBucketTagging'),
  audit: bucketAudit('tagging'),
  handle(_call, _input, { name, tags }) {
    if (tags === undefined) throw s3Error('NoSuchTagSet', { BucketName: name })
    return { output: { TagSet: tags.map(({ key, value }) => ({ Key: key, Value: value })) } }
  },
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html */
export const putBucketTagging = operation({
  name: 'PutBucketTagging',
  input: structure({
    ...bucketInput,
    Tagging: payload(required(tagging), { root, bytesMax: settingBytesMax }),
  }),
  output: structure({}, { status: 204 }),
  effects: 'write',
  errors: ['BadRequest', 'InvalidTag', 'MalformedXML', 'NoSuchBucket'],
  resolve: resolveBucket,
  checks: needs('s3:PutBucketTagging'),
  audit: bucketAudit('tagging', ({ Tagging }: PutInput) => ({
    Tagging: { TagSet: { Tag: repeated(Tagging.TagSet) } },
  })),
  handle(_call, { Tagging: { TagSet } }, bucket, { buckets }) {
    if (TagSet === undefined) throw s3Error('MalformedXML')
    const tags = bucketTags(TagSet)
    const after = tags.length === 0 ? without(bucket, 'tags') : { ...bucket, tags }
    return { output: {}, changes: [buckets.replace(bucket, after)] }
  },
})
type PutInput = { readonly Bucket: string; readonly Tagging: Value<typeof tagging> }

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketTagging.html */
export const deleteBucketTagging = settingDeletion({
  name: 'DeleteBucketTagging',
  permission: 's3:PutBucketTagging',
  subresource: 'tagging',
  setting: 'tags',
})
