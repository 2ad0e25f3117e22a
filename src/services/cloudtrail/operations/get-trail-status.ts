import { boolean, required, string, structure, timestamp } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded, trailResource } from '../audit.ts'
import { trailCheck } from '../checks.ts'
import type { CloudTrailDeps } from '../deps.ts'
import { seenTrail, trailNamed } from '../trail-name.ts'

/** Members about notifications, log groups and attempts are never there. */
export const getTrailStatus = operation({
  name: 'GetTrailStatus',
  input: structure({ Name: required(string()) }),
  output: structure({
    IsLogging: boolean(),
    LatestDeliveryError: string(),
    LatestNotificationError: string(),
    LatestDeliveryTime: timestamp(),
    LatestNotificationTime: timestamp(),
    StartLoggingTime: timestamp(),
    StopLoggingTime: timestamp(),
    LatestCloudWatchLogsDeliveryError: string(),
    LatestCloudWatchLogsDeliveryTime: timestamp(),
    LatestDigestDeliveryTime: timestamp(),
    LatestDigestDeliveryError: string(),
    LatestDeliveryAttemptTime: string(),
    LatestNotificationAttemptTime: string(),
    LatestNotificationAttemptSucceeded: string(),
    LatestDeliveryAttemptSucceeded: string(),
    TimeLoggingStarted: string(),
    TimeLoggingStopped: string(),
  }),
  effects: 'read',
  errors: ['invalid-trail-arn', 'invalid-trail-name', 'trail-not-found'],
  resolve: (call, request, _deps: CloudTrailDeps) => trailNamed(call, request.Name),
  checks: (_call, _request, name, { trails }) => [
    trailCheck('cloudtrail:GetTrailStatus', name, trails),
  ],
  audit: {
    request: (request) => recorded(request, 'Name'),
    resources: (name) => [trailResource(name)],
  },
  handle(call, _request, name, { trails, delivery }) {
    const { arn, logging, startedAt, stoppedAt } = seenTrail(call, name, trails)
    const status = delivery.status(arn)
    return {
      output: {
        IsLogging: logging,
        LatestDeliveryError: status.latestDeliveryError,
        LatestDeliveryTime: status.latestDelivery,
        StartLoggingTime: startedAt,
        StopLoggingTime: stoppedAt,
        LatestDigestDeliveryTime: status.latestDigestDelivery,
        LatestDigestDeliveryError: status.latestDigestDeliveryError,
        TimeLoggingStarted: inSeconds(startedAt),
        TimeLoggingStopped: inSeconds(stoppedAt),
      },
    }
  },
})

/** As in `2026-01-02T03:04:05Z`. */
function inSeconds(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : `${new Date(ms).toISOString().slice(0, 19)}Z`
}
