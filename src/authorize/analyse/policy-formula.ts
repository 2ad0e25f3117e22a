import { ConditionContext } from '../conditions/context.ts'
import type { CallerLayers, SourcedPolicy } from '../layers.ts'
import type { CompiledPolicy, CompiledStatement } from '../policy/compile.ts'
import type { AccessResource } from '../request.ts'
import { all, any, constant, type Formula, not, term as only } from './formula.ts'
import { grantParties, grantTerm } from './grant-term.ts'
import type { Principal } from './principals.ts'
import { conditionTerm, type Known, type Term } from './term.ts'
import type { AnalysedGrant } from './world.ts'

/** The evaluator's procedure as a formula: `evaluate.ts`, `guards.ts` and `paths.ts` are what it has to agree with. */
export class PolicyFormula {
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
    if (foreign && resource.type !== 'role' && !resource.crossAccount) return constant(false)
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
      : any([
          direct,
          all([role, limits]),
          all([resource.type === 'bucket' ? constant(true) : delegated, left]),
        ])
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
      grantParties(this.#principal).flatMap(({ party, grantee }) =>
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
