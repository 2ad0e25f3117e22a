import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { managementCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { policyName, requirePolicyName } from '../key-policy.ts'
import { requireState } from '../key-state.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:GetKeyPolicy')

export const getKeyPolicy = operation({
  name: 'GetKeyPolicy',
  input: structure({ KeyId: required(shapes.keyId), PolicyName: shapes.policyName }),
  output: structure({ Policy: shapes.policy, PolicyName: shapes.policyName }),
  effects: 'read',
  errors: ['not-found', 'invalid-arn', 'invalid-state'],
  resolve: (call, request, deps: KmsDeps) => resolveKey(call, request.KeyId, rules, deps.state).key,
  checks: (call, _request, key, deps) => [managementCheck(call, rules.permission, key, deps)],
  audit: {
    request: (request) => ({
      keyId: request.KeyId,
      policyName: request.PolicyName ?? policyName,
    }),
    resources: (key) => [keyResource(key)],
  },
  handle(_call, request, key, { policies }) {
    requirePolicyName(request.PolicyName)
    requireState(key, 'GetKeyPolicy')
    return { output: { Policy: policies.shownKeyPolicy(key.policy), PolicyName: policyName } }
  },
})
