import { required, structure, timestamp } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { idleKeyCheck } from '../conditions.ts'
import { pendingDeletion } from '../deletion.ts'
import type { KmsDeps } from '../deps.ts'
import { pendingWindowOutOfRange } from '../errors.ts'
import { arnOf, type KeyRecord } from '../key.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { isoDate } from '../key-metadata.ts'
import { requireState } from '../key-state.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:ScheduleKeyDeletion')
const defaultWindow = 30

export const scheduleKeyDeletion = operation({
  name: 'ScheduleKeyDeletion',
  input: structure({
    KeyId: required(shapes.keyId),
    PendingWindowInDays: shapes.pendingWindowInDays,
  }),
  output: structure({
    KeyId: shapes.keyId,
    DeletionDate: timestamp(),
    KeyState: shapes.keyState,
    PendingWindowInDays: shapes.pendingWindowInDays,
  }),
  effects: 'write',
  errors: ['not-found', 'invalid-arn', 'invalid-state'],
  resolve(call, request, deps: KmsDeps) {
    // The wire model says 1–365; the service has always been stricter.
    const windowInDays = request.PendingWindowInDays ?? defaultWindow
    if (windowInDays < 7 || windowInDays > 30) throw pendingWindowOutOfRange()
    return { key: resolveKey(call, request.KeyId, rules, deps.state).key, windowInDays }
  },
  checks: (call, _request, { key, windowInDays }, deps) => [
    idleKeyCheck(call, rules.permission, key, deps, {
      'kms:ScheduleKeyDeletionPendingWindowInDays': String(windowInDays),
    }),
  ],
  audit: {
    request: (request) => ({
      keyId: request.KeyId,
      pendingWindowInDays: request.PendingWindowInDays,
    }),
    response: (output) => ({
      keyId: output.KeyId,
      keyState: output.KeyState,
      deletionDate: output.DeletionDate === undefined ? undefined : isoDate(output.DeletionDate),
      pendingWindowInDays: output.PendingWindowInDays,
    }),
    resources: ({ key }) => [keyResource(key)],
  },
  handle(call, _request, { key, windowInDays }, deps) {
    requireState(key, 'ScheduleKeyDeletion')
    const pending: KeyRecord = { ...key, ...pendingDeletion(key, windowInDays, call.now, deps) }
    return {
      output: {
        KeyId: arnOf(key),
        DeletionDate: pending.deletion?.date,
        KeyState: pending.state,
        PendingWindowInDays: windowInDays,
      },
      changes: [deps.state.replaceKey(key, pending)],
    }
  },
})
