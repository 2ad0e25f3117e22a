import type { TrailRecord } from '../services/cloudtrail/trails.ts'
import type { ResourceView } from './view.ts'

/** A trail as AWS Config shows it. Whether it is logging stands beside it: starting and stopping are changes. */
export function trailView(trail: TrailRecord): ResourceView {
  const { arn, name, account, homeRegion, selectors } = trail
  return {
    ...{ type: 'AWS::CloudTrail::Trail', account, region: homeRegion, id: arn, arn, name },
    createdAt: undefined,
    tags: Object.fromEntries(trail.tags.map(({ key, value }) => [key, value])),
    relationships: [],
    configuration: {
      ...{ name, homeRegion, trailARN: arn },
      s3BucketName: trail.bucket,
      s3KeyPrefix: trail.prefix,
      includeGlobalServiceEvents: trail.globalServiceEvents,
      isMultiRegionTrail: trail.multiRegion,
      isOrganizationTrail: false,
      logFileValidationEnabled: trail.validation,
      kmsKeyId: trail.kmsKeyArn,
      hasCustomEventSelectors: selectors !== undefined,
    },
    supplementary: {
      IsLogging: String(trail.logging),
      ...(selectors && { EventSelectors: JSON.stringify(selectors) }),
    },
  }
}
