import { conditionKeyOf } from '../condition-keys.ts'
import { ConditionContext, type ConditionValues } from '../conditions/context.ts'
import type { CompiledPolicy } from '../policy/compile.ts'
import type { AccessRequest, AccessResource, PermittingGrant } from '../request.ts'
import type { Formula } from './formula.ts'
import { grantHolds, grantParties } from './grant-term.ts'
import {
  changeable,
  directCall,
  isChangeable,
  type KeyFacts,
  keyConditions,
  keyFacts,
  requestFacts,
} from './key-facts.ts'
import { keyPermissions } from './permissions.ts'
import { PolicyFormula } from './policy-formula.ts'
import type { Principal } from './principals.ts'
import type { Known, Term } from './term.ts'
import type { AnalysedGrant, AnalysisWorld } from './world.ts'

/** May this principal, if only the open part of the request is right? The question, made ready to be solved. */
export type Query = {
  readonly principal: Principal
  readonly permission: string
  /** Holds exactly when the evaluator allows. */
  readonly allowed: Formula<Term>
  /** What every request of this kind says. */
  readonly fixed: readonly ConditionValues[]
  facts(folded: string): KeyFacts
  /** The whole request; undefined: no caller can be as the values say. */
  request(open: ConditionValues): AccessRequest | undefined
}

export type Asked = {
  readonly world: AnalysisWorld
  readonly principal: Principal
  /** As in `kms:Decrypt`. */
  readonly permission: string
  readonly resource: AccessResource
  readonly grants?: readonly AnalysedGrant[]
  /** What else is known of the request. */
  readonly also?: ConditionValues | undefined
  /** Whether the key's tags and aliases are whatever somebody makes them. */
  readonly openKey?: boolean | undefined
}

export function keyResource(
  { key }: AnalysisWorld,
  permission: string,
  policy: CompiledPolicy,
): AccessResource {
  const { arn, account } = key
  const crossAccount =
    keyPermissions.find(({ name }) => `kms:${name}` === permission)?.crossAccount ?? false
  return { type: 'key', arn, account, policy, crossAccount }
}

export function queryOf(asked: Asked): Query {
  const { principal, permission, resource, grants = [], also = {}, openKey = false } = asked
  const { world } = asked
  const key = openKey ? { ...world.key, tags: {}, aliases: [] } : world.key
  const fixed: ConditionValues[] = [principal.fixed, also, world.organization]
  if (resource.type === 'key') {
    const own = { 'kms:CallerAccount': principal.account, ...keyConditions(key) }
    const direct = world.viaServices.length === 0 ? directCall(permission.slice(4)) : {}
    fixed.push(own, direct)
  }
  const context = new ConditionContext(fixed)
  const facts = (folded: string): KeyFacts => {
    const known = context.get(folded)
    if (known !== undefined) return 'absent'
    const ofCaller = principal.open(folded)
    if (ofCaller !== undefined) return ofCaller
    if (resource.type !== 'key') return requestFacts(folded)
    // Keys that AWS does not know are those of identity providers, for whom sessions speak.
    if (conditionKeyOf(folded) === undefined && !isSession(principal)) return 'absent'
    if (openKey && isChangeable(folded)) return changeable(folded)
    return keyFacts(folded, permission.slice(4), world.key, world.viaServices)
  }
  const known: Known = { context, isOpen: (folded) => facts(folded) !== 'absent' }
  const account = world.accounts.find((each) => each.account === resource.account)
  const resourceControl = resource.type === 'identity' ? [] : (account?.resourceControl ?? [])
  const own = grants.filter(({ operations }) => operations.includes(permission.slice(4)))
  const formula = new PolicyFormula(principal, permission, resource, resourceControl, known)
  return {
    principal,
    permission,
    allowed: formula.allowed(own),
    fixed,
    facts,
    request(open) {
      const conditions = [...fixed, open]
      const values = new ConditionContext(conditions)
      const caller = principal.caller((folded) => textOf(values, folded))
      if (caller === undefined) return undefined
      const { layers } = principal
      const grant = () => permitting(own, principal, permission, conditions)
      return { caller, permission, resource, conditions, layers, resourceControl, grant }
    },
  }
}

function isSession({ fixed }: Principal): boolean {
  return fixed['aws:PrincipalType'] === 'AssumedRole'
}

function textOf(context: ConditionContext, folded: string): string | undefined {
  const value = context.get(folded)
  return typeof value === 'string' ? value : undefined
}

function permitting(
  grants: readonly AnalysedGrant[],
  principal: Principal,
  permission: string,
  conditions: readonly ConditionValues[],
): PermittingGrant | undefined {
  for (const { party, grantee } of grantParties(principal)) {
    const found = grants.find(
      (grant) => grant.grantee === party && grantHolds(grant, permission, conditions),
    )
    if (found !== undefined) return { grantId: found.grantId, grantee }
  }
  return undefined
}
