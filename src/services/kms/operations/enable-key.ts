import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyIdElement, keyResource } from '../audit.ts'
import { managementCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:EnableKey')

/** Enabling an enabled key succeeds and changes nothing. */
export const enableKey = operation({
  name: 'EnableKey',
  input: structure({ KeyId: required(shapes.keyId) }),
  output: undefined,
  effects: 'write',
  errors: ['not-found', 'invalid-arn', 'invalid-state'],
  resolve: (call, request, deps: KmsDeps) => resolveKey(call, request.KeyId, rules, deps.state).key,
  checks: (call, _request, key, deps) => [managementCheck(call, rules.permission, key, deps)],
  audit: {
    request: (request) => ({ keyId: request.KeyId }),
    response: (_output, _request, key) => keyIdElement(key),
    resources: (key) => [keyResource(key)],
  },
  handle(_call, _request, key, { state }) {
    requireState(key, 'EnableKey')
    const changes =
      key.state === 'Enabled' ? [] : [state.replaceKey(key, { ...key, state: 'Enabled' })]
    return { output: undefined, changes }
  },
})
