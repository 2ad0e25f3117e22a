import type { Atom, Rule } from './conditions/atom.ts'
import { ConditionContext, TooMuchWork, valuesOf } from './conditions/context.ts'
import type { Allowed, Decision, DenialReason, Denied, Path } from './decision.ts'
import type { CompiledPolicy, CompiledStatement } from './policy/compile.ts'
import type { PrincipalMatch } from './policy/principal-match.ts'
import type { AccessRequest, AccessResource } from './request.ts'
import type { ConditionTrace, FailedElement, StatementTrace } from './trace.ts'

/** May the caller? Pure; the default is no. */
export function decide(request: AccessRequest): Decision {
  return new Evaluation(request, undefined).decision()
}

/** The same decision by the same code, and every statement that was looked at on the way. */
export function explain(request: AccessRequest): {
  readonly decision: Decision
  readonly statements: readonly StatementTrace[]
} {
  const statements: StatementTrace[] = []
  const decision = new Evaluation(request, statements).decision()
  return { decision, statements }
}

type Layer = { readonly name: StatementTrace['layer']; readonly policy: number }
type KeyResource = Extract<AccessResource, { type: 'key' }>
const keyPolicy: Layer = { name: 'key-policy', policy: 0 }

const paths: Readonly<Record<Exclude<PrincipalMatch, 'account'>, Path>> = {
  user: 'A',
  'role-session': 'B',
  role: 'C',
  everyone: 'E',
}

const crossAccountOperation = denied('cross-account-operation')
const keyPolicyDeny = denied('explicit-deny-in-key-policy')
const identityDeny = denied('explicit-deny-in-identity-policy')
const noKeyPolicy = denied('no-key-policy-allows')
const noIdentityPolicy = denied('no-identity-policy-allows')
const tooMuchWork = denied('too-much-work')
const accountRoot: Allowed = { allowed: true, reason: 'account-root' }
const identityPolicy: Allowed = { allowed: true, reason: 'identity-policy' }

function denied(reason: DenialReason): Denied {
  return { allowed: false, reason }
}

function byKeyPolicy(path: Path): Allowed {
  return { allowed: true, reason: 'key-policy', path }
}

function byGrant(grantId: string): Allowed {
  return { allowed: true, reason: 'grant', path: 'H', grantId }
}

function byBoth(path: Path): Allowed {
  return { allowed: true, reason: 'key-and-identity-policy', path }
}

class Evaluation {
  readonly #request: AccessRequest
  readonly #action: string
  readonly #context: ConditionContext
  readonly #trace: StatementTrace[] | undefined

  constructor(request: AccessRequest, trace: StatementTrace[] | undefined) {
    this.#request = request
    this.#action = request.permission.toLowerCase()
    this.#context = new ConditionContext(request.conditions)
    this.#trace = trace
  }

  /** What cannot be decided in bounded time is refused: a Deny that was not reached may be there. */
  decision(): Decision {
    try {
      return this.#decision()
    } catch (error) {
      if (error instanceof TooMuchWork) return tooMuchWork
      throw error
    }
  }

