import { required, string, structure, timestamp } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { managementCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { arnOf } from '../key.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { trackedOperations } from '../last-usage.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:GetKeyLastUsage')

/** Answered from the audit record, which has every use since the key was made: tracking began with the key. */
export const getKeyLastUsage = operation({
  name: 'GetKeyLastUsage',
  input: structure({ KeyId: required(shapes.keyId) }),
  output: structure({
    KeyId: shapes.keyId,
    KeyLastUsage: structure({
      Operation: string({ values: trackedOperations }),
      Timestamp: timestamp(),
      CloudTrailEventId: string(),
      KmsRequestId: string(),
    }),
    TrackingStartDate: timestamp(),
    KeyCreationDate: timestamp(),
  }),
  effects: 'read',
  errors: ['invalid-arn', 'not-found'],
  resolve: (call, request, deps: KmsDeps) => resolveKey(call, request.KeyId, rules, deps.state),
  checks: (call, _request, { key }, deps) => [managementCheck(call, rules.permission, key, deps)],
  audit: {
    request: (request) => ({ keyId: request.KeyId }),
    resources: ({ key }) => [keyResource(key)],
  },
  async handle(_call, _request, { key }, { lastUsage }) {
    const used = await lastUsage(key.account, arnOf(key))
    return {
      output: {
        KeyId: arnOf(key),
        KeyLastUsage:
          used === undefined
            ? {}
            : {
                Operation: used.operation,
                Timestamp: used.time,
                CloudTrailEventId: used.eventId,
                KmsRequestId: used.requestId,
              },
        TrackingStartDate: key.createdAt,
        KeyCreationDate: key.createdAt,
      },
    }
  },
})
