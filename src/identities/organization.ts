import { hash } from 'node:crypto'
import type { AccountId } from '../base/ids.ts'
import { jsonCodec, type Mirror, type Table, type TextsOf } from '../storage/mirror.ts'
import { type Put, StoreConflict } from '../storage/port.ts'
import type { GuardrailLevel, GuardrailPolicy, Guardrails } from './guardrails.ts'

export const guardrailKinds = ['service-control', 'resource-control'] as const
export type GuardrailKind = (typeof guardrailKinds)[number]

export type GuardrailRecord = {
  readonly kind: GuardrailKind
  /** Unique for its kind, whatever the case. */
  readonly name: string
  /** `p-…` */
  readonly policyId: string
  readonly text: string
  /** ms since the epoch */
  readonly createdAt: number
  readonly updatedAt: number
}

/** The whole organisation, or one account. */
export type GuardrailTarget = 'organization' | AccountId

/** What is attached to a target that was ever changed; every other has the policy that allows all. */
type AttachmentRecord = {
  readonly kind: GuardrailKind
  readonly target: GuardrailTarget
  /** Policy ids, in the order in which they were attached. */
  readonly attached: readonly string[]
}

/** AWS's own, which is attached everywhere until somebody detaches it. */
export const allowAll = {
  'service-control': builtIn('service_control_policy', 'FullAWSAccess'),
  'resource-control': builtIn('resource_control_policy', 'RCPFullAWSAccess'),
} as const satisfies Readonly<Record<GuardrailKind, GuardrailPolicy & object>>

/**
 * The deployment as an organisation of its accounts: two levels, the organisation and the account. Policies bind every
 * account that they are attached to; none is spared for being the first.
 */
export class Organization implements Guardrails {
  readonly #policies: Table<GuardrailRecord>
  readonly #attachments: Table<AttachmentRecord>
  readonly #byId = new Map<string, GuardrailRecord>()
  readonly #founding: () => { readonly account: AccountId; readonly createdAt: number } | undefined
  #revision = 0

  /** Declares its tables: to be made before the mirror is loaded. `founding` names the organisation. */
  constructor(
    mirror: Mirror,
    founding: () => { readonly account: AccountId; readonly createdAt: number } | undefined,
  ) {
    this.#founding = founding
    this.#policies = mirror.table('guardrail', jsonCodec<GuardrailRecord>())
    this.#policies.watch((_, now, before) => {
      if (before !== undefined) this.#byId.delete(before.policyId)
      if (now !== undefined) this.#byId.set(now.policyId, now)
      this.#revision++
    })
    this.#attachments = mirror.table('guardrail-target', jsonCodec<AttachmentRecord>())
    this.#attachments.watch(() => void this.#revision++)
  }

  get revision(): number {
    return this.#revision
  }

  /** `o-` and ten characters, which the founding of the deployment determines. */
  get organizationId(): string {
    const { account, createdAt } = this.#founding() ?? { account: '', createdAt: 0 }
    return `o-${hash('sha256', `organization ${account} ${createdAt}`, 'hex').slice(0, 10)}`
  }

  serviceControl(account: AccountId): readonly GuardrailLevel[] {
    return this.#levels('service-control', account)
  }

  resourceControl(account: AccountId): readonly GuardrailLevel[] {
    return this.#levels('resource-control', account)
  }

  policy(kind: GuardrailKind, name: string): GuardrailRecord | undefined {
    return this.#policies.get(rowOf(kind, name.toLowerCase()))
  }

  policies(): readonly GuardrailRecord[] {
    return [...this.#policies.values()]
  }

  arnOf({ kind, policyId }: GuardrailRecord): string {
    const owner = this.#founding()?.account ?? ''
    const form = `${kind.replace('-', '_')}_policy`
    return `arn:aws:organizations::${owner}:policy/${this.organizationId}/${form}/${policyId}`
  }

  attachedTo(kind: GuardrailKind, target: GuardrailTarget): readonly string[] {
    return this.#attachments.get(rowOf(kind, target))?.attached ?? [allowAll[kind].policyId]
  }

  /** Targets that a policy is attached to. */
  targetsOf(policyId: string): readonly GuardrailTarget[] {
    return [...this.#attachments.values()]
      .filter(({ attached }) => attached.includes(policyId))
      .map(({ target }) => target)
  }

  /** Adds it, or writes over the one of its name. */
  put(record: GuardrailRecord): Put {
    return this.#policies.put(rowOf(record.kind, record.name.toLowerCase()), record)
  }

  /** Throws StoreConflict unless `record` is the present one. */
  remove(record: GuardrailRecord): Put {
    if (this.policy(record.kind, record.name) !== record) throw new StoreConflict('it has changed')
    return this.#policies.remove(rowOf(record.kind, record.name.toLowerCase()))
  }

  /** Every commit that replaces or removes a policy archives those of its texts that it no longer has. */
  archive(textsOf: TextsOf<GuardrailRecord>): void {
    this.#policies.archive(textsOf)
  }

  attach(kind: GuardrailKind, target: GuardrailTarget, attached: readonly string[]): Put {
    return this.#attachments.put(rowOf(kind, target), { kind, target, attached })
  }

  /** None while everything has only what allows all: then nobody has to look. */
  #levels(kind: GuardrailKind, account: AccountId): readonly GuardrailLevel[] {
    if (this.#attachments.size === 0) return noLevels
    return (['organization', account] as const).map((target) =>
      this.attachedTo(kind, target).flatMap((policyId) => this.#textOf(kind, policyId)),
    )
  }

  #textOf(kind: GuardrailKind, policyId: string): readonly GuardrailPolicy[] {
    if (policyId === allowAll[kind].policyId) return [allowAll[kind]]
    const record = this.#byId.get(policyId)
    return record === undefined ? [] : [{ arn: this.arnOf(record), text: record.text }]
  }
}

const noLevels: readonly GuardrailLevel[] = []

function rowOf(kind: GuardrailKind, name: string): string {
  return `${kind}/${name}`
}

function builtIn(form: 'service_control_policy' | 'resource_control_policy', name: string) {
  const principal = form === 'resource_control_policy' ? { Principal: '*' } : {}
  const statement = { Effect: 'Allow', ...principal, Action: '*', Resource: '*' }
  return {
    name,
    policyId: `p-${name}`,
    arn: `arn:aws:organizations::aws:policy/${form}/p-${name}`,
    text: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
  }
}
