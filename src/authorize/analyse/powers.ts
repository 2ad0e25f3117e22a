import type { AccountId } from '../../base/ids.ts'
import { compileCondition } from '../conditions/atom.ts'
import { ConditionContext, type ConditionValues } from '../conditions/context.ts'
import { parseOperator } from '../conditions/operator-name.ts'
import { type CompiledPolicy, compilePolicy } from '../policy/compile.ts'
import type { AccessResource } from '../request.ts'
import { all, constant, type Formula, term } from './formula.ts'
import type { Principal } from './principals.ts'
import { type Asked, keyResource, type Query, queryOf } from './query.ts'
import { satisfy } from './satisfy.ts'
import { conditionTerm, type Term } from './term.ts'
import type { AnalysedGrant, AnalysedRole, AnalysisWorld } from './world.ts'

/** That something can be done: by a request that was replayed, or perhaps. Undefined: a proof that it cannot. */
export type Can =
  | { readonly certain: true; readonly witness: ConditionValues }
  | { readonly certain: false }
  | undefined

/** How the key stands when a permission on it is asked for. */
export type KeyVariant = {
  readonly policy: 'present' | 'anything'
  readonly grants: readonly AnalysedGrant[]
  /** Tags and aliases are whatever somebody makes them. */
  readonly openKey: boolean
}

/** By which somebody comes to be somebody else, or more than they were. */
export const identityWrites = {
  user: [
    ...['PutUserPolicy', 'AttachUserPolicy', 'DeleteUserPolicy', 'DetachUserPolicy'],
    ...['PutUserPermissionsBoundary', 'DeleteUserPermissionsBoundary', 'TagUser', 'UntagUser'],
    // Conditions go by names and paths.
    'UpdateUser',
  ],
  role: [
    ...['PutRolePolicy', 'AttachRolePolicy', 'DeleteRolePolicy', 'DetachRolePolicy'],
    ...['PutRolePermissionsBoundary', 'DeleteRolePermissionsBoundary', 'TagRole', 'UntagRole'],
  ],
  group: [
    ...['PutGroupPolicy', 'AttachGroupPolicy', 'DeleteGroupPolicy', 'DetachGroupPolicy'],
    ...['AddUserToGroup', 'RemoveUserFromGroup'],
  ],
  policy: ['CreatePolicyVersion', 'SetDefaultPolicyVersion', 'DeletePolicyVersion'],
  other: ['CreateAccessKey', 'UpdateAssumeRolePolicy', 'CreateUser', 'CreateRole'],
} as const
const identityActions = Object.values(identityWrites)
  .flat()
  .map((name) => `iam:${name}`)

const lettingIn = (action: string, resource: object) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: '*', Action: action, ...resource },
  })

/** What principals can do, asked once of each. `asked` counts what had to be found out. */
export class Powers {
  readonly world: AnalysisWorld
  asked = 0
  readonly #present: CompiledPolicy
  readonly #anything = compilePolicy(lettingIn('kms:*', { Resource: '*' }))
  readonly #anyTrust = compilePolicy(lettingIn('sts:*', {}), 'trust')
  readonly #trusts = new Map<string, CompiledPolicy>()
  readonly #known = new Map<string, Can>()
  readonly #manages = new Map<string, boolean>()
  readonly #once = new Map<string, unknown>()

  constructor(world: AnalysisWorld) {
    this.world = world
    this.#present = compilePolicy(world.key.policy)
  }

  /** `permission` as in `kms:Decrypt`. */
  onKey(
    principal: Principal,
    permission: string,
    variant: KeyVariant,
    also?: ConditionValues,
    granting?: Granting,
  ): Can {
    const policy = variant.policy === 'present' ? this.#present : this.#anything
    const resource = keyResource(this.world, permission, policy)
    const { grants, openKey } = variant
    const more = grants === this.world.grants ? '' : textOf(grants.slice(this.world.grants.length))
    const name = `${variant.policy} ${openKey} ${more} ${textOf(also)} ${textOf(granting)}`
    return this.#can({ principal, permission, resource, grants, also, openKey }, name, granting)
  }

