import { required, structure } from '../../../wire/schema.ts'
import { type CallContext, operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { grantableCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { type IdentifierRules, type KeyTarget, resolveKey } from '../key-identifier.ts'
import { keyMetadata } from '../key-metadata.ts'
import { requireState } from '../key-state.ts'
import { draftManagedKey, makeManagedKey, predefinedAlias } from '../managed-keys.ts'
import { requireGrantTokens } from '../refusals.ts'
import * as shapes from '../shapes.ts'

const rules: IdentifierRules = {
  permission: 'kms:DescribeKey',
  aliases: true,
  crossAccount: true,
  badArn: 'invalid-arn',
}

export const describeKey = operation({
  name: 'DescribeKey',
  input: structure({
    KeyId: required(shapes.keyId),
    GrantTokens: shapes.grantTokens,
  }),
  output: structure({ KeyMetadata: shapes.keyMetadata }),
  effects: 'read',
  errors: ['not-found', 'invalid-arn', 'invalid-grant-token'],
  resolve(call, request, deps: KmsDeps) {
    requireGrantTokens(call, request.GrantTokens, deps.grants)
    return resolveOrDraft(call, request.KeyId, deps)
  },
  checks: (call, _request, target, deps) => [grantableCheck(call, rules.permission, target, deps)],
  audit: {
    request: (request) => ({ keyId: request.KeyId }),
    resources: (target) => [keyResource(target.key)],
  },
  async handle(_call, _request, { key: found, alias, isNew }, deps) {
    requireState(found, 'DescribeKey')
    if (!isNew || alias === undefined) return { output: { KeyMetadata: keyMetadata(found, deps) } }
    const { key, changes } = await makeManagedKey(alias, found, deps)
    const event = {
      ...{ eventSource: 'kms.amazonaws.com', eventName: 'CreateKey' },
      ...{ account: key.account, region: key.region, resources: [keyResource(key)] },
    }
    return { output: { KeyMetadata: keyMetadata(key, deps) }, changes, events: [event] }
  },
})

/** Describing a predefined alias for the first time makes the AWS managed key behind it. */
function resolveOrDraft(
  call: CallContext,
  text: string,
  deps: KmsDeps,
): KeyTarget & { readonly isNew: boolean } {
  const { account } = call.caller
  const alias = predefinedAlias(call, text)
  if (alias === undefined || deps.state.alias(call.region, account, alias) !== undefined) {
    return { ...resolveKey(call, text, rules, deps.state), isNew: false }
  }
  const key = draftManagedKey(alias, { account, region: call.region }, call.now, deps)
  return { key, alias, isNew: true }
}
