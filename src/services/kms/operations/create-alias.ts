import { aliasArn } from '../../../base/ids.ts'
import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { checkAliasName } from '../alias.ts'
import { resolveAliasTarget } from '../alias-target.ts'
import { aliasResource, keyResource } from '../audit.ts'
import { aliasCheck, managementCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { aliasExists, aliasQuota } from '../errors.ts'
import { arnOf } from '../key.ts'
import { managed } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:CreateAlias')

export const createAlias = operation({
  name: 'CreateAlias',
  input: structure({
    AliasName: required(shapes.aliasName),
    TargetKeyId: required(shapes.keyId),
  }),
  output: undefined,
  effects: 'write',
  errors: [
    'already-exists',
    'invalid-arn',
    'invalid-state',
    'limit-exceeded',
    'not-authorized',
    'not-found',
  ],
  resolve(call, request, deps: KmsDeps) {
    checkAliasName(request.AliasName)
    const key = resolveAliasTarget(call, request.TargetKeyId, rules, deps.state)
    return { key, arn: aliasArn(call.region, call.caller.account, request.AliasName) }
  },
  checks: (call, _request, { key, arn }, deps) => [
    aliasCheck(call, rules.permission, arn),
    managementCheck(call, rules.permission, key, deps),
  ],
  audit: {
    request: (request) => ({
      aliasName: request.AliasName,
      targetKeyId: request.TargetKeyId,
    }),
    resources: ({ key, arn }) => [keyResource(key), aliasResource(key, arn)],
  },
  handle(call, request, { key, arn }, deps) {
    const { state, limits } = deps
    const { region, now } = call
    if (state.alias(region, key.account, request.AliasName) !== undefined) throw aliasExists(arn)
    requireState(key, 'CreateAlias')
    if (state.aliasNamesOf(key).length >= limits.aliasesPerKey) {
      throw aliasQuota(arnOf(key), limits.aliasesPerKey)
    }
    const alias = state.addAlias({
      region,
      account: key.account,
      aliasName: request.AliasName,
      targetKeyId: key.keyId,
      createdAt: now,
      updatedAt: now,
    })
    // The key's row goes along unchanged: if the key is deleted or named again meanwhile, this is decided anew.
    return { output: undefined, changes: [alias, state.replaceKey(key, key)] }
  },
})
