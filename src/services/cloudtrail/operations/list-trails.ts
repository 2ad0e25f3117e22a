import { list, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import { accountCheck } from '../checks.ts'
import type { CloudTrailDeps } from '../deps.ts'
import { invalidToken } from '../errors.ts'

/** Those of every home Region. One page holds them all: no token was ever given out. */
export const listTrails = operation({
  name: 'ListTrails',
  input: structure({ NextToken: string() }),
  output: structure({
    Trails: list(structure({ TrailARN: string(), Name: string(), HomeRegion: string() })),
    NextToken: string(),
  }),
  effects: 'read',
  errors: ['invalid-token'],
  resolve(_call, request, _deps: CloudTrailDeps): undefined {
    if (request.NextToken !== undefined) throw invalidToken()
  },
  checks: (call) => [accountCheck(call, 'cloudtrail:ListTrails')],
  audit: { request: (request) => recorded(request, 'NextToken') },
  handle({ caller }, _request, _target, { trails }) {
    const Trails = trails
      .ofAccount(caller.account)
      .map(({ arn, name, homeRegion }) => ({ TrailARN: arn, Name: name, HomeRegion: homeRegion }))
    return { output: { Trails } }
  },
})