  /**
   * By a request whose grant permits `operation`, perhaps beside others. `grantee` is an ARN, or a pattern: that
   * somebody is called so is never sure.
   */
  createGrant(principal: Principal, variant: KeyVariant, operation: string, grantee: string): Can {
    const permission = 'kms:CreateGrant'
    if (grantee.includes('*')) {
      const can = this.onKey(principal, permission, variant, undefined, { operation, grantee })
      return can && { certain: false }
    }
    const also = { 'kms:GranteePrincipal': grantee }
    return this.onKey(principal, permission, variant, also, { operation })
  }

  /** `trusted`: by a trust policy that lets everybody in. */
  assume(principal: Principal, role: AnalysedRole, trusted: boolean, also?: ConditionValues): Can {
    const { arn, account } = role
    const policy = trusted ? this.#anyTrust : this.#trustOf(role)
    const resource = { type: 'role', arn, account, policy } as const
    return this.#can(
      { principal, permission: 'sts:AssumeRole', resource, also },
      `${trusted} ${textOf(also)}`,
    )
  }

  onIdentity(
    principal: Principal,
    permission: string,
    target: { readonly arn: string; readonly account: AccountId },
    also?: ConditionValues,
  ): Can {
    const { arn, account } = target
    if (!this.mayAnywhere(principal, permission)) return undefined
    const resource: AccessResource = { type: 'identity', arn, account }
    return this.#can({ principal, permission, resource, also }, textOf(also))
  }

  /** Whether anything at all leaves the action to the principal; false is a proof that it cannot, on any identity. */
  mayAnywhere({ kind, layers }: Principal, permission: string): boolean {
    const folded = permission.toLowerCase()
    const allows = layers.identity.flatMap(({ policy }) => policy.allows)
    return kind === 'root' || allows.some(({ action }) => action?.(folded) === true)
  }

  /** Whether any of the actions is left to the principal, on any identity; asked once of each. */
  managesIdentities(principal: Principal): boolean {
    let manages = this.#manages.get(principal.id)
    if (manages === undefined) {
      manages = identityActions.some((action) => this.mayAnywhere(principal, action))
      this.#manages.set(principal.id, manages)
    }
    return manages
  }

  /** What is asked of the same principals again and again. */
  once<T>(name: string, find: () => T): T {
    if (!this.#once.has(name)) this.#once.set(name, find())
    return this.#once.get(name) as T
  }

  #can(asked: Omit<Asked, 'world'>, variant: string, granting?: Granting): Can {
    const { principal, permission, resource } = asked
    const name = `${principal.id} ${permission} ${resource.arn} ${variant}`
    if (this.#known.has(name)) return this.#known.get(name)
    this.asked++
    const query = queryOf({ ...asked, world: this.world })
    const wanted = granting === undefined ? [] : grants(granting, query)
    const found = satisfy(all([query.allowed, ...wanted]), [{ query, allowed: true }])
    const can: Can =
      found === 'none'
        ? undefined
        : found === 'unknown'
          ? { certain: false }
          : { certain: true, witness: found.witness }
    this.#known.set(name, can)
    return can
  }

  #trustOf({ roleId, trustPolicy }: AnalysedRole): CompiledPolicy {
    const known = this.#trusts.get(roleId) ?? compilePolicy(trustPolicy, 'trust')
    this.#trusts.set(roleId, known)
    return known
  }
}

function textOf(value: object | undefined): string {
  return value === undefined ? '' : JSON.stringify(value)
}

/** What a request for a grant is to ask for: an operation among others, a grantee whose ARN is like a pattern. */
type Granting = { readonly operation: string; readonly grantee?: string }

function grants({ operation, grantee }: Granting, query: Query): readonly Formula<Term>[] {
  const permits = demand('ForAnyValue:StringEquals', 'kms:GrantOperations', operation, query)
  if (grantee === undefined) return [permits]
  return [permits, demand('ArnLike', 'kms:GranteePrincipal', grantee, query)]
}

function demand(name: string, key: string, text: string, { fixed, facts }: Query): Formula<Term> {
  const operator = parseOperator(name)
  if (operator === undefined) throw new Error('an operator')
  const at = { line: 0, column: 0, parent: undefined, step: '' }
  const condition = { at, operator, key, values: [{ at, text }] }
  const atom = compileCondition(condition, 'Allow', '2012-10-17')
  const known = {
    context: new ConditionContext(fixed),
    isOpen: (folded: string) => facts(folded) !== 'absent',
  }
  const open = conditionTerm(atom, 'Allow', known)
  return open === undefined ? constant(atom.evaluate(known.context).holds) : term(open)
}
