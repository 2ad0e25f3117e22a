import { query } from '../../../../wire/rest-xml/bindings.ts'
import { boolean, integer, string, structure } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import type { S3Deps } from '../../deps.ts'
import { asked } from '../../refusals.ts'
import { auditBucket, auditObjects } from '../../resource.ts'
import { continuationToken, placeIn } from './continuation-token.ts'
import { commonPrefixes, contents, ownerOf, shownObject, shownPrefixes } from './entries.ts'
import { listingChecks, listingInput, listingParameters, listingTarget } from './request.ts'

/**
 * CloudTrail calls it ListObjects.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export const listObjectsV2 = operation({
  name: 'ListObjectsV2',
  recordedAs: 'ListObjects',
  input: structure({
    ...listingInput,
    ContinuationToken: query('continuation-token', string()),
    StartAfter: query('start-after', string()),
    FetchOwner: query('fetch-owner', boolean()),
  }),
  output: structure(
    {
      Name: string(),
      Prefix: string(),
      ContinuationToken: string(),
      NextContinuationToken: string(),
      StartAfter: string(),
      KeyCount: integer(),
      MaxKeys: integer(),
      Delimiter: string(),
      EncodingType: string(),
      IsTruncated: boolean(),
      Contents: contents,
      CommonPrefixes: commonPrefixes,
    },
    { root: 'ListBucketResult' },
  ),
  effects: 'read',
  category: 'data',
  errors: ['InvalidArgument', 'NoSuchBucket'],
  resolve(call, input, deps: S3Deps) {
    const target = listingTarget(call, input, deps)
    const { ContinuationToken, StartAfter } = input
    const { prefix, delimiter } = target.wanted
    const listing = [target.bucket.storeId, prefix, delimiter ?? '']
    const start = StartAfter === '' ? undefined : StartAfter
    const after = ContinuationToken === undefined ? start : placeIn(ContinuationToken, listing)
    return { ...target, listing, after }
  },
  checks: (_call, input, { bucket }) => listingChecks('s3:ListBucket', bucket, input),
  audit: {
    request: (input) => ({
      'list-type': '2',
      ...listingParameters(input),
      'continuation-token': input.ContinuationToken,
      'start-after': input.StartAfter,
      'fetch-owner': input.FetchOwner,
    }),
    resources: ({ bucket, wanted }) => [auditObjects(bucket, wanted.prefix), auditBucket(bucket)],
  },
  async handle(_call, input, { bucket, wanted, listing, after }, { objects }) {
    const { prefix, delimiter, max, shown } = wanted
    const { Bucket: Name, ContinuationToken, StartAfter, FetchOwner, EncodingType } = input
    const query = { prefix, delimiter, max, after }
    const page = await asked(objects.list(bucket.storeId, query), { BucketName: Name })
    const owner = FetchOwner === true ? { Owner: ownerOf(bucket.account) } : {}
    const { entries, prefixes, next } = page
    return {
      output: {
        ...{ Name, Prefix: shown(prefix), ContinuationToken, EncodingType, MaxKeys: max },
        NextContinuationToken: next === undefined ? undefined : continuationToken(next, listing),
        StartAfter: StartAfter === undefined ? undefined : shown(StartAfter),
        Delimiter: delimiter === undefined ? undefined : shown(delimiter),
        KeyCount: entries.length + prefixes.length,
        IsTruncated: next !== undefined,
        Contents: entries.map((entry) => ({ ...shownObject(entry, shown), ...owner })),
        CommonPrefixes: shownPrefixes(prefixes, shown),
      },
    }
  },
})
