import { firstOf, type NamedKey, nameKey, type Plan, pickKey, refusals } from './plan.ts'
import { notFound } from './states.ts'
import type { Naming, StepOf } from './step.ts'
import {
  aliasesIn,
  chosen,
  type Family,
  familyOf,
  isSymmetric,
  type KeyRef,
  keyOf,
  must,
  type World,
} from './world.ts'

const nameOf = (name: number) => `alias/model/${name}`

/** Mostly one that is there. */
function pickName(aliases: ReadonlyMap<string, unknown>, name: number): string {
  return (name > 0 ? chosen([...aliases.keys()], name) : undefined) ?? nameOf(name)
}

export function createAlias(world: World, step: StepOf<'CreateAlias'>): Plan | undefined {
  const ref = pickKey(world, step.key)
  if (ref === undefined) return undefined
  const { KeyId, refused } = targetOf(world, ref, step.by)
  const AliasName = nameOf(step.name)
  const aliases = aliasesIn(world, ref.region)
  const byKey = firstOf(refused, refusals(world, ref, 'CreateAlias'))
  const exists = aliases.has(AliasName) ? ['AlreadyExistsException'] : []
  return {
    region: ref.region,
    operation: 'CreateAlias',
    input: { AliasName, TargetKeyId: KeyId },
    refused: [...byKey, ...exists],
    apply: () => {
      aliasesIn(world, ref.region).set(AliasName, {
        target: ref.family,
        created: { ...world.now },
        updated: { ...world.now },
      })
    },
    touched: [ref],
  }
}

export function updateAlias(world: World, step: StepOf<'CreateAlias'>): Plan | undefined {
  const ref = pickKey(world, step.key)
  if (ref === undefined) return undefined
  const { KeyId, refused } = targetOf(world, ref, step.by)
  const aliases = aliasesIn(world, ref.region)
  const AliasName = pickName(aliases, step.name)
  const alias = aliases.get(AliasName)
  const before: KeyRef | undefined = alias && { family: alias.target, region: ref.region }
  const clash =
    before !== undefined &&
    typeOf(familyOf(world, before.family)) !== typeOf(familyOf(world, ref.family))
  return {
    region: ref.region,
    operation: 'UpdateAlias',
    input: { AliasName, TargetKeyId: KeyId },
    refused: [
      ...firstOf(refused, refusals(world, ref, 'UpdateAlias')),
      ...(alias === undefined ? [notFound] : []),
      ...(clash && keyOf(world, ref).state !== 'Gone' ? ['ValidationException'] : []),
    ],
    apply: () => {
      const changed = must(aliasesIn(world, ref.region).get(AliasName), 'an alias')
      changed.target = ref.family
      changed.updated = { ...world.now }
    },
    touched: before === undefined ? [ref] : [ref, before],
  }
}

/** An alias cannot be of an alias; in which of two ways that is said, is not documented. */
function targetOf(world: World, ref: KeyRef, by: Naming): NamedKey {
  const named = nameKey(world, ref, by)
  const isAlias = named.KeyId.includes('alias/')
  return isAlias ? { ...named, refused: ['ValidationException', notFound] } : named
}

/** Keys of one of these can take over each other's aliases. */
function typeOf(family: Family): string {
  return isSymmetric(family) ? 'symmetric' : family.kind
}

export function deleteAlias(world: World, step: StepOf<'DeleteAlias'>): Plan {
  const region = must(chosen(world.regions, step.region), 'a Region')
  const aliases = aliasesIn(world, region)
  const AliasName = pickName(aliases, step.name)
  const alias = aliases.get(AliasName)
  return {
    region,
    operation: 'DeleteAlias',
    input: { AliasName },
    refused: alias === undefined ? [notFound] : [],
    apply: () => {
      aliasesIn(world, region).delete(AliasName)
    },
    touched: alias === undefined ? [] : [{ family: alias.target, region }],
  }
}
