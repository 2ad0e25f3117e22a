import type { ConditionValues } from '../conditions/context.ts'
import { joined } from './becoming.ts'
import { granteesOf } from './grantees.ts'
import { type KeyPermission, permissionsOf } from './permissions.ts'
import type { Can, KeyVariant, Powers } from './powers.ts'
import type { Principal } from './principals.ts'
import { type Place, type Step, stepTo } from './steps.ts'
import type { AnalysedGrant } from './world.ts'

/** A permission on the key, as whom, and the steps that lead there. */
export type Reached = {
  /** As in `kms:Decrypt`. */
  readonly permission: string
  readonly principal: string
  /** Condition values of the call; absent: it is not sure that it can be made. */
  readonly witness?: ConditionValues
  readonly steps: readonly Step[]
}

export type BothSides = {
  readonly administration: Reached | undefined
  readonly use: Reached | undefined
}

/**
 * What of the key somebody comes to who can act as all of these: by the key policy and the grants as they are, and by
 * what any of them can make of those. What one changes, all have. `certain`: only by what was replayed.
 */
export function reachable(powers: Powers, places: readonly Place[], certain: boolean): BothSides {
  return new KeyReach(powers, places, certain).sides()
}

/** How the key stands, and what somebody did for it. */
type Standing = { readonly variant: KeyVariant; readonly by: Place | undefined }

type Sides = readonly KeyPermission['side'][]
const administrating: Sides = ['admin', 'control']
const using: Sides = ['use']
/** With them somebody else's leave can go to tags and aliases. */
const changing = ['TagResource', 'UntagResource', 'CreateAlias', 'UpdateAlias', 'DeleteAlias']

class KeyReach {
  readonly #powers: Powers
  readonly #places: readonly Place[]
  readonly #certain: boolean
  #administration: Reached | undefined
  #use: Reached | undefined

  constructor(powers: Powers, places: readonly Place[], certain: boolean) {
    this.#powers = powers
    this.#places = places
    this.#certain = certain
  }

