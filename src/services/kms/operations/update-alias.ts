import { aliasArn } from '../../../base/ids.ts'
import { isAsymmetric, isSymmetric } from '../../../hsm/key-specs.ts'
import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { checkAliasName } from '../alias.ts'
import { resolveAliasTarget } from '../alias-target.ts'
import { aliasResource, keyResource } from '../audit.ts'
import { aliasCheck, managementCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { aliasOfOtherKind, aliasQuota, unknownAlias } from '../errors.ts'
import { arnOf, type KeyRecord } from '../key.ts'
import { managed } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:UpdateAlias')

export const updateAlias = operation({
  name: 'UpdateAlias',
  input: structure({
    AliasName: required(shapes.aliasName),
    TargetKeyId: required(shapes.keyId),
  }),
  output: undefined,
  effects: 'write',
  errors: ['invalid-arn', 'invalid-state', 'limit-exceeded', 'not-authorized', 'not-found'],
  resolve(call, request, { state }: KmsDeps) {
    const { region, caller } = call
    checkAliasName(request.AliasName)
    const arn = aliasArn(region, caller.account, request.AliasName)
    const alias = state.alias(region, caller.account, request.AliasName)
    const current = alias && state.key(region, alias.targetKeyId)
    if (alias === undefined || current === undefined) throw unknownAlias(arn)
    const key = resolveAliasTarget(call, request.TargetKeyId, rules, state)
    return { alias, arn, current, key }
  },
  checks: (call, _request, { arn, current, key }, deps) => [
    aliasCheck(call, rules.permission, arn),
    managementCheck(call, rules.permission, current, deps),
    managementCheck(call, rules.permission, key, deps),
  ],
  audit: {
    request: (request) => ({
      aliasName: request.AliasName,
      targetKeyId: request.TargetKeyId,
    }),
    resources: ({ key, arn }) => [keyResource(key), aliasResource(key, arn)],
  },
  handle(call, _request, { alias, arn, current, key }, deps) {
    const { state, limits } = deps
    requireState(key, 'UpdateAlias')
    requireSameKind(arn, current, key)
    if (key.keyId !== current.keyId && state.aliasNamesOf(key).length >= limits.aliasesPerKey) {
      throw aliasQuota(arnOf(key), limits.aliasesPerKey)
    }
    const moved = state.replaceAlias(alias, {
      ...alias,
      targetKeyId: key.keyId,
      updatedAt: call.now,
    })
    // The key's row goes along unchanged: if the key is deleted or named again meanwhile, this is decided anew.
    return { output: undefined, changes: [moved, state.replaceKey(key, key)] }
  },
})

/** Throws 'validation': whoever uses the alias must not find a key that does something else. */
function requireSameKind(alias: string, from: KeyRecord, to: KeyRecord): void {
  if (from.keyUsage !== to.keyUsage) {
    throw aliasOfOtherKind(alias, 'key usage', from.keyUsage, to.keyUsage)
  }
  if (typeOf(from) !== typeOf(to)) {
    throw aliasOfOtherKind(alias, 'key type', typeOf(from), typeOf(to))
  }
}

function typeOf({ keySpec }: KeyRecord): string {
  if (isSymmetric(keySpec)) return 'SYMMETRIC'
  return isAsymmetric(keySpec) ? 'ASYMMETRIC' : 'HMAC'
}
