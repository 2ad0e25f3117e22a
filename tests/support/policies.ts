/** Key policies that tests put. */
export type Statement = {
  readonly Sid?: string
  readonly Effect: 'Allow' | 'Deny'
  readonly Principal: unknown
  readonly Action: string | readonly string[]
  readonly Resource: string
}

export function rootOf(account: string): string {
  return `arn:aws:iam::${account}:root`
}

/** The owning account's full authority, as in the default policy, and what else is given. */
export function policyOf(account: string, ...more: readonly Statement[]): string {
  const owner: Statement = {
    Sid: 'Enable IAM User Permissions',
    Effect: 'Allow',
    Principal: { AWS: rootOf(account) },
    Action: 'kms:*',
    Resource: '*',
  }
  return JSON.stringify({ Version: '2012-10-17', Statement: [owner, ...more] })
}

export function allow(account: string, ...actions: readonly string[]): Statement {
  return {
    Sid: 'Shared',
    Effect: 'Allow',
    Principal: { AWS: rootOf(account) },
    Action: actions,
    Resource: '*',
  }
}

export function deny(account: string, ...actions: readonly string[]): Statement {
  return { ...allow(account, ...actions), Sid: 'Withheld', Effect: 'Deny' }
}
