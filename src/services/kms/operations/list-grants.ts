import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { sharedCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { forServicesAlone } from '../errors.ts'
import { type GrantRecord, grantListEntry, isServiceName } from '../grant.ts'
import { partyShownAs } from '../grant-principal.ts'
import { forAwsResource } from '../grant-request.ts'
import { requireGrantId } from '../grant-token.ts'
import { type GrantRange, type Grants, positionOnKey } from '../grants.ts'
import { arnOf, type KeyRecord } from '../key.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import { readPage } from '../paging.ts'
import * as shapes from '../shapes.ts'

const rules = { ...managed('kms:ListGrants'), crossAccount: true }

export const listGrants = operation({
  name: 'ListGrants',
  input: structure({
    Limit: shapes.limit,
    Marker: shapes.marker,
    KeyId: required(shapes.keyId),
    GrantId: shapes.grantId,
    GranteePrincipal: shapes.principal,
    GranteeServicePrincipal: shapes.servicePrincipal,
  }),
  output: structure({ Grants: shapes.grants, ...shapes.paged }),
  effects: 'read',
  errors: ['invalid-arn', 'invalid-grant-id', 'invalid-marker', 'not-found'],
  resolve(call, request, { state }: KmsDeps) {
    if (request.GranteeServicePrincipal !== undefined) {
      throw forServicesAlone('GranteeServicePrincipal')
    }
    if (request.GrantId !== undefined) requireGrantId(request.GrantId)
    return resolveKey(call, request.KeyId, rules, state)
  },
  checks: (call, _request, target, deps) => [
    sharedCheck(call, rules.permission, target, deps, forAwsResource(call)),
  ],
  audit: {
    request: (request) => ({
      keyId: request.KeyId,
      grantId: request.GrantId,
      granteePrincipal: request.GranteePrincipal,
      granteeServicePrincipal: request.GranteeServicePrincipal,
      limit: request.Limit,
      marker: request.Marker,
    }),
    resources: ({ key }) => [keyResource(key)],
  },
  handle(_call, request, { key }, { grants, policies: { principals } }) {
    requireState(key, 'ListGrants')
    const { GrantId: grantId, GranteePrincipal: arn } = request
    const grantee = arn === undefined ? undefined : partyShownAs(arn, principals)
    const page = readPage(request, {
      scope: ['ListGrants', arnOf(key), grantId ?? '', grantee ?? ''],
      defaultLimit: 50,
      after: (after, count) => wanted(grants, key, { grantId, grantee }, { after, count }),
      positionOf: positionOnKey,
    })
    const entries = page.items.map((grant) => grantListEntry(grant, key, principals))
    return { output: { Grants: entries, ...page.truncated } }
  },
})

type Filter = { readonly grantId: string | undefined; readonly grantee: string | undefined }

function wanted(
  grants: Grants,
  key: KeyRecord,
  { grantId, grantee }: Filter,
  range: GrantRange,
): readonly GrantRecord[] {
  // A service's name asked for as a principal is that of no grant: those have it as GranteeServicePrincipal.
  if (grantee !== undefined && isServiceName(grantee)) return []
  if (grantId === undefined) return grants.ofKey(key, range, grantee)
  const grant = grants.on(key, grantId)
  if (grant === undefined || range.after !== undefined) return []
  return grantee === undefined || grant.grantee === grantee ? [grant] : []
}
