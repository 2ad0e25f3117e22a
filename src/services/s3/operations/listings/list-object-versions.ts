import type { VersionEntry } from '../../../../objects/port.ts'
import { query } from '../../../../wire/rest-xml/bindings.ts'
import { boolean, integer, list, string, structure } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import type { S3Deps } from '../../deps.ts'
import { asked } from '../../refusals.ts'
import { auditBucket, auditObjects } from '../../resource.ts'
import {
  commonPrefixes,
  markerMembers,
  objectMembers,
  ownerOf,
  shownObject,
  shownPrefixes,
  wholeSeconds,
} from './entries.ts'
import {
  invalidArgument,
  listingChecks,
  listingInput,
  listingParameters,
  listingTarget,
} from './request.ts'

const versionMembers = { VersionId: string(), IsLatest: boolean() } as const

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html */
export const listObjectVersions = operation({
  name: 'ListObjectVersions',
  input: structure({
    ...listingInput,
    KeyMarker: query('key-marker', string()),
    VersionIdMarker: query('version-id-marker', string()),
  }),
  output: structure(
    {
      Name: string(),
      Prefix: string(),
      KeyMarker: string(),
      VersionIdMarker: string(),
      NextKeyMarker: string(),
      NextVersionIdMarker: string(),
      MaxKeys: integer(),
      Delimiter: string(),
      EncodingType: string(),
      IsTruncated: boolean(),
      Versions: { ...list(structure({ ...objectMembers, ...versionMembers })), element: 'Version' },
      DeleteMarkers: {
        ...list(structure({ ...markerMembers, ...versionMembers })),
        element: 'DeleteMarker',
      },
      CommonPrefixes: commonPrefixes,
    },
    { root: 'ListVersionsResult' },
  ),
  effects: 'read',
  category: 'data',
  errors: ['InvalidArgument', 'NoSuchBucket'],
  resolve(call, input, deps: S3Deps) {
    const target = listingTarget(call, input, deps)
    return { ...target, place: placeOf(input) }
  },
  checks: (_call, input, { bucket }) => listingChecks('s3:ListBucketVersions', bucket, input),
  audit: {
    request: (input) => ({
      versions: '',
      ...listingParameters(input),
      'key-marker': input.KeyMarker,
      'version-id-marker': input.VersionIdMarker,
    }),
    resources: ({ bucket, wanted }) => [auditObjects(bucket, wanted.prefix), auditBucket(bucket)],
  },
  async handle(_call, input, { bucket, wanted, place }, { objects }) {
    const { prefix, delimiter, max, shown } = wanted
    const { Bucket: Name, KeyMarker = '', VersionIdMarker = '', EncodingType } = input
    const query = { prefix, delimiter, max, ...place }
    const page = await asked(objects.listVersions(bucket.storeId, query), { BucketName: Name })
    const { versions, prefixes, next } = page
    const Owner = ownerOf(bucket.account)
    const ofVersion = ({ versionId, latest }: VersionEntry) => ({
      ...{ Owner, VersionId: versionId, IsLatest: latest },
    })
    return {
      output: {
        ...{ Name, Prefix: shown(prefix), KeyMarker: shown(KeyMarker), VersionIdMarker },
        ...(next && { NextKeyMarker: shown(next.key), NextVersionIdMarker: next.version }),
        ...{ MaxKeys: max, EncodingType, IsTruncated: next !== undefined },
        Delimiter: delimiter === undefined ? undefined : shown(delimiter),
        Versions: versions
          .filter(({ deleteMarker }) => !deleteMarker)
          .map((entry) => ({ ...shownObject(entry, shown), ...ofVersion(entry) })),
        DeleteMarkers: versions
          .filter(({ deleteMarker }) => deleteMarker)
          .map((entry) => ({
            ...{ Key: shown(entry.key), LastModified: wholeSeconds(entry.modified) },
            ...ofVersion(entry),
          })),
        CommonPrefixes: shownPrefixes(prefixes, shown),
      },
    }
  },
})

type Markers = {
  readonly KeyMarker?: string | undefined
  readonly VersionIdMarker?: string | undefined
}

const markerLengthMax = 1024

/** Throws 'InvalidArgument' for a version of no key. */
function placeOf({ KeyMarker = '', VersionIdMarker }: Markers) {
  const name = 'version-id-marker'
  if (VersionIdMarker === '') {
    throw invalidArgument(name, '', 'A version-id marker cannot be empty.')
  }
  if (VersionIdMarker !== undefined && KeyMarker === '') {
    const text = 'A version-id marker cannot be specified without a key marker.'
    throw invalidArgument(name, VersionIdMarker, text)
  }
  if (VersionIdMarker !== undefined && VersionIdMarker.length > markerLengthMax) {
    throw invalidArgument(name, VersionIdMarker, 'Invalid version id specified')
  }
  return { after: KeyMarker === '' ? undefined : KeyMarker, afterVersion: VersionIdMarker }
}
