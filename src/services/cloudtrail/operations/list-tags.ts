import { list, required, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded, trailResource } from '../audit.ts'
import { trailCheck } from '../checks.ts'
import type { CloudTrailDeps } from '../deps.ts'
import { invalidToken } from '../errors.ts'
import * as shapes from '../shapes.ts'
import { taggedTrail, taggedTrailName } from '../tagged-trail.ts'
import { tagsOutput } from '../tags.ts'

/** Of up to twenty trails. One page holds them all: no token was ever given out. */
export const listTags = operation({
  name: 'ListTags',
  input: structure({
    ResourceIdList: required(list(string(), { max: 20 })),
    NextToken: string(),
  }),
  output: structure({
    ResourceTagList: list(structure({ ResourceId: string(), TagsList: shapes.tagsList })),
    NextToken: string(),
  }),
  effects: 'read',
  errors: [
    ...(['invalid-token', 'invalid-trail-arn', 'resource-not-found'] as const),
    'resource-type-not-supported',
  ],
  resolve(_call, request, _deps: CloudTrailDeps) {
    if (request.NextToken !== undefined) throw invalidToken()
    return request.ResourceIdList.map(taggedTrailName)
  },
  checks: (_call, _request, names, { trails }) =>
    names.map((name) => trailCheck('cloudtrail:ListTags', name, trails)),
  audit: {
    request: (request) => recorded(request, 'ResourceIdList', 'NextToken'),
    resources: (names) => names.map(trailResource),
  },
  handle(call, _request, names, { trails }) {
    const ResourceTagList = names.map((name) => ({
      ResourceId: name.arn,
      TagsList: tagsOutput(taggedTrail(call, name, trails).tags),
    }))
    return { output: { ResourceTagList } }
  },
})
