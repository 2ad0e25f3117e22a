import { required, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { requestTagConditions } from '../../tag-conditions.ts'
import { recorded, trailResource } from '../audit.ts'
import { trailCheck } from '../checks.ts'
import type { CloudTrailDeps } from '../deps.ts'
import { trailAlreadyExists, trailsExceeded } from '../errors.ts'
import { checkDelivery, checkSettings, kmsKeyArn, obstacle, withSettings } from '../settings.ts'
import * as shapes from '../shapes.ts'
import { mergeTags, namedTags, tagsOf } from '../tags.ts'
import { checkTrailName, trailNamed } from '../trail-name.ts'

const input = structure({
  Name: required(string()),
  S3BucketName: required(string()),
  ...shapes.settings,
  TagsList: shapes.tagsList,
})

/** A new trail does not log until StartLogging. */
export const createTrail = operation({
  name: 'CreateTrail',
  input,
  output: shapes.changedTrail,
  effects: 'write',
  errors: [
    ...(['bucket-does-not-exist', 'cloud-watch-logs-unavailable', 'conflict'] as const),
    ...(['insufficient-bucket-policy', 'insufficient-encryption-policy'] as const),
    'insufficient-sns-topic-policy',
    ...(['invalid-bucket-name', 'invalid-bucket-prefix', 'invalid-kms-key-id'] as const),
    ...(['invalid-parameter-combination', 'invalid-tag-parameter', 'invalid-trail-name'] as const),
    ...(['kms-key-not-found', 'kms-key-unfit', 'organizations-not-in-use'] as const),
    ...(['tags-limit-exceeded', 'trail-already-exists', 'trails-exceeded'] as const),
  ],
  /** The trail to be, without its key. */
  resolve(call, request, _deps: CloudTrailDeps) {
    checkTrailName(request.Name)
    checkSettings(request)
    const { homeRegion, account, name, arn } = trailNamed(call, request.Name)
    const draft = {
      ...{ arn, name, account, homeRegion, bucket: request.S3BucketName },
      ...{ multiRegion: false, globalServiceEvents: true, validation: false, logging: false },
      tags: mergeTags([], tagsOf(request.TagsList ?? [])),
    }
    return withSettings(draft, request, undefined)
  },
  *checks(_call, request, trail, { trails }) {
    const tagConditions = requestTagConditions(namedTags(request.TagsList))
    yield trailCheck('cloudtrail:CreateTrail', trail, trails, tagConditions)
    if (trail.tags.length > 0) yield trailCheck('cloudtrail:AddTags', trail, trails, tagConditions)
  },
  audit: {
    request: (request) =>
      recorded(request, 'Name', 'S3BucketName', ...shapes.settingNames, 'TagsList'),
    response: (answer) => recorded(answer, ...shapes.describedNames),
    resources: (trail, _request, answer) => (answer === undefined ? [] : [trailResource(trail)]),
  },
  async handle(call, request, draft, deps) {
    const { account, name } = draft
    const found = obstacle(draft, undefined, deps)
    if (found?.reason === 'name') throw trailAlreadyExists(name, account)
    if (found?.reason === 'count') throw trailsExceeded(account, deps.limits.trails, found.region)
    const trail = withSettings(draft, request, kmsKeyArn(call, request, deps))
    await checkDelivery(trail, deps)
    return { output: shapes.changedTrailOutput(trail), changes: [deps.trails.add(trail)] }
  },
})
