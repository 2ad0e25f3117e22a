import { required, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded, trailResource } from '../audit.ts'
import { trailCheck } from '../checks.ts'
import type { CloudTrailDeps } from '../deps.ts'
import * as shapes from '../shapes.ts'
import { seenTrail, trailNamed } from '../trail-name.ts'

export const getTrail = operation({
  name: 'GetTrail',
  input: structure({ Name: required(string()) }),
  output: structure({ Trail: shapes.trail }),
  effects: 'read',
  errors: ['invalid-trail-arn', 'invalid-trail-name', 'trail-not-found'],
  resolve: (call, request, _deps: CloudTrailDeps) => trailNamed(call, request.Name),
  checks: (_call, _request, name, { trails }) => [trailCheck('cloudtrail:GetTrail', name, trails)],
  audit: {
    request: (request) => recorded(request, 'Name'),
    resources: (name) => [trailResource(name)],
  },
  handle: (call, _request, name, { trails }) => ({
    output: { Trail: shapes.trailOutput(seenTrail(call, name, trails)) },
  }),
})
