import { query } from '../../../../wire/rest-xml/bindings.ts'
import { boolean, integer, string, structure } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import type { S3Deps } from '../../deps.ts'
import { asked } from '../../refusals.ts'
import { auditBucket, auditObjects } from '../../resource.ts'
import { commonPrefixes, contents, ownerOf, shownObject, shownPrefixes } from './entries.ts'
import { listingChecks, listingInput, listingParameters, listingTarget } from './request.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html */
export const listObjects = operation({
  name: 'ListObjects',
  input: structure({ ...listingInput, Marker: query('marker', string()) }),
  output: structure(
    {
      Name: string(),
      Prefix: string(),
      Marker: string(),
      NextMarker: string(),
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
  resolve: (call, input, deps: S3Deps) => listingTarget(call, input, deps),
  checks: (_call, input, { bucket }) => listingChecks('s3:ListBucket', bucket, input),
  audit: {
    request: (input) => ({ ...listingParameters(input), marker: input.Marker }),
    resources: ({ bucket, wanted }) => [auditObjects(bucket, wanted.prefix), auditBucket(bucket)],
  },
  async handle(_call, { Bucket, Marker, EncodingType }, { bucket, wanted }, { objects }) {
    const { prefix, delimiter, max, shown } = wanted
    const query = { prefix, delimiter, max, after: Marker === '' ? undefined : Marker }
    const page = await asked(objects.list(bucket.storeId, query), { BucketName: Bucket })
    const Owner = ownerOf(bucket.account)
    return {
      output: {
        Name: Bucket,
        Prefix: shown(prefix),
        Marker: shown(Marker ?? ''),
        // Without a delimiter the last key of the page serves, and AWS leaves it at that.
        ...(delimiter !== undefined && {
          Delimiter: shown(delimiter),
          NextMarker: page.next === undefined ? undefined : shown(page.next),
        }),
        MaxKeys: max,
        EncodingType,
        IsTruncated: page.next !== undefined,
        Contents: page.entries.map((entry) => ({ ...shownObject(entry, shown), Owner })),
        CommonPrefixes: shownPrefixes(page.prefixes, shown),
      },
    }
  },
})
