import type { TestContext } from 'node:test'
import { account } from '../../src/testing/house.ts'
import { type How, Stage } from './stage.ts'

const Name = 'trail'
const TrailARN = `arn:aws:cloudtrail:us-east-1:${account}:trail/${Name}`
const TagsList = [{ Key: 'team', Value: 'red' }]

/** Every operation of CloudTrail. */
export async function cloudTrailRecords(t: TestContext): Promise<Stage> {
  const stage = await Stage.open(t, 'cloudtrail')
  stage.house.buckets.set('logs', undefined)
  const call = (operation: string, input: object, how: How = {}) =>
    stage.call(operation, input, {
      ...{ service: 'cloudtrail', target: `CloudTrail_20131101.${operation}`, ...how },
    })
  const trail = { Name, S3BucketName: 'logs', S3KeyPrefix: 'audit' }
  await call('CreateTrail', { ...trail, EnableLogFileValidation: true, TagsList })
  const note = 'no bucket'
  const error = 'S3BucketDoesNotExistException'
  await call('CreateTrail', { Name: 'other', S3BucketName: 'none' }, { note, error, denied: false })
  await call('GetTrail', { Name })
  await call('DescribeTrails', { trailNameList: [Name] })
  await call('ListTrails', {})
  await call('UpdateTrail', { Name, S3KeyPrefix: 'other' })
  await call('StartLogging', { Name })
  await call('GetTrailStatus', { Name })
  await call('StopLogging', { Name: TrailARN })
  const EventSelectors = [{ ReadWriteType: 'WriteOnly', IncludeManagementEvents: true }]
  await call('PutEventSelectors', { TrailName: Name, EventSelectors })
  await call('GetEventSelectors', { TrailName: Name })
  await call('AddTags', { ResourceId: TrailARN, TagsList })
  await call('ListTags', { ResourceIdList: [TrailARN] })
  await call('RemoveTags', { ResourceId: TrailARN, TagsList })
  await call('ListPublicKeys', {})
  const LookupAttributes = [{ AttributeKey: 'EventName', AttributeValue: 'Decrypt' }]
  await call('LookupEvents', { LookupAttributes, MaxResults: 5 })
  await call('DeleteTrail', { Name })
  return stage
}
