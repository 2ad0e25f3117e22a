import { structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import type { KmsDeps } from '../deps.ts'
import { eitherRetiringOfList, forServicesAlone } from '../errors.ts'
import { grantListEntry } from '../grant.ts'
import { grantPrincipal, requireGrantParty } from '../grant-principal.ts'
import { readPage } from '../paging.ts'
import * as shapes from '../shapes.ts'

/**
 * Grants on the keys of any account of the Region that one principal may retire. The principal is what the permission
 * is about, and must be of the caller's account; no permission on the keys is asked for.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ListRetirableGrants.html
 */
export const listRetirableGrants = operation({
  name: 'ListRetirableGrants',
  input: structure({
    Limit: shapes.limit,
    Marker: shapes.marker,
    RetiringPrincipal: shapes.principal,
    RetiringServicePrincipal: shapes.servicePrincipal,
  }),
  output: structure({ Grants: shapes.grants, ...shapes.paged }),
  effects: 'read',
  errors: ['invalid-arn', 'invalid-marker'],
  resolve(_call, request, _deps: KmsDeps) {
    const { RetiringPrincipal: arn, RetiringServicePrincipal: service } = request
    if ((arn === undefined) === (service === undefined)) throw eitherRetiringOfList()
    if (arn === undefined) throw forServicesAlone('RetiringServicePrincipal')
    return { arn, account: grantPrincipal(arn).account }
  },
  checks: (_call, _request, { arn, account }) => [
    {
      permission: 'kms:ListRetirableGrants',
      resource: { type: 'identity', arn, account },
      conditions: {},
    },
  ],
  audit: {
    request: (request) => ({
      retiringPrincipal: request.RetiringPrincipal,
      retiringServicePrincipal: request.RetiringServicePrincipal,
      limit: request.Limit,
      marker: request.Marker,
    }),
  },
  handle({ region }, request, { arn }, { grants, policies }) {
    const party = requireGrantParty(arn, policies.principals)
    const page = readPage(request, {
      scope: ['ListRetirableGrants', region, party],
      defaultLimit: 50,
      after: (after, count) => grants.retirableBy(party, region, { after, count }),
      positionOf: ({ grantId }) => grantId,
    })
    // A page may have fewer than were asked for: grants whose keys have just gone are left out.
    const entries = page.items.flatMap((grant) => {
      const key = grants.keyOf(grant)
      return key === undefined ? [] : [grantListEntry(grant, key, policies.principals)]
    })
    return { output: { Grants: entries, ...page.truncated } }
  },
})
