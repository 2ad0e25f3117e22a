import type { Caller } from '../base/caller.ts'
import { ConditionContext } from './conditions/context.ts'
import { type CallerLayers, noLayers, type SourcedPolicy } from './layers.ts'
import type { CompiledPolicy, CompiledStatement } from './policy/compile.ts'
import type { PrincipalMatch } from './policy/principal-match.ts'
import type { AccessRequest, PermittingGrant } from './request.ts'
import type { FailedElement } from './trace.ts'

/** Whose policies: the caller's account has set those of the one, the account of the resource those of the other. */
export type Side = ConditionContext['side']

const noLevels: readonly (readonly SourcedPolicy[])[] = []

/** A request as statements are held against it. The one place where statements are matched. */
export class Question {
  readonly request: AccessRequest
  readonly caller: Caller
  readonly layers: CallerLayers
  /** Asked of the resource's account, where the resource has a policy of its own. */
  readonly resourceControl: readonly (readonly SourcedPolicy[])[]
  readonly context: ConditionContext
  readonly #action: string
  readonly #arn: string
  readonly #bounded: boolean
  #asked = false
  #grant: PermittingGrant | undefined

  constructor(request: AccessRequest) {
    const { caller, layers = noLayers, resourceControl, permission, resource } = request
    this.request = request
    this.caller = caller
    this.layers = layers
    this.resourceControl = resource.type === 'identity' ? noLevels : (resourceControl ?? noLevels)
    this.context = new ConditionContext(request.conditions)
    this.#action = permission.toLowerCase()
    this.#arn = resource.arn
    this.#bounded = layers.boundary !== undefined
  }

  /** The grant that permits it, if any; sought once. */
  get grant(): PermittingGrant | undefined {
    if (!this.#asked) {
      this.#asked = true
      this.#grant = this.request.grant?.()
    }
    return this.#grant
  }

  /** The grant, if it was sought. */
  get foundGrant(): PermittingGrant | undefined {
    return this.#grant
  }

  denies(side: Side, policy: CompiledPolicy): boolean {
    this.context.side = side
    return this.#anyApplies(policy.denies)
  }

  allows(side: Side, policy: CompiledPolicy): boolean {
    this.context.side = side
    return this.#anyApplies(policy.allows)
  }

  #anyApplies(statements: readonly CompiledStatement[]): boolean {
    for (const statement of statements) if (this.applies(statement)) return true
    return false
  }

  /** As a statement of the side that the context was last told. */
  applies(statement: CompiledStatement): boolean {
    return this.failedElement(statement) === undefined && this.#conditionsHold(statement)
  }

  /** The first that does not fit; conditions are not looked at. */
  failedElement(statement: CompiledStatement): FailedElement | undefined {
    const { principal, action, resource } = statement
    if (action === undefined || resource === undefined) return 'inert'
    if (principal !== undefined && principal(this.caller, this.#bounded) === undefined) {
      return 'principal'
    }
    if (!action(this.#action)) return 'action'
    return resource(this.#arn, this.context) ? undefined : 'resource'
  }

  /** How a statement of a resource policy names the caller. */
  match({ principal }: CompiledStatement): PrincipalMatch | undefined {
    return principal?.(this.caller, this.#bounded)
  }

  #conditionsHold({ conditions }: CompiledStatement): boolean {
    for (const atom of conditions) if (!atom.evaluate(this.context).holds) return false
    return true
  }
}
