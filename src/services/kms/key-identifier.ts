import { aliasArn, keyArn, parseAccountId, parseArn, parseKeyId } from '../../base/ids.ts'
import type { CallContext } from '../operation.ts'
import { absentOrDenied, invalidArn, invalidKeyId, unknownAlias, unknownKey } from './errors.ts'
import type { KeyRecord } from './key.ts'
import { asOf } from './materials.ts'
import type { KmsState } from './state.ts'

/** A key that a call named, and the alias it was named by. */
export type KeyTarget = {
  readonly key: KeyRecord
  /** With its prefix; undefined when the key was not named by an alias. */
  readonly alias: string | undefined
}

/** Which forms of a key's name an operation takes. */
export type IdentifierRules = {
  /** As in `kms:Encrypt`; it stands in the denial of what belongs to others. */
  readonly permission: string
  /** Alias names and alias ARNs as well: cryptographic operations and DescribeKey. */
  readonly aliases: boolean
  /** Whether AWS lets other accounts make this call, naming the key by an ARN. */
  readonly crossAccount: boolean
  /** What an ARN that can name no key is answered with: InvalidArnException only where the operation has it. */
  readonly badArn: 'invalid-arn' | 'not-found'
}

/** Rules of the operations that manage a key: no alias, own account only. */
export const managed = (permission: string): IdentifierRules => ({
  permission,
  aliases: false,
  crossAccount: false,
  badArn: 'invalid-arn',
})

/** Rules of the operations that use a key. */
export const used = (permission: string): IdentifierRules => ({
  permission,
  aliases: true,
  crossAccount: true,
  badArn: 'not-found',
})

/**
 * Finds the key that `text` names: a key id, a key ARN, an alias name or an alias ARN. It is shown as it is now, which
 * is pending import from the moment its material expires. Throws 'not-found', 'invalid-arn', or 'access-denied' for
 * what belongs to another account and is not there or never shared.
 * https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id
 */
export function resolveKey(
  call: CallContext,
  text: string,
  rules: IdentifierRules,
  state: KmsState,
): KeyTarget {
  const target = find(call, text, rules, state)
  const key = asOf(target.key, call.now)
  return key === target.key ? target : { key, alias: target.alias }
}

function find(call: CallContext, text: string, rules: IdentifierRules, state: KmsState): KeyTarget {
  if (text.startsWith('arn:')) return byArn(call, text, rules, state)
  const { region, caller } = call
  if (text.startsWith('alias/')) {
    if (!rules.aliases) throw invalidKeyId(text)
    const key = keyOfAlias(state, call, caller.account, text)
    if (key === undefined) throw unknownAlias(aliasArn(region, caller.account, text))
    return { key, alias: text }
  }
  const key = state.key(region, text)
  // A bare id means a key of the caller's account; that another account has one of that id is not told.
  if (key !== undefined && key.account === caller.account) return { key, alias: undefined }
  const keyId = parseKeyId(text)
  if (keyId === undefined) throw invalidKeyId(text)
  throw unknownKey(keyArn(region, caller.account, keyId))
}

function byArn(
  call: CallContext,
  text: string,
  rules: IdentifierRules,
  state: KmsState,
): KeyTarget {
  const arn = parseArn(text)
  if (arn === undefined || arn.partition !== 'aws' || arn.service !== 'kms' || arn.region === '') {
    throw invalidArn(text, rules.badArn)
  }
  if (arn.region !== call.region) throw invalidArn(arn.region, 'not-found')
  const { account, resource } = arn
  const isKey = resource.startsWith('key/')
  if (!isKey && !resource.startsWith('alias/')) throw invalidArn(text, rules.badArn)
  if (!isKey && !rules.aliases) throw invalidKeyId(text)
  const own = account === call.caller.account
  if (own || rules.crossAccount) {
    const key = isKey
      ? keyOfAccount(state, call, account, resource.slice(4))
      : keyOfAlias(state, call, account, resource)
    if (key !== undefined) return { key, alias: isKey ? undefined : resource }
  }
  if (!own) {
    if (parseAccountId(account) === undefined) throw invalidArn(text, rules.badArn)
    throw absentOrDenied(call, rules.permission)
  }
  if (!isKey) throw unknownAlias(text)
  throw parseKeyId(resource.slice(4)) === undefined ? invalidKeyId(text) : unknownKey(text)
}

function keyOfAccount(state: KmsState, call: CallContext, account: string, keyId: string) {
  const key = state.key(call.region, keyId)
  return key?.account === account ? key : undefined
}

function keyOfAlias(state: KmsState, call: CallContext, account: string, aliasName: string) {
  const alias = state.alias(call.region, account, aliasName)
  return alias === undefined ? undefined : state.key(call.region, alias.targetKeyId)
}
