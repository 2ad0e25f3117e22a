import { required, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { tagKeyConditions } from '../../tag-conditions.ts'
import { recorded, trailResource } from '../audit.ts'
import { trailCheck } from '../checks.ts'
import type { CloudTrailDeps } from '../deps.ts'
import * as shapes from '../shapes.ts'
import { taggedTrail, taggedTrailName } from '../tagged-trail.ts'
import { withoutTags } from '../tags.ts'

export const removeTags = operation({
  name: 'RemoveTags',
  input: structure({ ResourceId: required(string()), TagsList: required(shapes.tagsList) }),
  output: structure({}),
  effects: 'write',
  errors: [
    ...(['conflict', 'invalid-trail-arn', 'resource-not-found'] as const),
    'resource-type-not-supported',
  ],
  resolve: (_call, request, _deps: CloudTrailDeps) => taggedTrailName(request.ResourceId),
  checks: (_call, request, name, { trails }) => {
    const tagKeys = request.TagsList.map(({ Key }) => Key)
    return [trailCheck('cloudtrail:RemoveTags', name, trails, tagKeyConditions(tagKeys))]
  },
  audit: {
    request: (request) => recorded(request, 'ResourceId', 'TagsList'),
    resources: (name) => [trailResource(name)],
  },
  handle(call, request, name, { trails }) {
    const trail = taggedTrail(call, name, trails)
    const next = { ...trail, tags: withoutTags(trail.tags, request.TagsList) }
    return { output: {}, changes: [trails.replace(trail, next)] }
  },
})
