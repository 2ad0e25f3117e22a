import { structure } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import { bucketInput } from '../../object-request.ts'
import {
  bucketAudit,
  needs,
  type OptionalSetting,
  resolveBucket,
  without,
} from './bucket-operation.ts'

/** The operation that takes one setting from a bucket; to take one that it does not have changes nothing. */
export function settingDeletion({
  name,
  recordedAs,
  permission,
  subresource,
  setting,
}: {
  readonly name: string
  readonly recordedAs?: string
  readonly permission: string
  readonly subresource: string
  readonly setting: OptionalSetting
}) {
  return operation({
    name,
    ...(recordedAs === undefined ? {} : { recordedAs }),
    input: structure(bucketInput),
    output: structure({}, { status: 204 }),
    effects: 'write',
    errors: ['NoSuchBucket'],
    resolve: resolveBucket,
    checks: needs(permission),
    audit: bucketAudit(subresource),
    handle(_call, _input, bucket, { buckets }) {
      if (bucket[setting] === undefined) return { output: {} }
      return { output: {}, changes: [buckets.replace(bucket, without(bucket, setting))] }
    },
  })
}
