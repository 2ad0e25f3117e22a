import { boolean, required, structure, timestamp } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { sharedCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { type IdentifierRules, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import { rotationOf } from '../rotation.ts'
import * as shapes from '../shapes.ts'

const rules: IdentifierRules = {
  permission: 'kms:GetKeyRotationStatus',
  aliases: false,
  crossAccount: true,
  badArn: 'invalid-arn',
}

/** Keys that cannot rotate by themselves answer that they do not. A rotation on demand is over when it is answered. */
export const getKeyRotationStatus = operation({
  name: 'GetKeyRotationStatus',
  input: structure({ KeyId: required(shapes.keyId) }),
  output: structure({
    KeyRotationEnabled: boolean(),
    KeyId: shapes.keyId,
    RotationPeriodInDays: shapes.rotationPeriodInDays,
    NextRotationDate: timestamp(),
    OnDemandRotationStartDate: timestamp(),
  }),
  effects: 'read',
  errors: ['invalid-arn', 'not-found', 'unsupported'],
  resolve: (call, request, deps: KmsDeps) => resolveKey(call, request.KeyId, rules, deps.state),
  checks: (call, _request, target, deps) => [sharedCheck(call, rules.permission, target, deps)],
  audit: {
    request: (request) => ({ keyId: request.KeyId }),
    resources: ({ key }) => [keyResource(key)],
  },
  handle(_call, _request, { key }) {
    requireState(key, 'GetKeyRotationStatus')
    const rotation = rotationOf(key)
    const KeyId = key.keyId
    if (rotation === undefined) return { output: { KeyId, KeyRotationEnabled: false } }
    return {
      output: {
        KeyId,
        KeyRotationEnabled: true,
        RotationPeriodInDays: rotation.periodInDays,
        NextRotationDate: rotation.nextDate,
      },
    }
  },
})
