import { hash } from 'node:crypto'
import type { AccountId } from '../../base/ids.ts'

/**
 * The canonical user id of an account, by which S3 names owners: 64 hexadecimal digits, the same for ever. It hides
 * nothing: whoever guesses the account id finds the canonical one.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/finding-canonical-user-id.html
 */
export function canonicalUserId(account: AccountId): string {
  return hash('sha256', `canonical user of ${account}`, 'hex')
}
