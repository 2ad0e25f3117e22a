import { s3Error } from '../../../../base/errors.ts'
import type { Version } from '../../../../objects/port.ts'
import { header } from '../../../../wire/rest-xml/bindings.ts'
import {
  boolean,
  integer,
  list,
  string,
  structure,
  timestamp,
  type Value,
} from '../../../../wire/schema.ts'
import { type CallContext, type Check, operation } from '../../../operation.ts'
import { decodeAttributes, type ObjectAttributes } from '../../attributes.ts'
import type { BucketRecord } from '../../bucket.ts'
import { checksumAnswer, checksumElements, checksumValue } from '../../checksum-members.ts'
import type { S3Deps } from '../../deps.ts'
import { customerKeyInput } from '../../encryption/request.ts'
import { requireDecidedTags, taggedObjectCheck } from '../../existing-tags.ts'
import { requireKeys } from '../../key-proof.ts'
import {
  headerParameters,
  objectInput,
  objectParameters,
  objectResources,
  withExpectedOwner,
} from '../../object-request.ts'
import { encryptionApplied, type ObjectTarget } from '../../object-target.ts'
import { found, requireBytes } from '../../object-versions.ts'
import { requireBucket } from '../../resource.ts'
import {
  requireVersionId,
  versionedPermission,
  versionIdAnswer,
  versionIdInput,
  versionIdOutput,
} from '../../version-id.ts'

const partsMax = 1000
const attributeNames = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'] as const

const input = structure({
  ...objectInput,
  ...versionIdInput,
  ...customerKeyInput,
  ObjectAttributes: header('x-amz-object-attributes', list(string())),
  MaxParts: header('x-amz-max-parts', integer()),
  PartNumberMarker: header('x-amz-part-number-marker', integer()),
})
type Input = Value<typeof input>

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html */
export const getObjectAttributes = operation({
  name: 'GetObjectAttributes',
  input,
  output: structure(
    {
      LastModified: header('Last-Modified', timestamp()),
      ...versionIdOutput,
      ETag: string(),
      Checksum: structure({ ...checksumElements, ChecksumType: string() }),
      ObjectParts: structure({
        TotalPartsCount: { ...integer(), element: 'PartsCount' },
        PartNumberMarker: integer(),
        NextPartNumberMarker: integer(),
        MaxParts: integer(),
        IsTruncated: boolean(),
        Parts: {
          ...list(structure({ PartNumber: integer(), Size: integer(), ...checksumElements })),
          element: 'Part',
        },
      }),
      StorageClass: string(),
      ObjectSize: integer(),
    },
    { root: 'GetObjectAttributesResponse' },
  ),
  effects: 'read',
  category: 'data',
  errors: [
    ...(['AuthorizationHeaderMalformed', 'InvalidArgument', 'InvalidRequest'] as const),
    ...(['MethodNotAllowed', 'NoSuchBucket', 'NoSuchKey', 'NoSuchVersion'] as const),
    'OperationAborted',
  ],
  resolve(call, input, deps: S3Deps): ObjectTarget {
    const bucket = requireBucket(call, input.Bucket, deps)
    requireVersionId(input.VersionId)
    requireAttributes(input)
    return { bucket, learnt: {} }
  },
  checks: (call, input, { bucket }, deps) =>
    withExpectedOwner(attributesChecks(call, bucket, input, deps), input, bucket),
  audit: {
    request: (input) => ({
      ...objectParameters(input),
      ...headerParameters(input),
      attributes: '',
      'x-amz-object-attributes': input.ObjectAttributes?.join(','),
    }),
    resources: ({ bucket }, { Key }) => objectResources(bucket, Key),
    additional: (_output, _input, target) => encryptionApplied(target),
  },
  async handle(call, input, target, deps) {
    const { bucket } = target
    const name = { bucket, key: input.Key, versionId: input.VersionId }
    const heading = deps.objects.head(bucket.storeId, input.Key, input.VersionId)
    const version = await found(heading, call, name, deps)
    requireBytes(version, 'GET', call, name, deps)
    requireDecidedTags(call, version.tagging)
    const attributes = decodeAttributes(version.attributes)
    target.learnt.encryption = attributes.encryption
    const wanted = new Set(input.ObjectAttributes)
    // Parts have checksums of their own.
    const tells =
      attributes.checksum !== undefined && (wanted.has('Checksum') || wanted.has('ObjectParts'))
    await requireKeys(call, input, name, version, tells, deps)
    return {
      output: {
        LastModified: version.modified,
        ...versionIdAnswer(bucket, version.versionId),
        ...attributesAnswer(wanted, input, version, attributes),
      },
    }
  },
})

function* attributesChecks(
  call: CallContext,
  bucket: BucketRecord,
  { Key: key, VersionId: versionId }: Input,
  deps: S3Deps,
): Iterable<Check> {
  for (const permission of ['s3:GetObject', 's3:GetObjectAttributes']) {
    const asked = versionedPermission(permission, versionId)
    yield taggedObjectCheck(call, asked, { bucket, key, versionId }, {}, deps)
  }
}

function requireAttributes({ ObjectAttributes = [], MaxParts, PartNumberMarker }: Input): void {
  const known: readonly string[] = attributeNames
  if (ObjectAttributes.length === 0) {
    throw invalid('x-amz-object-attributes', 'The x-amz-object-attributes header is required.')
  }
  if (!ObjectAttributes.every((name) => known.includes(name))) {
    throw invalid('x-amz-object-attributes', 'Invalid attribute name specified.')
  }
  for (const [name, value = 0] of [
    ['x-amz-max-parts', MaxParts],
    ['x-amz-part-number-marker', PartNumberMarker],
  ] as const) {
    if (value < 0 || value > 2 ** 31 - 1) {
      throw invalid(name, `Argument ${name} must be an integer between 0 and 2147483647`)
    }
  }
}

function invalid(ArgumentName: string, text: string) {
  return s3Error('InvalidArgument', { ArgumentName }, { text })
}

function attributesAnswer(
  wanted: ReadonlySet<string>,
  input: Input,
  { etag, size }: Version,
  attributes: ObjectAttributes,
) {
  const { checksum, parts } = attributes
  return {
    ...(wanted.has('ETag') && { ETag: etag }),
    ...(wanted.has('Checksum') && checksum !== undefined && { Checksum: checksumAnswer(checksum) }),
    ...(wanted.has('ObjectParts') &&
      parts !== undefined && { ObjectParts: partsAnswer(input, parts, checksum) }),
    ...(wanted.has('StorageClass') && { StorageClass: 'STANDARD' }),
    ...(wanted.has('ObjectSize') && { ObjectSize: size }),
  }
}

/** AWS lists the parts of objects with a checksum alone; of others it says how many there are. */
function partsAnswer(
  { MaxParts = partsMax, PartNumberMarker = 0 }: Input,
  parts: NonNullable<ObjectAttributes['parts']>,
  checksum: ObjectAttributes['checksum'],
) {
  if (checksum === undefined) return { TotalPartsCount: parts.length }
  const max = Math.min(partsMax, MaxParts)
  const behind = parts.filter(({ number }) => number > PartNumberMarker)
  const shown = behind.slice(0, max)
  return {
    TotalPartsCount: parts.length,
    PartNumberMarker,
    NextPartNumberMarker: shown.at(-1)?.number ?? PartNumberMarker,
    MaxParts: max,
    IsTruncated: behind.length > shown.length,
    Parts: shown.map(({ number, size, checksum: value }) => ({
      PartNumber: number,
      Size: size,
      ...checksumValue(checksum.algorithm, value),
    })),
  }
}