  #decision(): Decision {
    const { resource, caller } = this.#request
    if (resource.type === 'identity') {
      return resource.account === caller.account ? this.#byIdentity() : noIdentityPolicy
    }
    if (resource.account === caller.account) return this.#sameAccount(resource)
    return resource.crossAccount ? this.#crossAccount(resource) : crossAccountOperation
  }

  #byIdentity(): Decision {
    if (this.#identityDenies()) return identityDeny
    if (this.#request.caller.type === 'root') return accountRoot
    return this.#identityAllows() ? identityPolicy : noIdentityPolicy
  }

  /** One granting path suffices. Being named in the key policy does; being of the account leaves it to the account. */
  #sameAccount(resource: KeyResource): Decision {
    if (this.#anyApplies(resource.policy.denies, keyPolicy)) return keyPolicyDeny
    if (this.#identityDenies()) return identityDeny
    const { match, delegated } = this.#keyPolicyAllows(resource)
    if (match !== undefined) return byKeyPolicy(paths[match])
    if (delegated) {
      if (this.#request.caller.type === 'root') return byKeyPolicy('G')
      if (this.#identityAllows()) return byBoth('F')
    }
    return this.#grantAllows() ?? (delegated ? noIdentityPolicy : noKeyPolicy)
  }

  /**
   * Both sides must allow; a grant to the caller itself is both. The key's side is told first, whatever the caller's
   * own policies say, so that the answer to a stranger never depends on whether the key exists.
   */
  #crossAccount(resource: KeyResource): Decision {
    if (this.#anyApplies(resource.policy.denies, keyPolicy)) return keyPolicyDeny
    const { match, delegated } = this.#keyPolicyAllows(resource)
    if (match === undefined && !delegated) {
      const granted = this.#grantAllows()
      if (granted === undefined) return noKeyPolicy
      return this.#identityDenies() ? identityDeny : granted
    }
    if (this.#identityDenies()) return identityDeny
    if (this.#request.caller.type === 'root') {
      return byKeyPolicy(match === undefined ? 'G' : paths[match])
    }
    if (this.#identityAllows()) return byBoth(match === undefined ? 'F' : paths[match])
    return this.#grantAllows() ?? noIdentityPolicy
  }

  /** Grants know neither conditions nor delegation: who finds one has been permitted. */
  #grantAllows(): Allowed | undefined {
    const grantId = this.#request.grant?.()
    return grantId === undefined ? undefined : byGrant(grantId)
  }

  /** `match` is how the first statement that grants by itself names the caller; `delegated`: one names the account. */
  #keyPolicyAllows(resource: KeyResource): {
    readonly match: Exclude<PrincipalMatch, 'account'> | undefined
    readonly delegated: boolean
  } {
    let delegated = false
    for (const statement of resource.policy.allows) {
      if (!this.#applies(statement, keyPolicy)) continue
      const match = statement.principal?.(this.#request.caller)
      if (match === 'account') delegated = true
      else if (match !== undefined) return { match, delegated }
    }
    return { match: undefined, delegated }
  }

  #identityDenies(): boolean {
    return this.#anyIdentityApplies((policy) => policy.denies)
  }

  #identityAllows(): boolean {
    return this.#anyIdentityApplies((policy) => policy.allows)
  }

  #anyIdentityApplies(of: (policy: CompiledPolicy) => readonly CompiledStatement[]): boolean {
    const policies = this.#request.identityPolicies
    if (policies === undefined) return false
    return policies.some((policy, index) =>
      this.#anyApplies(of(policy), { name: 'identity-policy', policy: index }),
    )
  }

  #anyApplies(statements: readonly CompiledStatement[], layer: Layer): boolean {
    for (const statement of statements) {
      if (this.#applies(statement, layer)) return true
    }
    return false
  }

  /** Whether all elements of the statement fit the request. The one place where statements are matched. */
  #applies(statement: CompiledStatement, layer: Layer): boolean {
    const conditions: ConditionTrace[] | undefined = this.#trace === undefined ? undefined : []
    let failed = this.#failedElement(statement)
    if (failed === undefined && !this.#conditionsHold(statement, conditions)) failed = 'condition'
    if (this.#trace !== undefined && conditions !== undefined) {
      const { index, sid, effect } = statement
      const matched = failed === undefined
      const { name, policy } = layer
      this.#trace.push({ layer: name, policy, index, sid, effect, matched, failed, conditions })
    }
    return failed === undefined
  }

  #failedElement(statement: CompiledStatement): FailedElement | undefined {
    const { caller, resource } = this.#request
    const { principal, action, resource: matchesResource } = statement
    if (action === undefined || matchesResource === undefined) return 'inert'
    if (principal !== undefined && principal(caller) === undefined) return 'principal'
    if (!action(this.#action)) return 'action'
    return matchesResource(resource.arn, this.#context) ? undefined : 'resource'
  }

  /** Stops at the first that fails, unless somebody wants to know about all. */
  #conditionsHold(statement: CompiledStatement, trace: ConditionTrace[] | undefined): boolean {
    let allHold = true
    for (const atom of statement.conditions) {
      const { holds, rule } = atom.evaluate(this.#context)
      if (!holds) allHold = false
      if (trace !== undefined) trace.push(this.#conditionTrace(atom, holds, rule))
      else if (!holds) return false
    }
    return allHold
  }

  #conditionTrace(atom: Atom, holds: boolean, rule: Rule): ConditionTrace {
    const { operator, key, values } = atom
    const found = this.#context.get(atom.foldedKey)
    return {
      operator,
      key,
      policyValues: values,
      requestValues: found === undefined ? undefined : valuesOf(found),
      holds,
      rule,
    }
  }
}
