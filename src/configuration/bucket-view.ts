import { type BucketRecord, bucketArn, defaultEncryptionOf } from '../services/s3/bucket.ts'
import { textDigest } from '../storage/port.ts'
import { isoTime, type ResourceView } from './view.ts'

/**
 * A bucket as AWS Config shows it, with the members that it has here. `shown` is its policy with the names of
 * principals; `PolicySha256` is that of the text that decides.
 */
export function bucketView(bucket: BucketRecord, shown: string | undefined): ResourceView {
  const { name, account, region, createdAt, policy } = bucket
  return {
    ...{ type: 'AWS::S3::Bucket', account, region, id: name, arn: bucketArn(name), name },
    createdAt,
    tags: Object.fromEntries((bucket.tags ?? []).map(({ key, value }) => [key, value])),
    relationships: [],
    configuration: {
      name,
      creationDate: isoTime(createdAt),
      owner: { displayName: null, id: account },
      region,
    },
    supplementary: {
      BucketPolicy: JSON.stringify({ policyText: shown ?? null }),
      ...(policy !== undefined && { PolicySha256: textDigest(policy) }),
      BucketVersioningConfiguration: JSON.stringify({
        status: versioningOf(bucket),
        isMfaDeleteEnabled: null,
      }),
      ServerSideEncryptionConfiguration: JSON.stringify(encryptionOf(bucket)),
      ...(bucket.publicAccessBlock && {
        PublicAccessBlockConfiguration: JSON.stringify(bucket.publicAccessBlock),
      }),
      ...(bucket.ownership && {
        OwnershipControls: JSON.stringify({ rules: [{ objectOwnership: bucket.ownership }] }),
      }),
    },
  }
}

function versioningOf({ versioning }: BucketRecord): string {
  if (versioning === undefined) return 'Off'
  return versioning === 'enabled' ? 'Enabled' : 'Suspended'
}

function encryptionOf(bucket: BucketRecord) {
  const { algorithm, keyId, bucketKey } = defaultEncryptionOf(bucket)
  const byDefault = { sseAlgorithm: algorithm, kmsMasterKeyID: keyId ?? null }
  return { rules: [{ applyServerSideEncryptionByDefault: byDefault, bucketKeyEnabled: bucketKey }] }
}
