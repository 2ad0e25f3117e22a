import { ServiceError } from '../../../base/errors.ts'
import { list, required, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import { iamCheck } from '../checks.ts'
import type { IamDeps } from '../deps.ts'
import { noSuchEntity } from '../errors.ts'
import { readPage } from '../paging.ts'
import * as shapes from '../shapes.ts'

const input = structure({ AccountAlias: required(shapes.accountAlias) })
const listInput = structure(shapes.pageInput)

/** An account has one alias at the most: another one takes its place. */
export const createAccountAlias = operation({
  name: 'CreateAccountAlias',
  input,
  output: undefined,
  effects: 'write',
  errors: ['entity-exists'],
  resolve: () => undefined,
  checks: (call) => [iamCheck(call, 'iam:CreateAccountAlias', '*')],
  audit: { request: (request) => recorded(input, request, 'AccountAlias') },
  handle(call, { AccountAlias: alias }, _target, { identities }: IamDeps) {
    const { account } = call.caller
    const holder = identities.accountOfAlias(alias)
    if (holder === account) return { output: undefined }
    if (holder !== undefined) {
      throw new ServiceError('entity-exists', `The account alias ${alias} already exists.`)
    }
    return { output: undefined, changes: identities.setAlias(account, alias) }
  },
})

export const deleteAccountAlias = operation({
  name: 'DeleteAccountAlias',
  input,
  output: undefined,
  effects: 'write',
  errors: ['no-such-entity'],
  resolve: () => undefined,
  checks: (call) => [iamCheck(call, 'iam:DeleteAccountAlias', '*')],
  audit: { request: (request) => recorded(input, request, 'AccountAlias') },
  handle(call, { AccountAlias: alias }, _target, { identities }: IamDeps) {
    const { account } = call.caller
    if (identities.aliasOf(account) !== alias) {
      throw noSuchEntity(`The account alias ${alias} cannot be found.`)
    }
    return { output: undefined, changes: identities.setAlias(account, undefined) }
  },
})

export const listAccountAliases = operation({
  name: 'ListAccountAliases',
  input: listInput,
  output: structure({ AccountAliases: list(string()), ...shapes.pageOutput }),
  effects: 'read',
  errors: [],
  resolve: () => undefined,
  checks: (call) => [iamCheck(call, 'iam:ListAccountAliases', '*')],
  audit: { request: (request) => recorded(listInput, request, 'Marker', 'MaxItems') },
  handle(call, request, _target, { identities }: IamDeps) {
    const { account } = call.caller
    const alias = identities.aliasOf(account)
    const aliases = alias === undefined ? [] : [alias]
    const { items, page } = readPage(request, ['ListAccountAliases', account], aliases, (a) => a)
    return { output: { AccountAliases: items, ...page } }
  },
})
