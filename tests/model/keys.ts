import assert from 'node:assert/strict'
import { materialTold } from './materials.ts'
import {
  type Body,
  checkDate,
  firstOf,
  nameKey,
  type Plan,
  pickKey,
  refusals,
  relatedOf,
  textOf,
} from './plan.ts'
import type { StepOf } from './step.ts'
import {
  aliasesIn,
  aliasesOf,
  arnOf,
  chosen,
  dayMs,
  type Family,
  familyOf,
  type KeyRef,
  type Kind,
  keyOf,
  later,
  livingRegions,
  must,
  type RegionalKey,
  replicaRegions,
  type World,
} from './world.ts'

const inputs: Readonly<Record<Kind, object>> = {
  symmetric: {},
  'multi-Region': { MultiRegion: true },
  external: { Origin: 'EXTERNAL' },
  hmac: { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
  ecc: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
}

/** A grant, a tag or an alias of the key that was made last would not be one of this. */
export function newKey(world: World, state: RegionalKey['state']): RegionalKey {
  return {
    state,
    description: '',
    tags: new Map(),
    grants: [],
    created: { ...world.now },
    windowInDays: undefined,
    deletion: undefined,
  }
}

export function createKey(world: World, step: StepOf<'CreateKey'>): Plan {
  const region = must(chosen(world.regions, step.region), 'a Region')
  const { kind } = step
  const Tags = step.tagged ? { Tags: [{ TagKey: 'tag-0', TagValue: 'born with it' }] } : {}
  const touched: KeyRef[] = [{ family: world.families.length, region }]
  const apply = (answer: Body | undefined) => {
    const key = newKey(world, kind === 'external' ? 'PendingImport' : 'Enabled')
    if (step.tagged) key.tags.set('tag-0', 'born with it')
    const family: Family = {
      id: undefined,
      kind,
      primary: region,
      keys: new Map([[region, key]]),
      materials: [],
      rotation: undefined,
      onDemandRotations: 0,
      imported: new Map(),
    }
    if (kind !== 'external') addMaterial(family, undefined)
    world.families.push(family)
    if (answer === undefined) return
    const metadata = answer['KeyMetadata'] as Body
    family.id = textOf(metadata, 'KeyId')
    assert.equal(family.id.startsWith('mrk-'), kind === 'multi-Region', family.id)
    if (kind !== 'hmac' && kind !== 'ecc' && kind !== 'external') {
      materialTold(world, family, 0, metadata['CurrentKeyMaterialId'])
    }
  }
  return {
    region,
    operation: 'CreateKey',
    input: { ...inputs[kind], ...Tags },
    refused: [],
    apply,
    touched,
  }
}

function addMaterial(family: Family, bytes: string | undefined): void {
  family.materials.push({
    id: undefined,
    bytes,
    standing: 'CURRENT',
    present: true,
    expires: undefined,
    rotated: undefined,
  })
}

export function switchKey(world: World, step: StepOf<'EnableKey'>): Plan | undefined {
  // More often than by chance, something that can be cancelled.
  const cancels = step.do === 'CancelKeyDeletion' && step.key % 3 > 0
  const ref = pickKey(
    world,
    step.key,
    (each) => !cancels || keyOf(world, each).state.endsWith('Deletion'),
  )
  if (ref === undefined) return undefined
  const { KeyId, refused } = nameKey(world, ref, step.by)
  const apply = (answer: Body | undefined) => {
    const key = keyOf(world, ref)
    key.state = step.do === 'EnableKey' ? 'Enabled' : 'Disabled'
    key.windowInDays = undefined
    key.deletion = undefined
    if (step.do !== 'CancelKeyDeletion') return
    // A key that lacks material waits for it, whatever else happens to it.
    if (lacksMaterial(familyOf(world, ref.family))) key.state = 'PendingImport'
    if (answer !== undefined) assert.equal(answer['KeyId'], arnOf(world, ref))
  }
  return {
    region: ref.region,
    operation: step.do,
    input: { KeyId },
    refused: firstOf(refused, refusals(world, ref, step.do)),
    apply,
    touched: [ref],
  }
}

export function lacksMaterial({ kind, materials }: Family): boolean {
  const permanent = materials.filter(({ standing }) => standing !== 'PENDING_ROTATION')
  return (
    kind === 'external' && (permanent.length === 0 || permanent.some(({ present }) => !present))
  )
}

export function scheduleKeyDeletion(
  world: World,
  step: StepOf<'ScheduleKeyDeletion'>,
): Plan | undefined {
  const ref = pickKey(world, step.key)
  if (ref === undefined) return undefined
  const { KeyId, refused } = nameKey(world, ref, step.by)
  const days = step.days ?? 30
  const bounds = days < 7 || days > 30 ? ['ValidationException'] : []
  const apply = (answer: Body | undefined) => {
    const key = keyOf(world, ref)
    const family = familyOf(world, ref.family)
    const waits = ref.region === family.primary && replicaRegions(family).length > 0
    key.windowInDays = days
    key.state = waits ? 'PendingReplicaDeletion' : 'PendingDeletion'
    key.deletion = waits ? undefined : later(world.now, days * dayMs)
    if (answer === undefined) return
    assert.equal(answer['KeyId'], arnOf(world, ref))
    assert.equal(answer['KeyState'], key.state)
    assert.equal(answer['PendingWindowInDays'], days)
    if (key.deletion === undefined) assert.equal(answer['DeletionDate'], undefined)
    else checkDate(answer['DeletionDate'], key.deletion, 'DeletionDate')
  }
  const byKey = firstOf(refused, refusals(world, ref, step.do))
  return {
    region: ref.region,
    operation: step.do,
    input: { KeyId, ...(step.days === undefined ? {} : { PendingWindowInDays: days }) },
    // Which of the two comes first, AWS does not say.
    refused: [...bounds, ...byKey],
    apply,
    touched: [ref],
  }
}

/** Its time is over: it goes, with its aliases, and with the last replica goes what its primary waits for. */
export function deleteKey(world: World, ref: KeyRef): void {
  const key = keyOf(world, ref)
  const family = familyOf(world, ref.family)
  for (const name of aliasesOf(world, ref)) aliasesIn(world, ref.region).delete(name)
  key.state = 'Gone'
  key.deletion = undefined
  key.grants = []
  const primary = must(family.keys.get(family.primary), 'a primary key')
  if (primary.state !== 'PendingReplicaDeletion' || livingRegions(family).length > 1) return
  primary.state = 'PendingDeletion'
  primary.deletion = later(world.now, must(primary.windowInDays, 'a waiting period') * dayMs)
}

export function updateKeyDescription(
  world: World,
  step: StepOf<'UpdateKeyDescription'>,
): Plan | undefined {
  const ref = pickKey(world, step.key)
  if (ref === undefined) return undefined
  const { KeyId, refused } = nameKey(world, ref, step.by)
  const Description = `description ${step.text}`
  return {
    region: ref.region,
    operation: step.do,
    input: { KeyId, Description },
    refused: firstOf(refused, refusals(world, ref, step.do)),
    apply: () => {
      keyOf(world, ref).description = Description
    },
    touched: relatedOf(world, ref),
  }
}

export function changeTags(world: World, step: StepOf<'TagResource'>): Plan | undefined {
  const ref = pickKey(world, step.key)
  if (ref === undefined) return undefined
  const { KeyId, refused } = nameKey(world, ref, step.by)
  const [TagKey, TagValue] = [`tag-${step.tag}`, `value ${step.value}`]
  const tags = step.do === 'TagResource' ? { Tags: [{ TagKey, TagValue }] } : { TagKeys: [TagKey] }
  return {
    region: ref.region,
    operation: step.do,
    input: { KeyId, ...tags },
    refused: firstOf(refused, refusals(world, ref, step.do)),
    apply: () => {
      const key = keyOf(world, ref)
      if (step.do === 'TagResource') key.tags.set(TagKey, TagValue)
      else key.tags.delete(TagKey)
    },
    touched: relatedOf(world, ref),
  }
}
