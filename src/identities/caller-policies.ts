import { type CallerLayers, noLayers, type SourcedPolicy } from '../authorize/layers.ts'
import type { PolicyCache } from '../authorize/policy/cache.ts'
import type { PolicyKind } from '../authorize/policy/document.ts'
import type { Caller } from '../base/caller.ts'
import type { AccountId } from '../base/ids.ts'
import type { GuardrailLevel, Guardrails } from './guardrails.ts'
import { defaultText, type Identities } from './identities.ts'
import {
  type Attachments,
  type GroupRecord,
  groupArn,
  type RoleRecord,
  roleArn,
  type UserRecord,
  userArn,
} from './records.ts'

/**
 * Which policies bound a caller, as they are now. What was gathered for a caller is kept until an identity or a
 * guardrail changes.
 */
export class CallerPolicies {
  readonly #identities: Identities
  readonly #guardrails: Guardrails
  readonly #policies: PolicyCache
  readonly #kept = new WeakMap<Caller, { readonly revision: string; layers: CallerLayers }>()

  readonly #ofResources = new Map<
    AccountId,
    { readonly revision: number; readonly levels: readonly (readonly SourcedPolicy[])[] }
  >()

  constructor(identities: Identities, guardrails: Guardrails, policies: PolicyCache) {
    this.#identities = identities
    this.#guardrails = guardrails
    this.#policies = policies
  }

  of(caller: Caller): CallerLayers {
    const revision = `${this.#identities.revision} ${this.#guardrails.revision}`
    const kept = this.#kept.get(caller)
    if (kept?.revision === revision) return kept.layers
    const layers = this.#gather(caller)
    this.#kept.set(caller, { revision, layers })
    return layers
  }

  /** The resource control policies of an account, level by level. */
  ofResources(account: AccountId): readonly (readonly SourcedPolicy[])[] {
    const { revision } = this.#guardrails
    const kept = this.#ofResources.get(account)
    if (kept?.revision === revision) return kept.levels
    const levels = this.#levels(this.#guardrails.resourceControl(account), 'resource-control')
    if (this.#ofResources.size >= accountsMax) this.#ofResources.clear()
    this.#ofResources.set(account, { revision, levels })
    return levels
  }

  /** The layers that a user or a role would bring by its records alone, for simulations and explanations. */
  ofIdentity(identity: UserRecord | RoleRecord): CallerLayers {
    return {
      identity: this.#identityPolicies(identity),
      boundary: this.#boundary(identity),
      session: undefined,
      serviceControl: this.#serviceControl(identity.account),
    }
  }

  /** What a group gives to its members. */
  ofGroup(group: GroupRecord): readonly SourcedPolicy[] {
    return this.#attachments(groupArn(group), group)
  }

  #gather(caller: Caller): CallerLayers {
    // What binds an account binds no service.
    if (caller.type === 'service') return noLayers
    const identity = this.#identityOf(caller)
    const gone = identity === undefined && hasRecord[caller.type]
    return {
      identity: identity === undefined ? [] : this.#identityPolicies(identity),
      // A call under way may outlive its caller: without the record, nobody knows what bounded it.
      boundary: gone ? this.#absent(caller.arn) : identity && this.#boundary(identity),
      session: this.#session(caller),
      serviceControl: this.#serviceControl(caller.account),
    }
  }

  #identityOf(caller: Caller): UserRecord | RoleRecord | undefined {
    if (caller.type === 'user') return this.#identities.users.byId(caller.principalId)
    if (caller.type === 'role-session') return this.#identities.roles.byId(caller.roleId ?? '')
    return undefined
  }

  #identityPolicies(identity: UserRecord | RoleRecord): readonly SourcedPolicy[] {
    const own = 'userName' in identity ? userArn(identity) : roleArn(identity)
    const policies = this.#attachments(own, identity)
    if (!('groups' in identity)) return policies
    const { groups } = this.#identities
    for (const id of identity.groups) {
      const group = groups.byId(id)
      if (group === undefined) continue
      policies.push(...this.ofGroup(group))
    }
    return policies
  }

  #attachments(owner: string, { inline, attached }: Attachments): SourcedPolicy[] {
    const own = Object.entries(inline).map(([name, text]) =>
      this.#compiled(`${owner}/${name}`, text, 'identity'),
    )
    return [...own, ...attached.map((arn) => this.#managed(arn)).filter((p) => p !== undefined)]
  }

  #managed(arn: string): SourcedPolicy | undefined {
    const record = this.#identities.managedPolicy(arn)
    if (record === undefined) return undefined
    const { defaultVersionId } = record
    return { ...this.#compiled(arn, defaultText(record), 'identity'), version: defaultVersionId }
  }

  /** A boundary that is gone allows nothing. */
  #boundary({ boundary }: UserRecord | RoleRecord): SourcedPolicy | undefined {
    if (boundary === undefined) return undefined
    return this.#managed(boundary) ?? this.#absent(boundary)
  }

  #session({ arn, session }: Caller): readonly SourcedPolicy[] | undefined {
    const { policies, policyArns } = session ?? {}
    if (policies === undefined && policyArns === undefined) return undefined
    const passed = (policies ?? []).map((text) => this.#compiled(arn, text, 'identity'))
    // What one that is gone denied, nobody knows: the session may do nothing any more.
    const managed = (policyArns ?? []).map((each) => this.#managed(each) ?? this.#absent(each))
    return [...passed, ...managed]
  }

  #serviceControl(account: AccountId): readonly (readonly SourcedPolicy[])[] {
    return this.#levels(this.#guardrails.serviceControl(account), 'service-control')
  }

  #levels(levels: readonly GuardrailLevel[], kind: PolicyKind) {
    return levels.map((level) => level.map(({ arn, text }) => this.#compiled(arn, text, kind)))
  }

  /** Allows nothing. */
  #absent(name: string): SourcedPolicy {
    return this.#compiled(name, absentBoundary, 'identity')
  }

  #compiled(name: string, text: string, kind: PolicyKind): SourcedPolicy {
    return { name, version: undefined, policy: this.#policies.get(text, kind) }
  }
}

const hasRecord = {
  root: false,
  user: true,
  'role-session': true,
  'web-identity': false,
  service: false,
} as const

/** Calls name accounts that may not be there. */
const accountsMax = 4096

/** What stands for a policy that is gone and may have denied: a permissions boundary, one of a session. */
export const absentBoundary =
  '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}'
