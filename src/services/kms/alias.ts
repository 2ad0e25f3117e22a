import type { AccountId, KeyId, Region } from '../../base/ids.ts'
import { aliasCharacters, aliasReserved, aliasWithoutPrefix, validation } from './errors.ts'

/** A name for a key, within one account and Region. */
export type AliasRecord = {
  readonly region: Region
  readonly account: AccountId
  /** With its prefix, as in `alias/payments`. */
  readonly aliasName: string
  readonly targetKeyId: KeyId
  /** ms since the epoch */
  readonly createdAt: number
  readonly updatedAt: number
}

/**
 * The rules for names that customers may make, change and delete, beyond the pattern of the wire model. Throws
 * 'validation', or 'not-authorized' for names that are AWS's own.
 */
export function checkAliasName(name: string): void {
  if (!name.startsWith('alias/')) throw aliasWithoutPrefix()
  if (name === 'alias/') throw validation('Invalid identifier')
  if (name.startsWith('alias/aws/')) throw aliasReserved()
  // The model's pattern lets a colon through; the service does not.
  if (name.includes(':')) throw aliasCharacters(name)
}
