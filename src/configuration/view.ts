import type { AccountId, Region } from '../base/ids.ts'

/** The types of resources whose configuration is recorded; those of AWS by AWS's names. */
export const resourceTypes = [
  'AWS::CloudTrail::Trail',
  'AWS::IAM::Group',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::IAM::User',
  'AWS::KMS::Alias',
  'AWS::KMS::Key',
  'AWS::S3::Bucket',
  // AWS Config has no type for grants.
  'Kagiban::KMS::Grant',
] as const
export type ResourceType = (typeof resourceTypes)[number]

/** Which resource: names may be given anew, these are not, but for aliases, trails and buckets. */
export type ResourceRef = {
  readonly type: ResourceType
  readonly account: AccountId
  /** IAM's identities are in no Region: they stand in the history of each. */
  readonly region: Region | 'global'
  readonly id: string
}

/** What of a resource its configuration item shows. */
export type ResourceView = ResourceRef & {
  readonly arn: string
  readonly name: string
  /** ms since the epoch */
  readonly createdAt: number | undefined
  readonly tags: Readonly<Record<string, string>>
  readonly relationships: readonly Relationship[]
  readonly configuration: Readonly<Record<string, unknown>>
  readonly supplementary: Readonly<Record<string, string>>
}

export type Relationship = {
  readonly resourceType: ResourceType
  readonly resourceId: string
  readonly resourceName: string
  readonly relationshipName: string
}

/** Sorts as resources are discovered, and tells two of them apart. */
export function refText({ type, account, region, id }: ResourceRef): string {
  return `${type} ${account} ${region} ${id}`
}

/** ISO 8601, as items have times. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
