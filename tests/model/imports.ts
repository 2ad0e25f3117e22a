import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { oaep } from '../support/outside-crypto.ts'
import { createKey, lacksMaterial } from './keys.ts'
import { materialTold } from './materials.ts'
import {
  type Body,
  checkDate,
  firstOf,
  nameKey,
  type Plan,
  pickKey,
  refusals,
  textOf,
} from './plan.ts'
import { invalidState, unsupported } from './states.ts'
import type { StepOf } from './step.ts'
import {
  arnOf,
  dayMs,
  familyOf,
  type KeyRef,
  keyOf,
  later,
  livingRegions,
  type Material,
  must,
  type World,
} from './world.ts'

function pickExternal(world: World, index: number): KeyRef | undefined {
  return pickKey(world, index, ({ family, region }) => {
    const { kind, keys } = familyOf(world, family)
    return kind === 'external' && (index % 5 === 0 || keys.get(region)?.state !== 'Gone')
  })
}

export function getParametersForImport(
  world: World,
  step: StepOf<'GetParametersForImport'>,
): Plan | undefined {
  const ref = pickExternal(world, step.key)
  if (ref === undefined) return undefined
  const { KeyId, refused } = nameKey(world, ref, step.by)
  const isExternal = familyOf(world, ref.family).kind === 'external'
  const apply = (answer: Body | undefined) => {
    if (answer === undefined) return
    assert.equal(answer['KeyId'], arnOf(world, ref))
    const validTo = later(world.now, dayMs)
    checkDate(answer['ParametersValidTo'], validTo, 'ParametersValidTo')
    const [publicKey, token] = [textOf(answer, 'PublicKey'), textOf(answer, 'ImportToken')]
    world.importParameters.push({ family: ref.family, publicKey, token, validTo })
  }
  return {
    region: ref.region,
    operation: 'GetParametersForImport',
    input: { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' },
    refused: firstOf(refused, [
      ...refusals(world, ref, 'GetParametersForImport'),
      ...(isExternal ? [] : [unsupported]),
    ]),
    apply,
    touched: [ref],
  }
}

function hasExternal({ families }: World): boolean {
  return families.some((family) => family.kind === 'external' && livingRegions(family).length > 0)
}

/** With the last parameters that the key got, which may be too old. A key that needs parameters gets them first. */
export function importKeyMaterial(
  world: World,
  step: StepOf<'ImportKeyMaterial'>,
): Plan | undefined {
  if (!hasExternal(world) && step.key % 4 > 0) {
    return createKey(world, { do: 'CreateKey', kind: 'external', region: 0, tagged: false })
  }
  const ref = pickExternal(world, step.key)
  if (ref === undefined) return undefined
  const family = familyOf(world, ref.family)
  const parameters = world.importParameters.findLast((each) => each.family === ref.family)
  const isOver = parameters !== undefined && parameters.validTo.to < world.now.from
  if (parameters === undefined || (isOver && step.bytes < 2)) {
    return getParametersForImport(world, { do: 'GetParametersForImport', key: step.key, by: 'id' })
  }
  const material = createHash('sha256').update(`material ${step.bytes}`).digest()
  const bytes = material.toString('hex')
  const type =
    step.type ?? (family.imported.size === 0 ? 'NEW_KEY_MATERIAL' : 'EXISTING_KEY_MATERIAL')
  const ValidTo = step.days === undefined ? undefined : world.now.to / 1000 + step.days * 86_400
  const { KeyId, refused } = nameKey(world, ref, 'id')
  const apply = (answer: Body | undefined) => {
    const index = take(family.materials, bytes)
    const taken = must(family.materials[index], 'a material')
    taken.present = true
    taken.expires = ValidTo === undefined ? undefined : exactly(ValidTo * 1000)
    const key = keyOf(world, ref)
    if (key.state === 'PendingImport' && !lacksMaterial(family)) key.state = 'Enabled'
    if (answer === undefined) return
    assert.equal(answer['KeyId'], arnOf(world, ref))
    materialTold(world, family, index, answer['KeyMaterialId'])
  }
  return {
    region: ref.region,
    operation: 'ImportKeyMaterial',
    input: {
      KeyId,
      ImportToken: parameters.token,
      EncryptedKeyMaterial: oaep(
        Buffer.from(parameters.publicKey, 'base64'),
        'sha256',
        material,
      ).toString('base64'),
      ImportType: step.type,
      ExpirationModel:
        ValidTo === undefined ? 'KEY_MATERIAL_DOES_NOT_EXPIRE' : 'KEY_MATERIAL_EXPIRES',
      ValidTo,
    },
    refused: firstOf(
      refused,
      [
        ...refusals(world, ref, 'ImportKeyMaterial'),
        ...(isOver ? ['ExpiredImportTokenException'] : []),
      ],
      unfit(family.materials, bytes, type),
    ),
    apply,
    touched: [ref],
  }
}

/** Why material cannot be imported as that. */
function unfit(materials: readonly Material[], bytes: string, type: string): string[] {
  const same = materials.some((material) => material.bytes === bytes)
  if (type === 'EXISTING_KEY_MATERIAL') return same ? [] : ['IncorrectKeyMaterialException']
  const pending = materials.some((each) => each.standing === 'PENDING_ROTATION' && each.present)
  return [...(same ? ['IncorrectKeyMaterialException'] : []), ...(pending ? [invalidState] : [])]
}

/** The material with these bytes; a first one is the current one at once, another waits for a rotation. */
function take(materials: Material[], bytes: string): number {
  const at = materials.findIndex((material) => material.bytes === bytes)
  if (at >= 0) return at
  // What waited and expired gives way.
  if (materials.at(-1)?.standing === 'PENDING_ROTATION') materials.pop()
  const standing = materials.length === 0 ? 'CURRENT' : 'PENDING_ROTATION'
  materials.push({
    id: undefined,
    bytes,
    standing,
    present: true,
    expires: undefined,
    rotated: undefined,
  })
  return materials.length - 1
}

function exactly(ms: number) {
  const rounded = Math.round(ms)
  return { from: rounded, to: rounded }
}

export function deleteImportedKeyMaterial(
  world: World,
  step: StepOf<'DeleteImportedKeyMaterial'>,
): Plan | undefined {
  const ref = pickExternal(world, step.key)
  if (ref === undefined) return undefined
  const family = familyOf(world, ref.family)
  const { KeyId, refused } = nameKey(world, ref, 'id')
  const named = step.material === undefined ? undefined : family.materials[step.material]
  const target = named ?? family.materials.find(({ standing }) => standing === 'CURRENT')
  const KeyMaterialId = named?.id
  return {
    region: ref.region,
    operation: 'DeleteImportedKeyMaterial',
    input: { KeyId, KeyMaterialId },
    refused: firstOf(refused, [
      ...refusals(world, ref, 'DeleteImportedKeyMaterial'),
      ...(family.kind === 'external' ? [] : [unsupported]),
    ]),
    apply: () => {
      // To delete what is not there is done already.
      if (target === undefined) return
      dropMaterial(world, ref, target)
      // It was no part of the key yet.
      if (target.standing === 'PENDING_ROTATION') family.materials.pop()
    },
    touched: [ref],
  }
}

/** It was deleted, or its time is over. A key that lacks some of what belongs to it for good waits for it. */
export function dropMaterial(world: World, ref: KeyRef, material: Material): void {
  const key = keyOf(world, ref)
  material.present = false
  material.expires = undefined
  if (material.standing === 'PENDING_ROTATION') return
  if (key.state === 'Enabled' || key.state === 'Disabled') key.state = 'PendingImport'
}
