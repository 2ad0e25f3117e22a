import { isSymmetric } from '../../../hsm/key-specs.ts'
import { list, oneOf, required, structure, timestamp } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { managementCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { arnOf, type KeyRecord, type MaterialEntry } from '../key.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import { isPresent, materialEntries } from '../materials.ts'
import { afterIn, readPage } from '../paging.ts'
import { requireRotatable } from '../rotation.ts'
import * as shapes from '../shapes.ts'

const rules = managed('kms:ListKeyRotations')

export const listKeyRotations = operation({
  name: 'ListKeyRotations',
  input: structure({
    KeyId: required(shapes.keyId),
    IncludeKeyMaterial: oneOf('ALL_KEY_MATERIAL', 'ROTATIONS_ONLY'),
    Limit: shapes.limit,
    Marker: shapes.marker,
  }),
  output: structure({
    Rotations: list(
      structure({
        KeyId: shapes.keyId,
        KeyMaterialId: shapes.keyMaterialId,
        KeyMaterialDescription: shapes.keyMaterialDescription,
        ImportState: oneOf('IMPORTED', 'PENDING_IMPORT'),
        KeyMaterialState: oneOf(
          'NON_CURRENT',
          'CURRENT',
          'PENDING_ROTATION',
          'PENDING_MULTI_REGION_IMPORT_AND_ROTATION',
        ),
        ExpirationModel: shapes.expirationModel,
        ValidTo: timestamp(),
        RotationDate: timestamp(),
        RotationType: oneOf('AUTOMATIC', 'ON_DEMAND'),
      }),
    ),
    ...shapes.paged,
  }),
  effects: 'read',
  errors: ['invalid-arn', 'invalid-marker', 'not-found', 'unsupported'],
  resolve: (call, request, deps: KmsDeps) => resolveKey(call, request.KeyId, rules, deps.state).key,
  checks: (call, _request, key, deps) => [managementCheck(call, rules.permission, key, deps)],
  audit: {
    request: (request) => ({
      keyId: request.KeyId,
      includeKeyMaterial: request.IncludeKeyMaterial,
      limit: request.Limit,
      marker: request.Marker,
    }),
    resources: (key) => [keyResource(key)],
  },
  handle(call, request, key) {
    // Keys that have one material for good have no rotations; to ask them for all their material is not possible.
    if (request.IncludeKeyMaterial !== undefined) requireRotatable(key)
    requireState(key, 'ListKeyRotations')
    const includes = request.IncludeKeyMaterial ?? 'ROTATIONS_ONLY'
    const page = readPage(request, {
      scope: ['ListKeyRotations', arnOf(key), includes],
      defaultLimit: 100,
      after: afterIn(numbered(key, includes === 'ALL_KEY_MATERIAL'), positionOf),
      positionOf,
    })
    const Rotations = page.items.map(({ entry }) => listed(key, entry, call.now))
    return { output: { Rotations, ...page.truncated } }
  },
})

type Numbered = { readonly entry: MaterialEntry; readonly place: number }

/** Entries keep their place: rotations come after, and what can go away is the last. */
function numbered(key: KeyRecord, all: boolean): readonly Numbered[] {
  if (!isSymmetric(key.keySpec)) return []
  return materialEntries(key)
    .map((entry, place) => ({ entry, place }))
    .filter(({ entry }) => all || entry.rotationType !== undefined)
}

const positionOf = ({ place }: Numbered) => String(place).padStart(10, '0')

function listed({ keyId }: KeyRecord, entry: MaterialEntry, now: number) {
  const { materialId, state, imported, rotatedAt, rotationType } = entry
  const own = {
    KeyId: keyId,
    KeyMaterialId: materialId,
    KeyMaterialState: state,
    RotationDate: rotatedAt,
    RotationType: rotationType,
  } as const
  if (imported === undefined) return own
  const described = { ...own, KeyMaterialDescription: imported.description } as const
  if (!isPresent(entry, now)) return { ...described, ImportState: 'PENDING_IMPORT' } as const
  const { validTo } = imported
  return {
    ...described,
    ImportState: 'IMPORTED',
    ExpirationModel:
      validTo === undefined ? 'KEY_MATERIAL_DOES_NOT_EXPIRE' : 'KEY_MATERIAL_EXPIRES',
    ValidTo: validTo,
  } as const
}
