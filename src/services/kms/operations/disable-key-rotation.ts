import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyIdElement, keyResource } from '../audit.ts'
import { managementCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import { requireNoReplica, requireOwnMaterial, requireRotatable, setRotation } from '../rotation.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:DisableKeyRotation')

/** The key goes on with the material that it has. */
export const disableKeyRotation = operation({
  name: 'DisableKeyRotation',
  input: structure({ KeyId: required(shapes.keyId) }),
  output: undefined,
  effects: 'write',
  errors: ['disabled', 'invalid-arn', 'invalid-state', 'not-found', 'unsupported'],
  resolve: (call, request, deps: KmsDeps) => resolveKey(call, request.KeyId, rules, deps.state).key,
  checks: (call, _request, key, deps) => [managementCheck(call, rules.permission, key, deps)],
  audit: {
    request: (request) => ({ keyId: request.KeyId }),
    response: (_output, _request, key) => keyIdElement(key),
    resources: (key) => [keyResource(key)],
  },
  handle(_call, _request, key, deps) {
    requireRotatable(key)
    requireOwnMaterial(key)
    requireNoReplica(key)
    requireState(key, 'DisableKeyRotation')
    const changes = key.rotation === undefined ? [] : setRotation(key, undefined, deps)
    return { output: undefined, changes }
  },
})
