import { structure } from '../../../wire/schema.ts'
import { type CallContext, operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { newGrantCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { dryRunSucceeded, grantQuota } from '../errors.ts'
import type { GrantRecord } from '../grant.ts'
import type { GrantTerms } from '../grant-evidence.ts'
import {
  createGrantInput,
  type GrantRequest,
  grantConditions,
  grantTerms,
  requireFit,
  requireParties,
} from '../grant-request.ts'
import { newGrantToken } from '../grant-token.ts'
import { arnOf, type KeyRecord } from '../key.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import { requireGrantTokens } from '../refusals.ts'
import * as shapes from '../shapes.ts'

const rules = { ...managed('kms:CreateGrant'), crossAccount: true }

export const createGrant = operation({
  name: 'CreateGrant',
  input: createGrantInput,
  output: structure({ GrantToken: shapes.grantToken, GrantId: shapes.grantId }),
  effects: 'write',
  errors: [
    'disabled',
    'dry-run',
    'invalid-arn',
    'invalid-grant-token',
    'invalid-state',
    'limit-exceeded',
    'not-found',
  ],
  resolve(call, request, { state, grants, policies }: KmsDeps) {
    requireGrantTokens(call, request.GrantTokens, grants)
    const terms = grantTerms(request, policies.principals)
    return { ...resolveKey(call, request.KeyId, rules, state), terms }
  },
  checks: (call, request, target, deps) => [
    newGrantCheck(
      call,
      rules.permission,
      target,
      deps,
      grantConditions(call, request, target.terms),
    ),
  ],
  audit: {
    request: recordedRequest,
    // The token is no secret, and yet nobody's but the caller's.
    response: ({ GrantId }) => ({ grantId: GrantId }),
    resources: ({ key }) => [keyResource(key)],
  },
  handle(call, request, { key, terms }, deps) {
    const { grants, random, limits } = deps
    requireParties(request, deps.policies.principals)
    requireState(key, 'CreateGrant')
    requireFit(terms, key)
    const draft = draftOf(call, key, terms, random.bytes(32).toString('hex'))
    const present = grants.sameAs(draft)
    // Requests that are under way at once do not see each other's grants: they may exceed the quota by their number.
    if (present === undefined && grants.count(key) >= limits.grantsPerKey) {
      throw grantQuota(arnOf(key), limits.grantsPerKey)
    }
    const grant = present ?? draft
    return {
      output: { GrantToken: newGrantToken(grant, random), GrantId: grant.grantId },
      // The key's row does not go along, as it does with an alias, so that grants on one key are made side by side. The
      // key cannot go meanwhile: whoever wants it gone waits for days.
      changes: present === undefined ? [grants.add(draft)] : [],
      ...(request.DryRun === true && { dryRun: dryRunSucceeded() }),
    }
  },
})

function draftOf(
  call: CallContext,
  key: KeyRecord,
  terms: GrantTerms,
  grantId: string,
): GrantRecord {
  const { region, account, keyId, createdAt: keyCreatedAt } = key
  const { caller, now } = call
  return {
    ...{ grantId, region, account, keyId, keyCreatedAt },
    ...{ createdAt: now, issuingAccount: caller.account },
    ...terms,
  }
}

function recordedRequest(request: GrantRequest) {
  const { Constraints: constraints } = request
  return {
    keyId: request.KeyId,
    granteePrincipal: request.GranteePrincipal,
    granteeServicePrincipal: request.GranteeServicePrincipal,
    retiringPrincipal: request.RetiringPrincipal,
    retiringServicePrincipal: request.RetiringServicePrincipal,
    operations: request.Operations,
    constraints: constraints && {
      encryptionContextEquals: constraints.EncryptionContextEquals,
      encryptionContextSubset: constraints.EncryptionContextSubset,
      sourceArn: constraints.SourceArn,
    },
    name: request.Name,
    dryRun: request.DryRun,
  }
}
