import { rootArn } from '../../base/ids.ts'
import { conditionKeyOf } from '../condition-keys.ts'
import { ConditionContext, type ConditionValues } from '../conditions/context.ts'
import type { CallerLayers, SourcedPolicy } from '../layers.ts'
import type { CompiledPolicy, CompiledStatement } from '../policy/compile.ts'
import type { AccessRequest, AccessResource, PermittingGrant } from '../request.ts'
import {
  changeable,
  directCall,
  isChangeable,
  type KeyFacts,
  keyConditions,
  keyFacts,
  requestFacts,
} from './condition-keys.ts'
import { all, any, constant, type Formula, not, term as only } from './formula.ts'
import { grantHolds, grantTerm } from './grant-term.ts'
import { keyPermissions } from './permissions.ts'
import type { Principal } from './principals.ts'
import { conditionTerm, type Known, type Term } from './term.ts'
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
  const builder = new FormulaBuilder(principal, permission, resource, resourceControl, known)
  return {
    principal,
    permission,
    allowed: builder.allowed(own),
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

function isSession({ kind }: Principal): boolean {
  return kind === 'session' || kind === 'named-session'
}

function textOf(context: ConditionContext, folded: string): string | undefined {
  const value = context.get(folded)
  return typeof value === 'string' ? value : undefined
}

/** As whom a grant can name a principal, the one with the fewest limits first. */
function partiesOf({ uniqueId: id, kind, account }: Principal) {
  const root = { party: rootArn(account), grantee: 'account' } as const
  switch (kind) {
    case 'root':
      return [root]
    case 'session':
      return [{ party: id, grantee: 'role' } as const, root]
    case 'named-session': {
      const role = id.slice(0, id.indexOf(':'))
      const session = { party: id, grantee: 'role-session' } as const
      return [session, { party: role, grantee: 'role' } as const, root]
    }
    default:
      return [{ party: id, grantee: 'user' } as const, root]
  }
}

function permitting(
  grants: readonly AnalysedGrant[],
  principal: Principal,
  permission: string,
  conditions: readonly ConditionValues[],
): PermittingGrant | undefined {
  for (const { party, grantee } of partiesOf(principal)) {
    const found = grants.find(
      (grant) => grant.grantee === party && grantHolds(grant, permission, conditions),
    )
    if (found !== undefined) return { grantId: found.grantId, grantee }
  }
  return undefined
}

/** The evaluator's procedure as a formula: `evaluate.ts`, `guards.ts` and `paths.ts` are what it has to agree with. */
class FormulaBuilder {
  readonly #principal: Principal
  readonly #permission: string
  readonly #resource: AccessResource
  readonly #resourceControl: readonly (readonly SourcedPolicy[])[]
  readonly #known: Known

  constructor(
    principal: Principal,
    permission: string,
    resource: AccessResource,
    resourceControl: readonly (readonly SourcedPolicy[])[],
    known: Known,
  ) {
    this.#principal = principal
    this.#permission = permission
    this.#resource = resource
    this.#resourceControl = resourceControl
    this.#known = known
  }

  allowed(grants: readonly AnalysedGrant[]): Formula<Term> {
    const { layers, account } = this.#principal
    const resource = this.#resource
    const foreign = resource.account !== account
    if (resource.type === 'identity') {
      return foreign ? constant(false) : all([...this.#callerGuards(layers), this.#left(layers)])
    }
    if (foreign && resource.type === 'key' && !resource.crossAccount) return constant(false)
    const guards = [
      ...this.#callerGuards(layers),
      not(this.#some(resource.policy.denies, 'resource')),
      ...this.#levels(this.#resourceControl, 'resource'),
    ]
    const { direct, role, delegated } = this.#naming(resource.policy)
    const limits = this.#limits(layers)
    const left = this.#left(layers)
    const granted = this.#granted(grants, foreign)
    const named = foreign
      ? all([any([direct, role, delegated]), left])
      : any([direct, all([role, limits]), all([delegated, left])])
    return all([...guards, any([named, granted])])
  }

  /** Explicit denials of the caller's layers, and the levels of service control. */
  #callerGuards(layers: CallerLayers): Formula<Term>[] {
    const { identity, boundary, session, serviceControl } = layers
    const policies = [
      ...identity,
      ...(boundary === undefined ? [] : [boundary]),
      ...(session ?? []),
    ]
    const denials = policies.map(({ policy }) => not(this.#some(policy.denies, 'caller')))
    return [...denials, ...this.#levels(serviceControl, 'caller')]
  }

  #levels(levels: readonly (readonly SourcedPolicy[])[], side: Side): Formula<Term>[] {
    return levels.flatMap((level) => [
      ...level.map(({ policy }) => not(this.#some(policy.denies, side))),
      any(level.map(({ policy }) => this.#some(policy.allows, side))),
    ])
  }

  #naming(policy: CompiledPolicy) {
    const direct: Formula<Term>[] = []
    const role: Formula<Term>[] = []
    const delegated: Formula<Term>[] = []
    for (const statement of policy.allows) {
      const match = this.#match(statement)
      if (match === undefined) continue
      const formula = this.#statement(statement, 'resource')
      if (match === 'account') delegated.push(formula)
      else if (match === 'role') role.push(formula)
      else direct.push(formula)
    }
    return { direct: any(direct), role: any(role), delegated: any(delegated) }
  }

  /** What the account leaves to its identity policies. */
  #left(layers: CallerLayers): Formula<Term> {
    if (this.#principal.kind === 'root') return constant(true)
    const allows = layers.identity.map(({ policy }) => this.#some(policy.allows, 'caller'))
    return all([any(allows), this.#limits(layers)])
  }

  #limits({ boundary, session }: CallerLayers): Formula<Term> {
    const limits: Formula<Term>[] = []
    if (boundary !== undefined) limits.push(this.#some(boundary.policy.allows, 'caller'))
    if (session !== undefined) {
      limits.push(any(session.map(({ policy }) => this.#some(policy.allows, 'caller'))))
    }
    return all(limits)
  }

  #granted(grants: readonly AnalysedGrant[], foreign: boolean): Formula<Term> {
    const { layers } = this.#principal
    return any(
      partiesOf(this.#principal).flatMap(({ party, grantee }) =>
        grants
          .filter((grant) => grant.grantee === party)
          .map((grant) => {
            const holds = grantTerm(grant, this.#permission)
            if (grantee === 'account') return all([holds, this.#left(layers)])
            return grantee === 'role' || foreign ? all([holds, this.#limits(layers)]) : holds
          }),
      ),
    )
  }

  #some(statements: readonly CompiledStatement[], side: Side): Formula<Term> {
    return any(
      statements.map((statement) => {
        if (statement.principal !== undefined && this.#match(statement) === undefined) {
          return constant(false)
        }
        return this.#statement(statement, side)
      }),
    )
  }

  #match({ principal }: CompiledStatement) {
    const caller = this.#principal.caller(() => undefined)
    if (caller === undefined) throw new Error('a principal has a caller')
    return principal?.(caller, this.#principal.layers.boundary !== undefined)
  }

  /** Whether a statement's action, resource and conditions fit. */
  #statement(statement: CompiledStatement, side: Side): Formula<Term> {
    const { action, resource, conditions, effect } = statement
    if (action === undefined || resource === undefined) return constant(false)
    if (!action(this.#permission.toLowerCase())) return constant(false)
    const fits = this.#resourceFits(resource, side)
    if (fits.is === 'constant' && !fits.holds) return fits
    const { context } = this.#known
    context.side = side
    const formulas = conditions.map((atom) => {
      const open = conditionTerm(atom, effect, this.#known)
      if (open === undefined) return constant(atom.evaluate(context).holds)
      return only(open)
    })
    return all([fits, ...formulas])
  }

  /** A resource with a variable that is open is a term of which no more is known. */
  #resourceFits(matches: NonNullable<CompiledStatement['resource']>, side: Side): Formula<Term> {
    const { arn } = this.#resource
    const { context, isOpen } = this.#known
    context.side = side
    const probe = new Probe(context, isOpen)
    const fits = matches(arn, probe)
    if (!probe.metOpen) return constant(fits)
    const name = `resource ${resourceNumber(matches)}`
    const evaluate = (request: ConditionContext) => {
      request.side = side
      return matches(arn, request)
    }
    return only({ name, evaluate, condition: undefined })
  }
}

type Side = ConditionContext['side']

const numbers = new WeakMap<object, number>()
let numbered = 0

/** The same matcher is the same term. */
function resourceNumber(matcher: object): number {
  const known = numbers.get(matcher)
  if (known !== undefined) return known
  numbers.set(matcher, ++numbered)
  return numbered
}

/** Notes whether something that is not known was asked for. */
class Probe extends ConditionContext {
  metOpen = false
  readonly #context: ConditionContext
  readonly #isOpen: (folded: string) => boolean

  constructor(context: ConditionContext, isOpen: (folded: string) => boolean) {
    super([])
    this.#context = context
    this.#isOpen = isOpen
  }

  override get(folded: string) {
    if (this.#isOpen(folded)) this.metOpen = true
    return this.#context.get(folded)
  }
}
