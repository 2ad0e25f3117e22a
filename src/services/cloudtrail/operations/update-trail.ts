import { required, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded, trailResource } from '../audit.ts'
import { trailCheck } from '../checks.ts'
import type { CloudTrailDeps } from '../deps.ts'
import { invalidCombination } from '../errors.ts'
import { checkDelivery, checkSettings, kmsKeyArn, obstacle, withSettings } from '../settings.ts'
import * as shapes from '../shapes.ts'
import { ownTrail, trailNamed } from '../trail-name.ts'

/** What says where files go, and under which key. */
const destinations = ['S3BucketName', 'S3KeyPrefix', 'KmsKeyId'] as const

/** What is not named stays as it is. */
export const updateTrail = operation({
  name: 'UpdateTrail',
  input: structure({
    Name: required(string()),
    S3BucketName: string(),
    ...shapes.settings,
  }),
  output: shapes.changedTrail,
  effects: 'write',
  errors: [
    ...(['bucket-does-not-exist', 'cloud-watch-logs-unavailable', 'conflict'] as const),
    ...(['insufficient-bucket-policy', 'insufficient-encryption-policy'] as const),
    'insufficient-sns-topic-policy',
    ...(['invalid-bucket-name', 'invalid-bucket-prefix', 'invalid-home-region'] as const),
    ...(['invalid-kms-key-id', 'invalid-parameter-combination', 'invalid-trail-arn'] as const),
    ...(['invalid-trail-name', 'kms-key-not-found', 'kms-key-unfit'] as const),
    ...(['organizations-not-in-use', 'trail-not-found'] as const),
  ],
  resolve(call, request, _deps: CloudTrailDeps) {
    const name = trailNamed(call, request.Name)
    checkSettings(request)
    return name
  },
  checks: (_call, _request, name, { trails }) => [
    trailCheck('cloudtrail:UpdateTrail', name, trails),
  ],
  audit: {
    request: (request) => recorded(request, 'Name', 'S3BucketName', ...shapes.settingNames),
    response: (answer) => recorded(answer, ...shapes.describedNames),
    resources: (name) => [trailResource(name)],
  },
  async handle(call, request, name, deps) {
    const before = ownTrail(call, name, deps.trails)
    const trail = withSettings(before, request, kmsKeyArn(call, request, deps))
    const found =
      trail.multiRegion && !before.multiRegion ? obstacle(trail, before, deps) : undefined
    if (found !== undefined) {
      const there =
        found.reason === 'name' ? 'a trail of that name' : `${deps.limits.trails} trails`
      throw invalidCombination(
        `Trail ${trail.name} cannot be in all Regions: there is ${there} in ${found.region}.`,
      )
    }
    if (destinations.some((name) => request[name] !== undefined)) await checkDelivery(trail, deps)
    return {
      output: shapes.changedTrailOutput(trail),
      changes: [deps.trails.replace(before, trail)],
    }
  },
})
