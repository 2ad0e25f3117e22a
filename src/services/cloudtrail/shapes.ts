import { boolean, list, oneOf, required, string, structure } from '../../wire/schema.ts'
import type { TrailRecord } from './trails.ts'

// What CloudTrail answers with errors of its own has no bound here, where it would be a ValidationException.

export const tagsList = list(
  structure({ Key: required(string({ min: 1, max: 128 })), Value: string({ min: 1, max: 256 }) }),
  { max: 200 },
)

/** What CreateTrail and UpdateTrail can set. */
export const settings = {
  S3KeyPrefix: string(),
  SnsTopicName: string(),
  IncludeGlobalServiceEvents: boolean(),
  IsMultiRegionTrail: boolean(),
  EnableLogFileValidation: boolean(),
  CloudWatchLogsLogGroupArn: string(),
  CloudWatchLogsRoleArn: string(),
  KmsKeyId: string(),
  IsOrganizationTrail: boolean(),
  RecursiveLogging: boolean(),
}

/** Of these the record shows all. */
export const settingNames = Object.keys(settings) as (keyof typeof settings)[]

const described = {
  Name: string(),
  S3BucketName: string(),
  S3KeyPrefix: string(),
  SnsTopicName: string(),
  SnsTopicARN: string(),
  IncludeGlobalServiceEvents: boolean(),
  IsMultiRegionTrail: boolean(),
  TrailARN: string(),
  LogFileValidationEnabled: boolean(),
  CloudWatchLogsLogGroupArn: string(),
  CloudWatchLogsRoleArn: string(),
  KmsKeyId: string(),
  IsOrganizationTrail: boolean(),
  RecursiveLogging: boolean(),
}

/** Of these, too. */
export const describedNames = Object.keys(described) as (keyof typeof described)[]

/** What CreateTrail and UpdateTrail answer. */
export const changedTrail = structure(described)

export const trail = structure({
  ...described,
  HomeRegion: string(),
  HasCustomEventSelectors: boolean(),
  HasInsightSelectors: boolean(),
})

export function changedTrailOutput(record: TrailRecord) {
  return {
    Name: record.name,
    S3BucketName: record.bucket,
    S3KeyPrefix: record.prefix,
    IncludeGlobalServiceEvents: record.globalServiceEvents,
    IsMultiRegionTrail: record.multiRegion,
    TrailARN: record.arn,
    LogFileValidationEnabled: record.validation,
    KmsKeyId: record.kmsKeyArn,
    IsOrganizationTrail: false,
    RecursiveLogging: record.recursiveLogging ?? true,
  }
}

export function trailOutput(record: TrailRecord) {
  return {
    ...changedTrailOutput(record),
    HomeRegion: record.homeRegion,
    HasCustomEventSelectors: record.selectors !== undefined,
    HasInsightSelectors: false,
  }
}

export const eventSelectors = list(
  structure({
    ReadWriteType: oneOf('ReadOnly', 'WriteOnly', 'All'),
    IncludeManagementEvents: boolean(),
    DataResources: list(structure({ Type: string(), Values: list(string()) })),
    ExcludeManagementEventSources: list(string()),
  }),
)

const operator = list(string({ min: 1, max: 2048, pattern: '.+' }), { min: 1 })

export const advancedEventSelectors = list(
  structure({
    Name: string({ min: 0, max: 1000, pattern: '.*' }),
    FieldSelectors: required(
      list(
        structure({
          Field: required(string({ min: 1, max: 1000, pattern: '[\\w|\\d|\\.|_]+' })),
          Equals: operator,
          StartsWith: operator,
          EndsWith: operator,
          NotEquals: operator,
          NotStartsWith: operator,
          NotEndsWith: operator,
        }),
        { min: 1 },
      ),
    ),
  }),
)
