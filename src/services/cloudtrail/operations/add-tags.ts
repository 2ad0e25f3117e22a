import { required, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { requestTagConditions } from '../../tag-conditions.ts'
import { recorded, trailResource } from '../audit.ts'
import { trailCheck } from '../checks.ts'
import type { CloudTrailDeps } from '../deps.ts'
import * as shapes from '../shapes.ts'
import { taggedTrail, taggedTrailName } from '../tagged-trail.ts'
import { mergeTags, namedTags, tagsOf } from '../tags.ts'

export const addTags = operation({
  name: 'AddTags',
  input: structure({ ResourceId: required(string()), TagsList: required(shapes.tagsList) }),
  output: structure({}),
  effects: 'write',
  errors: [
    ...(['conflict', 'invalid-tag-parameter', 'invalid-trail-arn', 'resource-not-found'] as const),
    ...(['resource-type-not-supported', 'tags-limit-exceeded'] as const),
  ],
  resolve: (_call, request, _deps: CloudTrailDeps) => ({
    ...taggedTrailName(request.ResourceId),
    added: tagsOf(request.TagsList),
  }),
  checks: (_call, request, name, { trails }) => [
    trailCheck(
      'cloudtrail:AddTags',
      name,
      trails,
      requestTagConditions(namedTags(request.TagsList)),
    ),
  ],
  audit: {
    request: (request) => recorded(request, 'ResourceId', 'TagsList'),
    resources: (name) => [trailResource(name)],
  },
  handle(call, _request, { added, ...name }, { trails }) {
    const trail = taggedTrail(call, name, trails)
    const next = { ...trail, tags: mergeTags(trail.tags, added) }
    return { output: {}, changes: [trails.replace(trail, next)] }
  },
})
