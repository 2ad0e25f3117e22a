import { required, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded, trailResource } from '../audit.ts'
import { trailCheck } from '../checks.ts'
import type { CloudTrailDeps } from '../deps.ts'
import { ownTrail, trailNamed } from '../trail-name.ts'

/** Ends the delivery to the bucket of this trail. Nothing ends the journal. */
export const stopLogging = operation({
  name: 'StopLogging',
  input: structure({ Name: required(string()) }),
  output: structure({}),
  effects: 'write',
  errors: [
    ...(['conflict', 'invalid-home-region', 'invalid-trail-arn', 'invalid-trail-name'] as const),
    'trail-not-found',
  ],
  resolve: (call, request, _deps: CloudTrailDeps) => trailNamed(call, request.Name),
  checks: (_call, _request, name, { trails }) => [
    trailCheck('cloudtrail:StopLogging', name, trails),
  ],
  audit: {
    request: (request) => recorded(request, 'Name'),
    resources: (name) => [trailResource(name)],
  },
  handle(call, _request, name, { trails }) {
    const trail = ownTrail(call, name, trails)
    if (trail.logging === false) return { output: {} }
    const next = { ...trail, logging: false, stoppedAt: call.now }
    return { output: {}, changes: [trails.replace(trail, next)] }
  },
})
