import { boolean, list, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import { accountCheck } from '../checks.ts'
import type { CloudTrailDeps } from '../deps.ts'
import * as shapes from '../shapes.ts'
import { trailNamed } from '../trail-name.ts'
import { isIn } from '../trails.ts'

/** Without names all trails that the Region has; of those that are named, the ones that there are. */
export const describeTrails = operation({
  name: 'DescribeTrails',
  input: structure({ trailNameList: list(string()), includeShadowTrails: boolean() }),
  output: structure({ trailList: list(shapes.trail) }),
  effects: 'read',
  errors: ['invalid-trail-arn', 'invalid-trail-name'],
  resolve(call, request, _deps: CloudTrailDeps): ReadonlySet<string> {
    return new Set(request.trailNameList?.map((text) => trailNamed(call, text).arn))
  },
  checks: (call) => [accountCheck(call, 'cloudtrail:DescribeTrails')],
  audit: { request: (request) => recorded(request, 'trailNameList', 'includeShadowTrails') },
  handle({ caller, region }, request, arns, { trails }) {
    const shadows = request.includeShadowTrails ?? true
    const found = trails
      .ofAccount(caller.account)
      .filter((trail) => trail.homeRegion === region || (shadows && isIn(trail, region)))
      .filter(({ arn }) => arns.size === 0 || arns.has(arn))
    return { output: { trailList: found.map(shapes.trailOutput) } }
  },
})
