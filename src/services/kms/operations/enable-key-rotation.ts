import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyIdElement, keyResource } from '../audit.ts'
import { managementCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import {
  requireNoReplica,
  requireOwnMaterial,
  requireRotatable,
  rotationEvery,
  setRotation,
} from '../rotation.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:EnableKeyRotation')
const defaultPeriod = 365

/** A call that changes nothing leaves the date of the next rotation as it is; another period begins now. */
export const enableKeyRotation = operation({
  name: 'EnableKeyRotation',
  input: structure({
    KeyId: required(shapes.keyId),
    RotationPeriodInDays: shapes.rotationPeriodInDays,
  }),
  output: undefined,
  effects: 'write',
  errors: ['disabled', 'invalid-arn', 'invalid-state', 'not-found', 'unsupported'],
  resolve: (call, request, deps: KmsDeps) => resolveKey(call, request.KeyId, rules, deps.state).key,
  checks: (call, { RotationPeriodInDays: period = defaultPeriod }, key, deps) => [
    managementCheck(call, rules.permission, key, deps, {
      'kms:RotationPeriodInDays': String(period),
    }),
  ],
  audit: {
    request: (request) => ({
      keyId: request.KeyId,
      rotationPeriodInDays: request.RotationPeriodInDays,
    }),
    response: (_output, _request, key) => keyIdElement(key),
    resources: (key) => [keyResource(key)],
  },
  handle(call, request, key, deps) {
    requireRotatable(key)
    requireOwnMaterial(key)
    requireNoReplica(key)
    requireState(key, 'EnableKeyRotation')
    const period = request.RotationPeriodInDays ?? defaultPeriod
    const changes =
      key.rotation?.periodInDays === period
        ? []
        : setRotation(key, rotationEvery(period, call.now), deps)
    return { output: undefined, changes }
  },
})
