import assert from 'node:assert/strict'
import { firstOf, nameKey, type Plan, pickKey, refusals, relatedOf } from './plan.ts'
import { invalidState, unsupported } from './states.ts'
import type { StepOf } from './step.ts'
import {
  arnOf,
  dayMs,
  type Family,
  familyOf,
  idOf,
  isSymmetric,
  type KeyRef,
  later,
  type World,
} from './world.ts'

const onDemandMax = 25
const minutesMs = 60_000

/** Rotation is set on the primary, and only symmetric keys with material of the service's own have it. */
function rotates(family: Family, { region }: KeyRef): boolean {
  return (
    (family.kind === 'symmetric' || family.kind === 'multi-Region') && family.primary === region
  )
}

export function switchRotation(
  world: World,
  step: StepOf<'EnableKeyRotation'> | StepOf<'DisableKeyRotation'>,
): Plan | undefined {
  const ref = pickKey(world, step.key)
  if (ref === undefined) return undefined
  const { KeyId, refused } = nameKey(world, ref, step.by)
  const period = 'period' in step ? step.period : undefined
  const operation =
    period === undefined && step.do !== 'EnableKeyRotation'
      ? 'DisableKeyRotation'
      : 'EnableKeyRotation'
  const isOut = period !== undefined && (period < 90 || period > 2560)
  const byState = refusals(world, ref, operation)
  const never = rotates(familyOf(world, ref.family), ref) ? [] : [unsupported]
  return {
    region: ref.region,
    operation,
    input: { KeyId, ...(period === undefined ? {} : { RotationPeriodInDays: period }) },
    // What cannot rotate is refused in any state, and AWS does not say which comes first.
    refused: [
      ...(isOut ? ['ValidationException'] : []),
      ...firstOf(refused, [...byState, ...never]),
    ],
    apply: () => {
      const family = familyOf(world, ref.family)
      const periodInDays = period ?? 365
      // Saying again what holds already changes nothing.
      const isNew = family.rotation?.periodInDays !== periodInDays
      if (operation === 'DisableKeyRotation') family.rotation = undefined
      else if (isNew) {
        family.rotation = { periodInDays, next: later(world.now, periodInDays * dayMs) }
      }
    },
    touched: relatedOf(world, ref),
  }
}

export function rotateKeyOnDemand(
  world: World,
  step: StepOf<'DisableKeyRotation'>,
): Plan | undefined {
  const ref = pickKey(world, step.key, ({ family }) => isSymmetric(familyOf(world, family)))
  if (ref === undefined) return undefined
  const { KeyId, refused } = nameKey(world, ref, step.by)
  const family = familyOf(world, ref.family)
  const never = !isSymmetric(family) || family.primary !== ref.region ? [unsupported] : []
  const pending = family.materials.find(({ standing }) => standing === 'PENDING_ROTATION')
  const nothing = family.kind === 'external' && !pending?.present
  const { rotation } = family
  const soon = rotation !== undefined && rotation.next.from - world.now.to <= 20 * minutesMs
  return {
    region: ref.region,
    operation: 'RotateKeyOnDemand',
    input: { KeyId },
    refused: firstOf(
      refused,
      [...refusals(world, ref, 'RotateKeyOnDemand'), ...never],
      [
        ...(nothing ? [invalidState] : []),
        ...(family.onDemandRotations >= onDemandMax ? ['LimitExceededException'] : []),
        ...(soon ? ['ConflictException'] : []),
      ],
    ),
    apply: (answer) => {
      familyOf(world, ref.family).onDemandRotations += 1
      rotate(world, ref.family, 'ON_DEMAND')
      if (answer !== undefined)
        assert.ok([idOf(world, ref), arnOf(world, ref)].includes(String(answer['KeyId'])))
    },
    touched: relatedOf(world, ref),
  }
}

/** New material becomes the current one; all that came before it stays for what was encrypted under it. */
export function rotate(world: World, index: number, type: 'AUTOMATIC' | 'ON_DEMAND'): void {
  const family = familyOf(world, index)
  const rotated = { at: { ...world.now }, type }
  for (const material of family.materials) {
    if (material.standing === 'CURRENT') material.standing = 'NON_CURRENT'
  }
  const pending = family.materials.find(({ standing }) => standing === 'PENDING_ROTATION')
  if (pending !== undefined) {
    pending.standing = 'CURRENT'
    pending.rotated = rotated
    return
  }
  family.materials.push({
    id: undefined,
    bytes: undefined,
    standing: 'CURRENT',
    present: true,
    expires: undefined,
    rotated,
  })
}
