import { rootArn } from '../../base/ids.ts'
import type { ConditionValues } from '../conditions/context.ts'
import { constant, type Formula, term } from './formula.ts'
import type { Principal } from './principals.ts'
import type { Term } from './term.ts'
import type { AnalysedGrant } from './world.ts'

const prefix = 'kms:EncryptionContext:'

/** The encryption context that a request says it has, in the case of its keys. */
export function encryptionContext(conditions: readonly ConditionValues[]) {
  const pairs: Record<string, string> = {}
  for (const values of conditions) {
    for (const [name, value] of Object.entries(values)) {
      if (!name.startsWith(prefix) || typeof value !== 'string') continue
      pairs[name.slice(prefix.length)] = value
    }
  }
  return pairs
}

/**
 * Whether a grant on this very operation permits a request. Those to callers of a service permit none that is direct.
 */
export function grantHolds(
  grant: AnalysedGrant,
  permission: string,
  conditions: readonly ConditionValues[],
): boolean {
  if (grant.sourceArn !== undefined) return false
  const constraint = constraintOf(grant, permission)
  const holds = constraint === undefined || meets(constraint, conditions)
  return holds && (permission !== 'kms:CreateGrant' || isChild(grant, conditions))
}

/** A grant's part in a formula. */
export function grantTerm(grant: AnalysedGrant, permission: string): Formula<Term> {
  if (grant.sourceArn !== undefined) return constant(false)
  const constraint = constraintOf(grant, permission)
  const child = permission === 'kms:CreateGrant'
  if (constraint === undefined && !child) return constant(true)
  const pairs = constraint?.pairs ?? {}
  const exact = constraint?.exact ?? false
  return term({
    name: `grant ${grant.grantId}`,
    // What a grant asks of a request is more than a context keeps: the request as a whole is replayed.
    evaluate: () => {
      throw new Error('a grant is not asked by its term')
    },
    condition: undefined,
    grant: { pairs, exact, operations: child ? grant.operations : undefined },
  })
}

/** DescribeKey has no encryption context, and RetireGrant heeds none. */
function constraintOf({ contextEquals, contextSubset }: AnalysedGrant, permission: string) {
  if (permission === 'kms:DescribeKey') return undefined
  if (contextEquals !== undefined) return { pairs: contextEquals, exact: true }
  return contextSubset === undefined ? undefined : { pairs: contextSubset, exact: false }
}

function meets(
  { pairs, exact }: { readonly pairs: Readonly<Record<string, string>>; readonly exact: boolean },
  conditions: readonly ConditionValues[],
): boolean {
  const given = encryptionContext(conditions)
  const wanted = Object.entries(pairs)
  if (exact && Object.keys(given).length !== wanted.length) return false
  return wanted.every(([name, value]) => given[name] === value)
}

/** A grant made by leave of a grant permits no more than that one. */
function isChild({ operations }: AnalysedGrant, conditions: readonly ConditionValues[]): boolean {
  for (const values of conditions) {
    const asked = values['kms:GrantOperations']
    if (Array.isArray(asked)) return asked.every((name) => operations.includes(name))
  }
  return false
}

/** Of a grant that somebody makes to the session that they will be: its name is theirs to choose. */
export function anySessionOf(roleId: string): string {
  return `${roleId}:*`
}

/** As whom a grant can name a principal, the one with the fewest limits first. */
export function grantParties({ uniqueId: id, kind, account }: Principal) {
  const root = { party: rootArn(account), grantee: 'account' } as const
  switch (kind) {
    case 'root':
      return [root]
    case 'session': {
      const session = { party: anySessionOf(id), grantee: 'role-session' } as const
      return [session, { party: id, grantee: 'role' } as const, root]
    }
    case 'named-session': {
      const role = id.slice(0, id.indexOf(':'))
      const session = { party: id, grantee: 'role-session' } as const
      return [session, { party: role, grantee: 'role' } as const, root]
    }
    default:
      return [{ party: id, grantee: 'user' } as const, root]
  }
}
