import type { CallContext } from '../operation.ts'
import { aliasOfAlias } from './errors.ts'
import type { KeyRecord } from './key.ts'
import { type IdentifierRules, resolveKey } from './key-identifier.ts'
import type { KmsState } from './state.ts'

/** The key that an alias is to name: an id or a key ARN of the caller's own account, never an alias. */
export function resolveAliasTarget(
  call: CallContext,
  text: string,
  rules: IdentifierRules,
  state: KmsState,
): KeyRecord {
  if (text.startsWith('alias/')) throw aliasOfAlias()
  return resolveKey(call, text, rules, state).key
}