  sides(): BothSides {
    const { grants } = this.#powers.world
    const present: KeyVariant = { policy: 'present', grants, openKey: false }
    const { guarded } = this.#powers.world.key
    const standings: Standing[] = [{ variant: present, by: undefined }]
    if (!guarded) standings.push(...this.#retagged(present))
    for (const standing of standings) {
      this.#look(standing)
      for (const rewritten of this.#rewritten(standing)) this.#look(rewritten)
      if (!guarded) this.#grant(standing)
    }
    return { administration: this.#administration, use: this.#use }
  }

  /** What everybody can do as the key stands. */
  #look(standing: Standing): void {
    for (const place of this.#places) {
      this.#administration = this.#nearer(this.#administration, place, standing, administrating)
      this.#use = this.#nearer(this.#use, place, standing, using)
    }
  }

  #nearer(
    known: Reached | undefined,
    place: Place,
    { variant, by }: Standing,
    sides: Sides,
  ): Reached | undefined {
    const steps = by === undefined ? place.steps : joined(place.steps, by.steps)
    if (known !== undefined && known.steps.length <= steps.length) return known
    const { principal } = place
    for (const { name, side } of permissionsOf(this.#powers.world.key)) {
      if (!sides.includes(side)) continue
      const permission = `kms:${name}`
      const can = this.#counted(this.#onKey(principal, permission, variant))
      if (can === undefined) continue
      const reached = { permission, principal: principal.name, steps }
      return can.certain ? { ...reached, witness: can.witness } : reached
    }
    return known
  }

  /** Operations on aliases take a permission on the alias too, whose name could be any. */
  #onKey(principal: Principal, permission: string, variant: KeyVariant): Can {
    const can = this.#powers.onKey(principal, permission, variant)
    if (can === undefined || !permission.endsWith('Alias')) return can
    if (!this.#powers.mayAnywhere(principal, permission)) return undefined
    const { account, region, aliases } = this.#powers.world.key
    const arn = `arn:aws:kms:${region}:${account}:${aliases[0] ?? 'alias/any'}`
    const alias = this.#powers.onIdentity(principal, permission, { arn, account })
    return alias?.certain === true ? can : { certain: false }
  }

  /** Undefined as well for what is not sure, where only what is sure counts. */
  #counted(can: Can): Can {
    return can?.certain === false && this.#certain ? undefined : can
  }

  /**
   * Where policies go by tags or aliases, whoever may change those may come to what they are made for. Whether just
   * these tags can be put is not looked into, so this is never sure.
   */
  *#retagged(present: KeyVariant): Iterable<Standing> {
    if (this.#certain) return
    for (const place of this.#places) {
      for (const action of changing.map((name) => `kms:${name}`)) {
        if (this.#onKey(place.principal, action, present) === undefined) continue
        const gives = 'perhaps tags or aliases that policies go by'
        const by = this.#step(place, { certain: false }, action, gives)
        yield { variant: { ...present, openKey: true }, by }
        return
      }
    }
  }

  /** A key policy of somebody's own, on the key itself or on a replica that they make. */
  *#rewritten({ variant, by }: Standing): Iterable<Standing> {
    for (const place of this.#places) {
      const from = by === undefined ? place : { ...place, steps: joined(place.steps, by.steps) }
      const own: KeyVariant = { ...variant, policy: 'anything' }
      const put = this.#counted(this.#powers.onKey(place.principal, 'kms:PutKeyPolicy', variant))
      if (put !== undefined && !this.#powers.world.key.guarded) {
        const step = this.#step(
          from,
          put,
          'kms:PutKeyPolicy',
          'a key policy that allows everything',
        )
        yield { variant: own, by: step }
      }
      const copied = this.#counted(this.#replicates(place.principal, variant))
      if (copied === undefined) continue
      const gives = 'a replica with a key policy that allows everything'
      yield { variant: own, by: this.#step(from, copied, 'kms:ReplicateKey', gives) }
    }
  }

  #replicates(principal: Principal, variant: KeyVariant): Can {
    if (this.#powers.world.key.multiRegion !== 'PRIMARY') return undefined
    const replicate = this.#powers.onKey(principal, 'kms:ReplicateKey', variant)
    if (replicate === undefined) return undefined
    const everywhere = { arn: '*', account: principal.account }
    const create = this.#powers.onIdentity(principal, 'kms:CreateKey', everywhere)
    return create?.certain === true ? replicate : create
  }

  /** Grants that somebody makes, to anybody as whom they can act. */
  #grant({ variant, by }: Standing): void {
    for (const place of this.#places) {
      if (this.#powers.onKey(place.principal, 'kms:CreateGrant', variant) === undefined) continue
      const from = by === undefined ? place : { ...place, steps: joined(place.steps, by.steps) }
      for (const grantee of this.#places) {
        for (const operation of this.#uses()) this.#grantTo(from, grantee, operation, variant)
      }
    }
  }

  #grantTo(from: Place, grantee: Place, operation: string, variant: KeyVariant): void {
    const steps = joined(grantee.steps, from.steps).length + 1
    const { principal } = grantee
    for (const { arn, party } of granteesOf(principal)) {
      if (this.#use !== undefined && this.#use.steps.length <= steps) return
      const can = this.#counted(this.#powers.createGrant(from.principal, variant, operation, arn))
      if (can === undefined) continue
      const grant: AnalysedGrant = {
        grantId: `a new grant of ${operation}`,
        grantee: party,
        ...(can.certain ? termsOf(can.witness) : { operations: [operation] }),
      }
      const gives = `a grant of ${operation} to ${principal.name}`
      const made = this.#step(from, can, 'kms:CreateGrant', gives)
      const granted = { ...variant, grants: [...variant.grants, grant] }
      this.#use = this.#nearer(this.#use, grantee, { variant: granted, by: made }, using)
    }
  }

  #step(from: Place, can: Exclude<Can, undefined>, action: string, gives: string): Place {
    const resource = this.#powers.world.key.arn
    return stepTo(from, can, { action, resource, gives }, from.principal)
  }

  /** What a grant can give that is use of the key. */
  #uses(): string[] {
    return permissionsOf(this.#powers.world.key)
      .filter(({ side, grantable }) => side === 'use' && grantable)
      .map(({ name }) => name)
  }
}

/** What the request for a grant says of it: its operations, and the pairs of its constraint. */
function termsOf(witness: ConditionValues): Omit<AnalysedGrant, 'grantId' | 'grantee'> {
  const asked = witness['kms:GrantOperations'] ?? []
  const operations = typeof asked === 'string' ? [asked] : asked
  const prefix = 'kms:EncryptionContext:'
  const pairs = Object.entries(witness)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => [name.slice(prefix.length), String(value)])
  if (pairs.length === 0) return { operations }
  const context = Object.fromEntries(pairs)
  const equals = witness['kms:GrantConstraintType'] === 'EncryptionContextEquals'
  return equals ? { operations, contextEquals: context } : { operations, contextSubset: context }
}
