import { s3Error } from '../../../../base/errors.ts'
import { query } from '../../../../wire/rest-xml/bindings.ts'
import { list, string, structure, timestamp, type Value } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import { type BucketRecord, bucketArn } from '../../bucket.ts'
import type { S3Deps } from '../../deps.ts'
import { canonicalUserId } from '../../owner.ts'

const input = structure({
  BucketRegion: query('bucket-region', string()),
  ContinuationToken: query('continuation-token', string()),
  MaxBuckets: query('max-buckets', string()),
  Prefix: query('prefix', string()),
})
type Input = Value<typeof input>

const pageMax = 10_000

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html */
export const listBuckets = operation({
  name: 'ListBuckets',
  input,
  output: structure(
    {
      Owner: structure({ ID: string() }),
      Buckets: list(
        structure({
          Name: string(),
          CreationDate: timestamp(),
          BucketRegion: string(),
          BucketArn: string(),
        }),
        { each: 'Bucket' },
      ),
      ContinuationToken: string(),
      Prefix: string(),
    },
    { root: 'ListAllMyBucketsResult' },
  ),
  effects: 'read',
  errors: ['InvalidArgument'],
  resolve: (_call, asked, _deps: S3Deps) => pageOf(asked),
  checks: ({ caller }) => [
    {
      permission: 's3:ListAllMyBuckets',
      resource: { type: 'identity', arn: bucketArn('*'), account: caller.account },
      conditions: {},
    },
  ],
  audit: {
    request: ({ BucketRegion, MaxBuckets, Prefix }) => ({
      'bucket-region': BucketRegion,
      'max-buckets': MaxBuckets,
      prefix: Prefix,
    }),
  },
  handle({ caller }, asked, { after, max }, { buckets }) {
    const { BucketRegion, Prefix } = asked
    const all = buckets.ofAccount(caller.account).filter(({ name, region }) => {
      const isWanted = name.startsWith(Prefix ?? '') && name > after
      return isWanted && (BucketRegion === undefined || region === BucketRegion)
    })
    const page = all.slice(0, max)
    const last = all.length > page.length ? page.at(-1) : undefined
    // The members that came with pages are shown to those who ask for some page.
    const isPaged = Object.values(asked).some((value) => value !== undefined)
    return {
      output: {
        Owner: { ID: canonicalUserId(caller.account) },
        Buckets: page.map((bucket) => shown(bucket, isPaged)),
        ContinuationToken: last && tokenFor(last.name),
        Prefix,
      },
    }
  },
})

function shown({ name, createdAt, region }: BucketRecord, isPaged: boolean) {
  const more = isPaged ? { BucketRegion: region, BucketArn: bucketArn(name) } : undefined
  return { Name: name, CreationDate: createdAt, ...more }
}

/** Which buckets: behind that name, so many. Throws 'InvalidArgument'. */
function pageOf({ MaxBuckets, ContinuationToken }: Input) {
  const max = MaxBuckets === undefined ? pageMax : Number(/^\d{1,9}$/.exec(MaxBuckets)?.[0] ?? 0)
  if (max < 1 || max > pageMax) {
    throw invalid(
      'max-buckets',
      MaxBuckets,
      `Argument max-buckets must be an integer between 1 and ${pageMax}`,
    )
  }
  if (ContinuationToken === undefined) return { after: '', max }
  const after = Buffer.from(ContinuationToken, 'base64url').toString('latin1')
  if (after === '' || tokenFor(after) !== ContinuationToken) {
    const text = 'The continuation token provided is incorrect'
    throw invalid('continuation-token', ContinuationToken, text)
  }
  return { after, max }
}

/** Names are ASCII. It says nothing that its owner could not ask for. */
function tokenFor(name: string): string {
  return Buffer.from(name, 'latin1').toString('base64url')
}

function invalid(ArgumentName: string, value = '', text: string) {
  return s3Error('InvalidArgument', { ArgumentName, ArgumentValue: value.slice(0, 256) }, { text })
}
