import type { NewMaterial } from '../../hsm/port.ts'
import type { Put } from '../../storage/port.ts'
import type { KmsDeps } from './deps.ts'
import type { KeyRecord } from './key.ts'
import {
  entryOf,
  isPending,
  isPresent,
  pendingEntry,
  withAssociated,
  withDescription,
  withImported,
  withoutMaterial,
  withoutPending,
  withPendingState,
} from './materials.ts'
import { isReplica, relatedKeys } from './replication.ts'

type Where = Pick<KmsDeps, 'state' | 'regions'>

export type Arrival = {
  readonly material: NewMaterial
  readonly validTo: number | undefined
  readonly description: string | undefined
}

/**
 * Puts imported material into a key. Related keys learn its id and its description, and no more: each has to be given
 * the material itself, until when a pending one is not ready. The commit fails with StoreConflict when one of the keys
 * changes meanwhile.
 */
export function importInto(
  key: KeyRecord,
  { material: { material, publicKey }, validTo, description }: Arrival,
  now: number,
  where: Where,
): readonly Put[] {
  const { materialId } = material
  const related = relatedKeys(key, where)
  const next = related.map((each) => {
    let after = each
    if (entryOf(after, materialId) === undefined) after = withAssociated(after, materialId)
    if (description !== undefined) after = withDescription(after, materialId, description)
    if (publicKey !== undefined) after = { ...after, publicKey: publicKey.toString('base64') }
    return each === key ? withImported(after, materialId, validTo, now) : after
  })
  const ready = next.filter(isReplica).every((each) => {
    const pending = pendingEntry(each)
    return pending === undefined || isPresent(pending, now)
  })
  const puts = related.flatMap((each, index) => {
    const after = withPendingState(next[index] ?? each, ready)
    // A pending material that expired gives way to the new one.
    return [where.state.replaceKey(each, after), ...removals(each, after, where)]
  })
  return [...puts, where.state.addMaterial(material)]
}

/**
 * Deletes imported material. A pending one leaves the key altogether, and its replicas with it; any other leaves its id
 * behind, by which the same material comes back.
 */
export function deleteFrom(
  key: KeyRecord,
  materialId: string,
  now: number,
  where: Where,
): readonly Put[] {
  const entry = entryOf(key, materialId)
  if (entry === undefined) return []
  if (!isPending(entry) || isReplica(key)) {
    const after = withoutMaterial(key, materialId, now)
    return [where.state.replaceKey(key, after), ...removalOf(key, materialId, where)]
  }
  return relatedKeys(key, where).flatMap((each) => {
    const after = withoutPending(each)
    return [where.state.replaceKey(each, after), ...removals(each, after, where)]
  })
}

/** Removes the material of what the key does not know any more. */
function removals(before: KeyRecord, after: KeyRecord, where: Where): readonly Put[] {
  const gone = pendingEntry(before)
  if (gone === undefined || entryOf(after, gone.materialId) !== undefined) return []
  return removalOf(before, gone.materialId, where)
}

function removalOf(key: KeyRecord, materialId: string, { state }: Where): readonly Put[] {
  const material = state.material(key, materialId)
  return material === undefined ? [] : [state.removeMaterial(material)]
}
