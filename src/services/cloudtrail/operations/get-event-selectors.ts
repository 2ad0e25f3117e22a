import { required, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded, trailResource } from '../audit.ts'
import { trailCheck } from '../checks.ts'
import type { CloudTrailDeps } from '../deps.ts'
import { selectorsOutput } from '../event-selectors.ts'
import * as shapes from '../shapes.ts'
import { seenTrail, trailNamed } from '../trail-name.ts'

export const getEventSelectors = operation({
  name: 'GetEventSelectors',
  input: structure({ TrailName: required(string()) }),
  output: structure({
    TrailARN: string(),
    EventSelectors: shapes.eventSelectors,
    AdvancedEventSelectors: shapes.advancedEventSelectors,
  }),
  effects: 'read',
  errors: ['invalid-trail-arn', 'invalid-trail-name', 'trail-not-found'],
  resolve: (call, request, _deps: CloudTrailDeps) => trailNamed(call, request.TrailName),
  checks: (_call, _request, name, { trails }) => [
    trailCheck('cloudtrail:GetEventSelectors', name, trails),
  ],
  audit: {
    request: (request) => recorded(request, 'TrailName'),
    resources: (name) => [trailResource(name)],
  },
  handle(call, _request, name, { trails }) {
    const { arn, selectors } = seenTrail(call, name, trails)
    return { output: { TrailARN: arn, ...selectorsOutput(selectors) } }
  },
})
