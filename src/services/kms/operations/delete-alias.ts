import { aliasArn } from '../../../base/ids.ts'
import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { checkAliasName } from '../alias.ts'
import { aliasResource, keyResource } from '../audit.ts'
import { aliasCheck, managementCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { unknownAlias } from '../errors.ts'
import { requireState } from '../key-state.ts'
import * as shapes from '../shapes.ts'

export const deleteAlias = operation({
  name: 'DeleteAlias',
  input: structure({ AliasName: required(shapes.aliasName) }),
  output: undefined,
  effects: 'write',
  errors: ['not-authorized', 'not-found'],
  resolve(call, request, { state }: KmsDeps) {
    const { region, caller } = call
    checkAliasName(request.AliasName)
    const arn = aliasArn(region, caller.account, request.AliasName)
    const alias = state.alias(region, caller.account, request.AliasName)
    const key = alias && state.key(region, alias.targetKeyId)
    if (alias === undefined || key === undefined) throw unknownAlias(arn)
    return { alias, arn, key }
  },
  checks: (call, _request, { arn, key }, deps) => [
    aliasCheck(call, 'kms:DeleteAlias', arn),
    managementCheck(call, 'kms:DeleteAlias', key, deps),
  ],
  audit: {
    request: (request) => ({ aliasName: request.AliasName }),
    resources: ({ key, arn }) => [keyResource(key), aliasResource(key, arn)],
  },
  handle(_call, _request, { alias, key }, deps) {
    const { state } = deps
    requireState(key, 'DeleteAlias')
    return { output: undefined, changes: [state.removeAlias(alias)] }
  },
})
