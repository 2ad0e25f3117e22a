import type { AccountId } from './ids.ts'

/**
 * Who signed a request. Users and role sessions come with IAM and STS; the shape has room for them so that
 * authorization and the record need not change.
 */
export type Caller = {
  readonly type: 'root' | 'user' | 'role-session'
  readonly account: AccountId
  /**
   * The ARN that AWS shows: `arn:aws:iam::ACCOUNT:root`, `…:user/path/name`,
   * `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
   */
  readonly arn: string
  /** The account id for root, `AIDA…` for a user, `AROA…:session` for a role session. */
  readonly principalId: string
  readonly accessKeyId: string
  /** The friendly name; users only. */
  readonly userName?: string
  /** The full role ARN with its path; role sessions only. */
  readonly roleArn?: string
}
