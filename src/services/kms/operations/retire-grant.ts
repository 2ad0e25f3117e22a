import { boolean, structure } from '../../../wire/schema.ts'
import { type CallContext, operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { retireGrantCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import {
  absentOrDenied,
  dryRunSucceeded,
  invalidGrantToken,
  tokenOrId,
  unknownGrant,
} from '../errors.ts'
import type { GrantRecord } from '../grant.ts'
import { grantOfToken, requireGrantId } from '../grant-token.ts'
import type { KeyRecord } from '../key.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import * as shapes from '../shapes.ts'

const permission = 'kms:RetireGrant'
const rules = { ...managed(permission), crossAccount: true }

const input = structure({
  GrantToken: shapes.grantToken,
  KeyId: shapes.keyId,
  GrantId: shapes.grantId,
  DryRun: boolean(),
})

type Target = { readonly key: KeyRecord; readonly grant: GrantRecord }

export const retireGrant = operation({
  name: 'RetireGrant',
  input,
  output: undefined,
  effects: 'write',
  errors: ['dry-run', 'invalid-arn', 'invalid-grant-id', 'invalid-grant-token', 'not-found'],
  resolve(call, request, deps: KmsDeps): Target {
    const { GrantToken: token, KeyId, GrantId } = request
    if (token !== undefined) {
      if (KeyId !== undefined || GrantId !== undefined) throw tokenOrId()
      return byToken(call, token, deps)
    }
    if (KeyId === undefined || GrantId === undefined) throw tokenOrId()
    return byId(call, KeyId, GrantId, deps)
  },
  /** The grant decides: kms:RetireGrant can only deny, or hand on what an account may do itself. */
  checks: (call, _request, { key, grant }, deps) => [
    retireGrantCheck(call, permission, { key, grant }, deps),
  ],
  audit: {
    request: () => null,
    resources: ({ key }) => [keyResource(key)],
    additional: (_output, _request, { grant }) => ({ grantId: grant.grantId }),
  },
  handle(_call, request, { key, grant }, { grants }) {
    requireState(key, 'RetireGrant')
    if (request.DryRun === true) throw dryRunSucceeded()
    return { output: undefined, changes: [grants.remove(grant)] }
  },
})

function byToken({ region }: CallContext, token: string, { grants }: KmsDeps): Target {
  const grant = grantOfToken(token, region, grants)
  const key = grant && grants.keyOf(grant)
  if (grant === undefined || key === undefined) throw invalidGrantToken()
  return { grant, key }
}

/** Of the keys of other accounts, nothing is told but to whom a grant names. */
function byId(call: CallContext, keyId: string, grantId: string, deps: KmsDeps): Target {
  requireGrantId(grantId)
  const { key } = resolveKey(call, keyId, rules, deps.state)
  const grant = deps.grants.on(key, grantId)
  if (grant !== undefined) return { key, grant }
  throw key.account === call.caller.account
    ? unknownGrant(grantId)
    : absentOrDenied(call, permission)
}
