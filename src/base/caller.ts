import type { AccountId } from './ids.ts'

/** Who a request comes from. Made by `identities/` from records that are the present ones; nobody changes one. */
export type Caller = {
  /**
   * `web-identity`: not signed; vouched for by an OpenID provider, and good for AssumeRoleWithWebIdentity alone.
   * `service`: a service of this deployment in its own name; no request makes one (`services/via.ts`).
   */
  readonly type: 'root' | 'user' | 'role-session' | 'web-identity' | 'service'
  /** Of a web identity: the account whose role it asks for. Of a service: the one that it acts for. */
  readonly account: AccountId
  /**
   * The ARN that AWS shows: `arn:aws:iam::ACCOUNT:root`, `…:user/path/name`,
   * `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`. Of a web identity: the ARN of its provider; of a
   * service, which has none, its name.
   */
  readonly arn: string
  /**
   * What policies are bound to, since names can come back: the account id for root, `AIDA…` for a user,
   * `AROA…:session` for a role session, `PROVIDER:AUDIENCE:SUBJECT` for a web identity,
   * `cloudtrail.amazonaws.com` for a service.
   */
  readonly principalId: string
  /** Empty for a web identity and for a service. */
  readonly accessKeyId: string
  /** The friendly name; users only. */
  readonly userName?: string
  /** The full role ARN with its path, and the role's `AROA…`; role sessions only. */
  readonly roleArn?: string
  readonly roleId?: string
  /** Of the user, or of the role and its session, where the session's win whatever their case. */
  readonly tags?: Readonly<Record<string, string>>
  /** Of temporary credentials alone. */
  readonly session?: CallerSession
  /** Of a web identity, and of the role session that was given for one: `<provider>:aud` and the like, and values. */
  readonly providerConditions?: Readonly<Record<string, string | readonly string[]>>
  /** Of a web identity alone. */
  readonly webIdentity?: WebIdentity
}

/** What an OpenID provider vouched for. */
export type WebIdentity = {
  /** ARN */
  readonly provider: string
  readonly subject: string
  readonly audience: string
  /** What the session is to begin with. */
  readonly tags: readonly { readonly Key: string; readonly Value: string }[]
  readonly transitiveTagKeys: readonly string[]
  readonly sourceIdentity?: string
}

/** What temporary credentials carry. */
export type CallerSession = {
  /** ms since the epoch */
  readonly issuedAt: number
  readonly expiresAt: number
  readonly sourceIdentity?: string
  /** Texts of the session policies that were passed; absent: none was, and the session is not limited by any. */
  readonly policies?: readonly string[]
  /** Managed policies that were passed as session policies, by ARN: what they say now counts. */
  readonly policyArns?: readonly string[]
  /** Names of session tags that go on to the next role of a chain, and what they are. */
  readonly transitiveTags?: Readonly<Record<string, string>>
  /** Of a web identity: which provider vouched for it. */
  readonly webIdentity?: {
    readonly provider: string
    readonly subject: string
    readonly audience: string
  }
}
