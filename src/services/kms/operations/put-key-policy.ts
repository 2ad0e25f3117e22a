import { boolean, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { bypassCondition, managementCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { checkPolicy, policyName, requirePolicyName } from '../key-policy.ts'
import { requireState } from '../key-state.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:PutKeyPolicy')

export const putKeyPolicy = operation({
  name: 'PutKeyPolicy',
  input: structure({
    KeyId: required(shapes.keyId),
    PolicyName: shapes.policyName,
    Policy: required(shapes.policy),
    BypassPolicyLockoutSafetyCheck: boolean(),
  }),
  output: undefined,
  effects: 'write',
  errors: ['not-found', 'invalid-arn', 'invalid-state', 'limit-exceeded', 'malformed-policy'],
  resolve: (call, request, deps: KmsDeps) => resolveKey(call, request.KeyId, rules, deps.state).key,
  checks: (call, request, key, deps) => [
    managementCheck(
      call,
      rules.permission,
      key,
      deps,
      bypassCondition(request.BypassPolicyLockoutSafetyCheck),
    ),
  ],
  audit: {
    request: (request) => ({
      keyId: request.KeyId,
      policyName: request.PolicyName ?? policyName,
      policy: request.Policy,
      bypassPolicyLockoutSafetyCheck: request.BypassPolicyLockoutSafetyCheck ?? false,
    }),
    resources: (key) => [keyResource(key)],
  },
  handle(call, request, key, deps) {
    requirePolicyName(request.PolicyName)
    requireState(key, 'PutKeyPolicy')
    const put = { ...key, policy: request.Policy }
    const policy = checkPolicy(call, put, request.BypassPolicyLockoutSafetyCheck, deps)
    return { output: undefined, changes: [deps.state.replaceKey(key, { ...key, policy })] }
  },
})
