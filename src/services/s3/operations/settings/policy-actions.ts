import { compileAnyGlob, parseGlob, type TextTest } from '../../../../authorize/glob.ts'

/**
 * The actions that a bucket policy can be about, by what they are done to; those of accounts are not among them.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
const ofBuckets = [
  ...['CreateBucket', 'CreateBucketMetadataTableConfiguration', 'DeleteBucket'],
  ...['DeleteBucketMetadataTableConfiguration', 'DeleteBucketPolicy', 'DeleteBucketWebsite'],
  ...['GetAccelerateConfiguration', 'GetAnalyticsConfiguration', 'GetBucketAbac', 'GetBucketAcl'],
  ...['GetBucketCORS', 'GetBucketLocation', 'GetBucketLogging'],
  ...['GetBucketMetadataTableConfiguration', 'GetBucketNotification'],
  ...['GetBucketObjectLockConfiguration', 'GetBucketOwnershipControls', 'GetBucketPolicy'],
  ...['GetBucketPolicyStatus', 'GetBucketPublicAccessBlock', 'GetBucketRequestPayment'],
  ...['GetBucketTagging', 'GetBucketVersioning', 'GetBucketWebsite', 'GetEncryptionConfiguration'],
  ...['GetIntelligentTieringConfiguration', 'GetInventoryConfiguration'],
  ...['GetLifecycleConfiguration', 'GetMetricsConfiguration', 'GetReplicationConfiguration'],
  ...['ListBucket', 'ListBucketMultipartUploads', 'ListBucketVersions', 'ListTagsForResource'],
  ...['PutAccelerateConfiguration', 'PutAnalyticsConfiguration', 'PutBucketAbac', 'PutBucketAcl'],
  ...['PutBucketCORS', 'PutBucketLogging', 'PutBucketNotification'],
  ...['PutBucketObjectLockConfiguration', 'PutBucketOwnershipControls', 'PutBucketPolicy'],
  ...['PutBucketPublicAccessBlock', 'PutBucketRequestPayment', 'PutBucketTagging'],
  ...['PutBucketVersioning', 'PutBucketWebsite', 'PutEncryptionConfiguration'],
  ...['PutIntelligentTieringConfiguration', 'PutInventoryConfiguration'],
  ...['PutLifecycleConfiguration', 'PutMetricsConfiguration', 'PutReplicationConfiguration'],
  ...['TagResource', 'UntagResource', 'UpdateBucketMetadataInventoryTableConfiguration'],
  ...['UpdateBucketMetadataJournalTableConfiguration'],
].map(fold)

const ofObjects = [
  ...['AbortMultipartUpload', 'BypassGovernanceRetention', 'DeleteObject', 'DeleteObjectTagging'],
  ...['DeleteObjectVersion', 'DeleteObjectVersionTagging', 'GetObject', 'GetObjectAcl'],
  ...['GetObjectAttributes', 'GetObjectLegalHold', 'GetObjectRetention', 'GetObjectTagging'],
  ...['GetObjectTorrent', 'GetObjectVersion', 'GetObjectVersionAcl', 'GetObjectVersionAttributes'],
  ...['GetObjectVersionForReplication', 'GetObjectVersionTagging', 'GetObjectVersionTorrent'],
  ...['InitiateReplication', 'ListMultipartUploadParts', 'ObjectOwnerOverrideToBucketOwner'],
  ...['PutObject', 'PutObjectAcl', 'PutObjectLegalHold', 'PutObjectRetention'],
  ...['PutObjectTagging', 'PutObjectVersionAcl', 'PutObjectVersionTagging', 'ReplicateDelete'],
  ...['ReplicateObject', 'ReplicateTags', 'RestoreObject', 'UpdateObjectEncryption'],
].map(fold)

function fold(name: string): string {
  return `s3:${name.toLowerCase()}`
}

/** What an action of a policy, perhaps with wildcards, stands for; undefined for what is no action of S3. */
export function subjectsOf(
  action: string,
): { readonly buckets: boolean; readonly objects: boolean } | undefined {
  const matches: TextTest = compileAnyGlob([parseGlob(action.toLowerCase())])
  const buckets = ofBuckets.some(matches)
  const objects = ofObjects.some(matches)
  return buckets || objects ? { buckets, objects } : undefined
}
