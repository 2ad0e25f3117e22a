import type { AccountId } from '../base/ids.ts'

/**
 * IAM's identities as the store keeps them. Nobody changes a record in place. Names are unique in their account
 * whatever their case, and keep the case that they were given; ids are unique for ever, so that a namesake that is made
 * later is somebody else.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
 */
export type Tag = { readonly Key: string; readonly Value: string }

/** Texts as they were put, by policy name. */
export type InlinePolicies = Readonly<Record<string, string>>

/** What users, groups and roles have in common. */
export type Attachments = {
  readonly inline: InlinePolicies
  /** ARNs of managed policies, in the order in which they were attached. */
  readonly attached: readonly string[]
}

export type UserRecord = Attachments & {
  readonly account: AccountId
  /** `AIDA…` */
  readonly userId: string
  readonly userName: string
  /** Begins and ends with a slash. */
  readonly path: string
  /** ms since the epoch */
  readonly createdAt: number
  readonly tags: readonly Tag[]
  /** Ids of groups. */
  readonly groups: readonly string[]
  /** ARN of the managed policy that is its permissions boundary. */
  readonly boundary?: string | undefined
}

export type GroupRecord = Attachments & {
  readonly account: AccountId
  /** `AGPA…` */
  readonly groupId: string
  readonly groupName: string
  readonly path: string
  readonly createdAt: number
}

export type RoleRecord = Attachments & {
  readonly account: AccountId
  /** `AROA…` */
  readonly roleId: string
  readonly roleName: string
  readonly path: string
  readonly createdAt: number
  readonly description?: string | undefined
  /** The role trust policy, its principals bound to their unique ids (`authorize/policy/bind.ts`). */
  readonly trustPolicy: string
  /** 3,600 to 43,200. */
  readonly maxSessionSeconds: number
  readonly tags: readonly Tag[]
  readonly boundary?: string | undefined
}

export type ManagedPolicyRecord = {
  readonly account: AccountId
  /** `ANPA…` */
  readonly policyId: string
  readonly policyName: string
  readonly path: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly description?: string | undefined
  readonly tags: readonly Tag[]
  /** The oldest first; five at most. */
  readonly versions: readonly PolicyVersion[]
  readonly defaultVersionId: string
  /** The number of the next version: numbers are never given twice. */
  readonly nextVersion: number
}

export type PolicyVersion = {
  /** `v1` */
  readonly versionId: string
  readonly text: string
  readonly createdAt: number
}

/** A long-term access key. Its secret opens only inside the key core. */
export type AccessKeyRecord = {
  readonly accessKeyId: string
  readonly account: AccountId
  /** `AIDA…`; absent: the account's root user. */
  readonly userId?: string | undefined
  readonly status: 'Active' | 'Inactive'
  readonly sealedSecret: string
  /** ms since the epoch */
  readonly createdAt: number
}

/** An OpenID Connect provider whose tokens an account trusts. */
export type OidcProviderRecord = {
  readonly account: AccountId
  /** As in its ARN: the issuer without `https://`. */
  readonly url: string
  readonly clientIds: readonly string[]
  /** SHA-1 of certificates, 40 hexadecimal digits in lower case. */
  readonly thumbprints: readonly string[]
  readonly createdAt: number
  readonly tags: readonly Tag[]
}

/** The one other name of an account, unique in the deployment. */
export type AccountAliasRecord = { readonly account: AccountId; readonly alias: string }

export function userArn({ account, path, userName }: UserRecord): string {
  return `arn:aws:iam::${account}:user${path}${userName}`
}

export function groupArn({ account, path, groupName }: GroupRecord): string {
  return `arn:aws:iam::${account}:group${path}${groupName}`
}

export function roleArn({ account, path, roleName }: RoleRecord): string {
  return `arn:aws:iam::${account}:role${path}${roleName}`
}

export function policyArn({ account, path, policyName }: ManagedPolicyRecord): string {
  return `arn:aws:iam::${account}:policy${path}${policyName}`
}

export function oidcProviderArn({
  account,
  url,
}: Pick<OidcProviderRecord, 'account' | 'url'>): string {
  return `arn:aws:iam::${account}:oidc-provider/${url}`
}
