import type { StatementOf } from '../../support/iam-people.ts'

export function allow(changes: StatementOf = {}): StatementOf {
  return { Effect: 'Allow', Action: 'kms:*', Resource: '*', ...changes }
}

export function deny(changes: StatementOf = {}): StatementOf {
  return { ...allow(changes), Effect: 'Deny' }
}

/** A statement of a key policy for these principals. */
export function to(AWS: string | readonly string[], changes: StatementOf = {}): StatementOf {
  return allow({ Principal: { AWS }, ...changes })
}

export const nothing = {
  resource: 'because no resource-based policy allows the kms:Encrypt action',
  identity: 'because no identity-based policy allows the kms:Encrypt action',
  boundary: 'because no permissions boundary allows the kms:Encrypt action',
  session: 'because no session policy allows the kms:Encrypt action',
} as const

export const denied = {
  resource: 'with an explicit deny in a resource-based policy',
  identity: 'with an explicit deny in an identity-based policy',
  boundary: 'with an explicit deny in a permissions boundary',
  session: 'with an explicit deny in a sessions policy',
} as const
