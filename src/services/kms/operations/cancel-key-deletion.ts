import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyIdElement, keyResource } from '../audit.ts'
import { managementCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { arnOf } from '../key.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import { stateAfterCancel } from '../materials.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:CancelKeyDeletion')

/** The key comes back disabled, whatever it was before; pending import, when imported material is not there. */
export const cancelKeyDeletion = operation({
  name: 'CancelKeyDeletion',
  input: structure({ KeyId: required(shapes.keyId) }),
  output: structure({ KeyId: shapes.keyId }),
  effects: 'write',
  errors: ['not-found', 'invalid-arn', 'invalid-state'],
  resolve: (call, request, deps: KmsDeps) => resolveKey(call, request.KeyId, rules, deps.state).key,
  checks: (call, _request, key, deps) => [managementCheck(call, rules.permission, key, deps)],
  audit: {
    request: (request) => ({ keyId: request.KeyId }),
    response: (_output, _request, key) => keyIdElement(key),
    resources: (key) => [keyResource(key)],
  },
  handle(call, _request, key, { state: kms }) {
    requireState(key, 'CancelKeyDeletion')
    const state = stateAfterCancel(key, call.now)
    return {
      output: { KeyId: arnOf(key) },
      changes: [kms.replaceKey(key, { ...key, state, deletion: undefined })],
    }
  },
})
