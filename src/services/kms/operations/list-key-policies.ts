import { list, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { managementCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { arnOf } from '../key.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { policyName } from '../key-policy.ts'
import { requireState } from '../key-state.ts'
import { afterIn, readPage } from '../paging.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:ListKeyPolicies')

export const listKeyPolicies = operation({
  name: 'ListKeyPolicies',
  input: structure({
    KeyId: required(shapes.keyId),
    Limit: shapes.limit,
    Marker: shapes.marker,
  }),
  output: structure({ PolicyNames: list(shapes.policyName), ...shapes.paged }),
  effects: 'read',
  errors: ['not-found', 'invalid-arn', 'invalid-marker', 'invalid-state'],
  resolve: (call, request, deps: KmsDeps) => resolveKey(call, request.KeyId, rules, deps.state).key,
  checks: (call, _request, key, deps) => [managementCheck(call, rules.permission, key, deps)],
  audit: {
    request: (request) => ({ keyId: request.KeyId, limit: request.Limit, marker: request.Marker }),
    resources: (key) => [keyResource(key)],
  },
  handle(_call, request, key) {
    requireState(key, 'ListKeyPolicies')
    const positionOf = (name: string) => name
    const page = readPage(request, {
      scope: ['ListKeyPolicies', arnOf(key)],
      defaultLimit: 100,
      after: afterIn([policyName], positionOf),
      positionOf,
    })
    return { output: { PolicyNames: page.items, ...page.truncated } }
  },
})
