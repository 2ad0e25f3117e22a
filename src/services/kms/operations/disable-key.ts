import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyIdElement, keyResource } from '../audit.ts'
import { idleKeyCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:DisableKey')

/** Disabling a disabled key succeeds and changes nothing. */
export const disableKey = operation({
  name: 'DisableKey',
  input: structure({ KeyId: required(shapes.keyId) }),
  output: undefined,
  effects: 'write',
  errors: ['not-found', 'invalid-arn', 'invalid-state'],
  resolve: (call, request, deps: KmsDeps) => resolveKey(call, request.KeyId, rules, deps.state).key,
  checks: (call, _request, key, deps) => [idleKeyCheck(call, rules.permission, key, deps)],
  audit: {
    request: (request) => ({ keyId: request.KeyId }),
    response: (_output, _request, key) => keyIdElement(key),
    resources: (key) => [keyResource(key)],
  },
  handle(_call, _request, key, { state }) {
    requireState(key, 'DisableKey')
    const changes =
      key.state === 'Disabled' ? [] : [state.replaceKey(key, { ...key, state: 'Disabled' })]
    return { output: undefined, changes }
  },
})
