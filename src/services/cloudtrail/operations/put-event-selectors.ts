import { required, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded, trailResource } from '../audit.ts'
import { trailCheck } from '../checks.ts'
import type { CloudTrailDeps } from '../deps.ts'
import { selectorsOf, selectorsOutput } from '../event-selectors.ts'
import * as shapes from '../shapes.ts'
import { ownTrail, trailNamed } from '../trail-name.ts'

export const putEventSelectors = operation({
  name: 'PutEventSelectors',
  input: structure({
    TrailName: required(string()),
    EventSelectors: shapes.eventSelectors,
    AdvancedEventSelectors: shapes.advancedEventSelectors,
  }),
  output: structure({
    TrailARN: string(),
    EventSelectors: shapes.eventSelectors,
    AdvancedEventSelectors: shapes.advancedEventSelectors,
  }),
  effects: 'write',
  errors: [
    ...(['conflict', 'invalid-event-selectors', 'invalid-home-region'] as const),
    ...(['invalid-trail-arn', 'invalid-trail-name', 'trail-not-found'] as const),
  ],
  resolve: (call, request, _deps: CloudTrailDeps) => ({
    ...trailNamed(call, request.TrailName),
    selectors: selectorsOf(request),
  }),
  checks: (_call, _request, name, { trails }) => [
    trailCheck('cloudtrail:PutEventSelectors', name, trails),
  ],
  audit: {
    request: (request) =>
      recorded(request, 'TrailName', 'EventSelectors', 'AdvancedEventSelectors'),
    response: (answer) => recorded(answer, 'TrailARN', 'EventSelectors', 'AdvancedEventSelectors'),
    resources: (name) => [trailResource(name)],
  },
  handle(call, _request, { selectors, ...name }, { trails }) {
    const trail = ownTrail(call, name, trails)
    return {
      output: { TrailARN: trail.arn, ...selectorsOutput(selectors) },
      changes: [trails.replace(trail, { ...trail, selectors })],
    }
  },
})
