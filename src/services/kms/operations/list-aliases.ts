import { aliasArn } from '../../../base/ids.ts'
import { list, structure, timestamp } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { accountCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import { afterIn, readPage } from '../paging.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:ListAliases')

export const listAliases = operation({
  name: 'ListAliases',
  input: structure({ KeyId: shapes.keyId, Limit: shapes.limit, Marker: shapes.marker }),
  output: structure({
    Aliases: list(
      structure({
        AliasName: shapes.aliasName,
        AliasArn: shapes.arn,
        TargetKeyId: shapes.keyId,
        CreationDate: timestamp(),
        LastUpdatedDate: timestamp(),
      }),
    ),
    ...shapes.paged,
  }),
  effects: 'read',
  errors: ['not-found', 'invalid-arn', 'invalid-marker'],
  /** The key whose aliases are wanted; undefined for all aliases. */
  resolve: (call, request, deps: KmsDeps) =>
    request.KeyId === undefined
      ? undefined
      : resolveKey(call, request.KeyId, rules, deps.state).key,
  // An identity policy alone decides, even when the list is narrowed to a key.
  checks: (call) => [accountCheck(call, rules.permission)],
  audit: {
    request: (request) => ({ keyId: request.KeyId, limit: request.Limit, marker: request.Marker }),
  },
  handle(call, request, key, { state }) {
    const { region, caller } = call
    if (key !== undefined) requireState(key, 'ListAliases')
    const names = state.aliasNames(region, caller.account)
    const page = readPage(request, {
      scope: ['ListAliases', region, caller.account, key?.keyId ?? ''],
      defaultLimit: 50,
      after:
        key === undefined
          ? (position, count) => names.after(position, count)
          : afterIn(state.aliasNamesOf(key), (name) => name),
      positionOf: (name) => name,
    })
    const Aliases = page.items
      .map((name) => state.alias(region, caller.account, name))
      .filter((alias) => alias !== undefined)
      .map((alias) => ({
        AliasName: alias.aliasName,
        AliasArn: aliasArn(region, caller.account, alias.aliasName),
        TargetKeyId: alias.targetKeyId,
        CreationDate: alias.createdAt,
        LastUpdatedDate: alias.updatedAt,
      }))
    return { output: { Aliases, ...page.truncated } }
  },
})
