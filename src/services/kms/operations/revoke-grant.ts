import { boolean, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyIdElement, keyResource } from '../audit.ts'
import { sharedCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { dryRunSucceeded, unknownGrant } from '../errors.ts'
import { forAwsResource } from '../grant-request.ts'
import { requireGrantId } from '../grant-token.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import * as shapes from '../shapes.ts'

const rules = { ...managed('kms:RevokeGrant'), crossAccount: true }

export const revokeGrant = operation({
  name: 'RevokeGrant',
  input: structure({
    KeyId: required(shapes.keyId),
    GrantId: required(shapes.grantId),
    DryRun: boolean(),
  }),
  output: undefined,
  effects: 'write',
  errors: ['dry-run', 'invalid-arn', 'invalid-grant-id', 'not-found'],
  resolve(call, request, { state }: KmsDeps) {
    requireGrantId(request.GrantId)
    return resolveKey(call, request.KeyId, rules, state)
  },
  checks: (call, _request, target, deps) => [
    sharedCheck(call, rules.permission, target, deps, forAwsResource(call)),
  ],
  audit: {
    request: (request) => ({
      keyId: request.KeyId,
      grantId: request.GrantId,
      dryRun: request.DryRun,
    }),
    response: (_output, _request, { key }) => keyIdElement(key),
    resources: ({ key }) => [keyResource(key)],
  },
  handle(_call, request, { key }, { grants }) {
    requireState(key, 'RevokeGrant')
    const grant = grants.on(key, request.GrantId)
    if (grant === undefined) throw unknownGrant(request.GrantId)
    if (request.DryRun === true) throw dryRunSucceeded()
    return { output: undefined, changes: [grants.remove(grant)] }
  },
})
