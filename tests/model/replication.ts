import assert from 'node:assert/strict'
import { newKey } from './keys.ts'
import { type Body, firstOf, nameKey, type Plan, pickKey, refusals, relatedOf } from './plan.ts'
import { notFound, refusalIn, unsupported } from './states.ts'
import type { StepOf } from './step.ts'
import {
  chosen,
  familyOf,
  idOf,
  type KeyRef,
  livingKey,
  must,
  replicaRegions,
  type World,
} from './world.ts'

/** Mostly a primary key, and one that can do it. */
function pick(world: World, index: number, needsReplica: boolean): KeyRef | undefined {
  return pickKey(world, index, ({ family, region }) => {
    const { kind, primary, keys } = familyOf(world, family)
    if (index % 4 === 0) return true
    if (index % 4 === 1) return kind === 'multi-Region'
    const isAble = primary === region && keys.get(region)?.state === 'Enabled'
    const hasReplica = replicaRegions(familyOf(world, family)).length > 0
    return kind === 'multi-Region' && isAble && (hasReplica || !needsReplica)
  })
}

export function replicateKey(world: World, step: StepOf<'ReplicateKey'>): Plan | undefined {
  const ref = pick(world, step.key, false)
  if (ref === undefined) return undefined
  const { KeyId, refused } = nameKey(world, ref, step.by)
  const family = familyOf(world, ref.family)
  const region = must(chosen(world.regions, step.region), 'a Region')
  const isPrimary = family.kind === 'multi-Region' && family.primary === ref.region
  const exists = livingKey(family, region) !== undefined
  const apply = (answer: Body | undefined) => {
    familyOf(world, ref.family).keys.set(region, newKey(world, 'Enabled'))
    if (answer === undefined) return
    const metadata = answer['ReplicaKeyMetadata'] as Body
    assert.equal(metadata['KeyId'], idOf(world, ref))
    assert.ok(['Creating', 'Enabled'].includes(String(metadata['KeyState'])))
  }
  return {
    region: ref.region,
    operation: 'ReplicateKey',
    input: { KeyId, ReplicaRegion: region },
    refused: firstOf(
      refused,
      [
        ...refusals(world, ref, 'ReplicateKey'),
        ...(isPrimary ? [] : [unsupported]),
        // That a key is where it is, AWS may say in either way.
        ...(region === ref.region ? ['ValidationException', 'AlreadyExistsException'] : []),
      ],
      exists ? ['AlreadyExistsException'] : [],
    ),
    apply,
    touched: relatedOf(world, ref),
  }
}

export function updatePrimaryRegion(world: World, step: StepOf<'ReplicateKey'>): Plan | undefined {
  const ref = pick(world, step.key, true)
  if (ref === undefined) return undefined
  const { KeyId, refused } = nameKey(world, ref, step.by)
  const family = familyOf(world, ref.family)
  // Mostly one that has a replica.
  const replicas = step.key % 4 > 1 ? replicaRegions(family) : []
  const region = must(
    chosen(replicas, step.region) ?? chosen(world.regions, step.region),
    'a Region',
  )
  // Whether a key can take its own place is not documented.
  if (region === family.primary && ref.region === region) return undefined
  const isPrimary = family.kind === 'multi-Region' && family.primary === ref.region
  const replica = livingKey(family, region)
  const byReplica =
    replica === undefined ? notFound : refusalIn(replica.state, 'UpdatePrimaryRegion')
  return {
    region: ref.region,
    operation: 'UpdatePrimaryRegion',
    input: { KeyId, PrimaryRegion: region },
    refused: firstOf(
      refused,
      [...refusals(world, ref, 'UpdatePrimaryRegion'), ...(isPrimary ? [] : [unsupported])],
      byReplica === undefined ? [] : [byReplica],
    ),
    apply: () => {
      familyOf(world, ref.family).primary = region
    },
    touched: relatedOf(world, ref),
  }
}
