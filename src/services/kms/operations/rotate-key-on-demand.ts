import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { managementCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { rotationNear, rotationQuota } from '../errors.ts'
import { arnOf } from '../key.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import { requireNoReplica, requireRotatable, rotateKey } from '../rotation.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:RotateKeyOnDemand')
/** So close to an automatic rotation, none can be asked for. */
const nearMs = 20 * 60_000

/** The key has its new material when this is answered. What it does by itself, and when, stays as it is. */
export const rotateKeyOnDemand = operation({
  name: 'RotateKeyOnDemand',
  input: structure({ KeyId: required(shapes.keyId) }),
  output: structure({ KeyId: shapes.keyId }),
  effects: 'write',
  errors: [
    'conflict',
    'disabled',
    'invalid-arn',
    'invalid-state',
    'limit-exceeded',
    'not-found',
    'unsupported',
  ],
  resolve: (call, request, deps: KmsDeps) => resolveKey(call, request.KeyId, rules, deps.state).key,
  checks: (call, _request, key, deps) => [managementCheck(call, rules.permission, key, deps)],
  audit: {
    request: (request) => ({ keyId: request.KeyId }),
    response: (output) => ({ keyId: output.KeyId }),
    resources: (key) => [keyResource(key)],
  },
  async handle(call, _request, key, deps) {
    requireRotatable(key)
    requireNoReplica(key)
    requireState(key, 'RotateKeyOnDemand')
    const { onDemandRotations = 0, rotation } = key
    if (onDemandRotations >= deps.limits.onDemandRotationsPerKey) throw rotationQuota(arnOf(key))
    if (rotation !== undefined && rotation.nextDate - call.now <= nearMs) {
      throw rotationNear(arnOf(key))
    }
    return {
      output: { KeyId: key.keyId },
      ...(await rotateKey(key, 'ON_DEMAND', call.now, deps)),
    }
  },
})
