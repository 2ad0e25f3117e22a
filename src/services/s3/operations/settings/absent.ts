import { s3Error } from '../../../../base/errors.ts'
import type { S3ErrorCode } from '../../../../base/s3-errors.ts'
import { payload } from '../../../../wire/rest-xml/bindings.ts'
import type { Route } from '../../../../wire/rest-xml/routes.ts'
import { blob, type Members, string, structure } from '../../../../wire/schema.ts'
import { type AnyOperation, operation } from '../../../operation.ts'
import { bucketInput } from '../../object-request.ts'
import { bucketAudit, needs, resolveBucket, settingBytesMax } from './bucket-operation.ts'

/** What a bucket of AWS can be told, and a bucket here never has. */
type Setting = {
  /** The subresource, as in `?cors`. */
  readonly query: string
  /** Behind `Get` and the like. */
  readonly name: string
  /** The same in CloudTrail, where that is another one. */
  readonly recorded?: string
  /** Permissions, without `s3:`. */
  readonly get: string
  readonly put: string
  /** Where it can be deleted. */
  readonly delete?: string
  /** How AWS answers who has none: with a failure, or with nothing in particular. */
  readonly none:
    | { readonly error: S3ErrorCode }
    | { readonly root: string; readonly values?: Readonly<Record<string, string>> }
}

const absentSettings: readonly Setting[] = [
  {
    ...{ query: 'cors', name: 'BucketCors', get: 'GetBucketCORS', put: 'PutBucketCORS' },
    delete: 'PutBucketCORS',
    none: { error: 'NoSuchCORSConfiguration' },
  },
  {
    ...{ query: 'lifecycle', name: 'BucketLifecycleConfiguration', recorded: 'BucketLifecycle' },
    ...{ get: 'GetLifecycleConfiguration', put: 'PutLifecycleConfiguration' },
    delete: 'PutLifecycleConfiguration',
    none: { error: 'NoSuchLifecycleConfiguration' },
  },
  {
    ...{ query: 'website', name: 'BucketWebsite' },
    ...{ get: 'GetBucketWebsite', put: 'PutBucketWebsite', delete: 'DeleteBucketWebsite' },
    none: { error: 'NoSuchWebsiteConfiguration' },
  },
  {
    ...{ query: 'replication', name: 'BucketReplication' },
    ...{ get: 'GetReplicationConfiguration', put: 'PutReplicationConfiguration' },
    delete: 'PutReplicationConfiguration',
    none: { error: 'ReplicationConfigurationNotFoundError' },
  },
  {
    ...{ query: 'object-lock', name: 'ObjectLockConfiguration' },
    recorded: 'BucketObjectLockConfiguration',
    ...{ get: 'GetBucketObjectLockConfiguration', put: 'PutBucketObjectLockConfiguration' },
    none: { error: 'ObjectLockConfigurationNotFoundError' },
  },
  {
    ...{ query: 'logging', name: 'BucketLogging' },
    ...{ get: 'GetBucketLogging', put: 'PutBucketLogging' },
    none: { root: 'BucketLoggingStatus' },
  },
  {
    ...{ query: 'notification', name: 'BucketNotificationConfiguration' },
    recorded: 'BucketNotification',
    ...{ get: 'GetBucketNotification', put: 'PutBucketNotification' },
    none: { root: 'NotificationConfiguration' },
  },
  {
    ...{ query: 'requestPayment', name: 'BucketRequestPayment' },
    ...{ get: 'GetBucketRequestPayment', put: 'PutBucketRequestPayment' },
    none: { root: 'RequestPaymentConfiguration', values: { Payer: 'BucketOwner' } },
  },
  {
    ...{ query: 'accelerate', name: 'BucketAccelerateConfiguration' },
    recorded: 'AccelerateConfiguration',
    ...{ get: 'GetAccelerateConfiguration', put: 'PutAccelerateConfiguration' },
    none: { root: 'AccelerateConfiguration' },
  },
]

/** Clients ask for these of every bucket, and have to get on. */
export const absentOperations: readonly AnyOperation[] = absentSettings.flatMap((setting) => [
  getAbsent(setting),
  putAbsent(setting),
  ...(setting.delete === undefined ? [] : [deleteAbsent(setting, setting.delete)]),
])

export const absentRoutes: readonly Route[] = absentSettings.flatMap((setting) => {
  const place = { on: 'bucket', query: [setting.query] } as const
  const removal = { operation: deletionOf(setting), method: 'DELETE', ...place } as const
  return [
    { operation: `Get${setting.name}`, method: 'GET', ...place },
    { operation: `Put${setting.name}`, method: 'PUT', ...place },
    ...(setting.delete === undefined ? [] : [removal]),
  ]
})

/** The API has it by the shorter name. */
function deletionOf({ name, recorded = name }: Setting): string {
  return `Delete${recorded}`
}

function getAbsent({ query, name, recorded = name, get, none }: Setting): AnyOperation {
  const isFailure = 'error' in none
  const values = isFailure ? {} : (none.values ?? {})
  // A member that is never there makes an answer of XML of it.
  const members: Members = isFailure ? {} : { Status: string(), Payer: string() }
  return operation({
    name: `Get${name}`,
    recordedAs: `Get${recorded}`,
    input: structure(bucketInput),
    output: structure(members, isFailure ? {} : { root: none.root }),
    effects: 'read',
    errors: ['NoSuchBucket', ...(isFailure ? [none.error] : [])],
    resolve: resolveBucket,
    checks: needs(`s3:${get}`),
    audit: bucketAudit(query),
    handle(_call, { Bucket }) {
      if (isFailure) throw s3Error(none.error, { BucketName: Bucket })
      return { output: values }
    },
  })
}

function putAbsent({ query, name, recorded = name, put }: Setting): AnyOperation {
  return operation({
    name: `Put${name}`,
    recordedAs: `Put${recorded}`,
    input: structure({
      ...bucketInput,
      Configuration: payload(blob(), { bytesMax: settingBytesMax }),
    }),
    output: undefined,
    effects: 'write',
    errors: ['NoSuchBucket', 'NotImplemented'],
    resolve: resolveBucket,
    checks: needs(`s3:${put}`),
    audit: bucketAudit(query),
    handle() {
      const text = 'A parameter you provided implies functionality that is not implemented'
      throw s3Error('NotImplemented', { Parameter: query }, { text })
    },
  })
}

/** There is nothing to delete, and that is no failure. */
function deleteAbsent(setting: Setting, permission: string): AnyOperation {
  return operation({
    name: deletionOf(setting),
    input: structure(bucketInput),
    output: structure({}, { status: 204 }),
    effects: 'write',
    errors: ['NoSuchBucket'],
    resolve: resolveBucket,
    checks: needs(`s3:${permission}`),
    audit: bucketAudit(setting.query),
    handle: () => ({ output: {} }),
  })
}
