import type { Imported, KeyRecord, MaterialEntry } from './key.ts'

/**
 * The history of a key's materials, as functions from a record to the next: which of them encrypts, which still
 * decrypt, which wait to be rotated to, and which of the imported ones are there.
 * https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
 */

/** Every material of the key, the oldest first. */
export function materialEntries(key: KeyRecord): readonly MaterialEntry[] {
  if (key.materials !== undefined) return key.materials
  const { currentMaterialId } = key
  return currentMaterialId === undefined
    ? []
    : [{ materialId: currentMaterialId, state: 'CURRENT' }]
}

export function entryOf(key: KeyRecord, materialId: string): MaterialEntry | undefined {
  return materialEntries(key).find((entry) => entry.materialId === materialId)
}

/** It waits to be rotated to, and belongs to the key for good only then. There is one at most. */
export function isPending({ state }: MaterialEntry): boolean {
  return state === 'PENDING_ROTATION' || state === 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION'
}

export function pendingEntry(key: KeyRecord): MaterialEntry | undefined {
  return materialEntries(key).find(isPending)
}

/** Material that was imported is there until it is deleted, or until the very moment of its expiry. */
export function isPresent({ imported }: MaterialEntry, now: number): boolean {
  if (imported === undefined) return true
  return imported.state === 'IMPORTED' && !isOver(imported, now)
}

/** It was there, and its time is over. */
export function isExpired({ imported }: MaterialEntry, now: number): boolean {
  return imported?.state === 'IMPORTED' && isOver(imported, now)
}

function isOver({ validTo }: Imported, now: number): boolean {
  return validTo !== undefined && validTo <= now
}

/** Whether every material that belongs to the key for good is there: without one of them it is pending import. */
export function isComplete(key: KeyRecord, now: number): boolean {
  if (key.currentMaterialId === undefined) return false
  return materialEntries(key).every((entry) => isPending(entry) || isPresent(entry, now))
}

const views = new WeakMap<KeyRecord, KeyRecord>()
const originals = new WeakMap<KeyRecord, KeyRecord>()

/**
 * The key as it is at `now`: from the moment one of its materials expires it is pending import, whether or not the
 * upkeep has been there. The upkeep finds the material by its date all the same, when this view is written back.
 */
export function asOf(key: KeyRecord, now: number): KeyRecord {
  if (key.origin !== 'EXTERNAL' || (key.state !== 'Enabled' && key.state !== 'Disabled')) return key
  if (isComplete(key, now)) return key
  let view = views.get(key)
  if (view === undefined) {
    view = { ...key, state: 'PendingImport' }
    views.set(key, view)
    originals.set(view, key)
  }
  return view
}

/** The record that a view was made of; any other record is its own. */
export function storedRecord(key: KeyRecord): KeyRecord {
  return originals.get(key) ?? key
}

/** The state of a key that is neither being deleted nor being made. */
function settledState(key: KeyRecord, now: number): KeyRecord['state'] {
  if (key.state === 'PendingImport') return isComplete(key, now) ? 'Enabled' : key.state
  if (key.state !== 'Enabled' && key.state !== 'Disabled') return key.state
  return isComplete(key, now) ? key.state : 'PendingImport'
}

/** What a key comes back to when its deletion is cancelled. */
export function stateAfterCancel(key: KeyRecord, now: number): KeyRecord['state'] {
  return key.origin === 'EXTERNAL' && !isComplete(key, now) ? 'PendingImport' : 'Disabled'
}

function settled(key: KeyRecord, now: number): KeyRecord {
  const state = settledState(key, now)
  return state === key.state ? key : { ...key, state }
}

function withEntries(key: KeyRecord, materials: readonly MaterialEntry[]): KeyRecord {
  const current = materials.find(({ state }) => state === 'CURRENT')
  const dates = materials.flatMap(({ imported }) => imported?.validTo ?? [])
  const nextExpiry = dates.length === 0 ? undefined : Math.min(...dates)
  return { ...key, materials, currentMaterialId: current?.materialId, nextExpiry }
}

function changed(
  key: KeyRecord,
  materialId: string,
  change: (entry: MaterialEntry) => MaterialEntry,
): KeyRecord {
  const entries = materialEntries(key)
  return withEntries(
    key,
    entries.map((entry) => (entry.materialId === materialId ? change(entry) : entry)),
  )
}

/**
 * The key knows of one more material, which is to be imported. The first one is current at once; a later one takes the
 * place of one that was pending.
 */
export function withAssociated(key: KeyRecord, materialId: string): KeyRecord {
  const entries = materialEntries(key).filter((entry) => !isPending(entry))
  const state = entries.length === 0 ? 'CURRENT' : 'PENDING_ROTATION'
  return withEntries(key, [
    ...entries,
    { materialId, state, imported: { state: 'PENDING_IMPORT' } },
  ])
}

/** The material, of which the key knows, is there. `validTo` undefined: for good. */
export function withImported(
  key: KeyRecord,
  materialId: string,
  validTo: number | undefined,
  now: number,
): KeyRecord {
  const next = changed(key, materialId, (entry) => {
    const { description } = entry.imported ?? {}
    return { ...entry, imported: { state: 'IMPORTED', description, validTo } }
  })
  return settled(next, now)
}

export function withDescription(
  key: KeyRecord,
  materialId: string,
  description: string,
): KeyRecord {
  return changed(key, materialId, (entry) => {
    const imported: Imported = { ...(entry.imported ?? { state: 'PENDING_IMPORT' }), description }
    return { ...entry, imported }
  })
}

/** The material is gone; what is known of it stays, so that it can be imported again. */
export function withoutMaterial(key: KeyRecord, materialId: string, now: number): KeyRecord {
  const next = changed(key, materialId, (entry) => ({
    ...entry,
    imported: { state: 'PENDING_IMPORT', description: entry.imported?.description },
  }))
  return settled(next, now)
}

/** The pending material and the key have nothing to do with each other any more. */
export function withoutPending(key: KeyRecord): KeyRecord {
  return withEntries(
    key,
    materialEntries(key).filter((entry) => !isPending(entry)),
  )
}

/** The pending material is ready to be rotated to, or waits for the key's replicas to have it, too. */
export function withPendingState(key: KeyRecord, ready: boolean): KeyRecord {
  const pending = pendingEntry(key)
  if (pending === undefined) return key
  const state = ready ? 'PENDING_ROTATION' : 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION'
  if (pending.state === state) return key
  return changed(key, pending.materialId, (entry) => ({ ...entry, state }))
}

/** From now on the key encrypts with this material: its pending one, or one that is new. */
export function withRotated(
  key: KeyRecord,
  materialId: string,
  rotationType: 'AUTOMATIC' | 'ON_DEMAND',
  now: number,
): KeyRecord {
  const before = materialEntries(key)
  const imported = before.find((entry) => entry.materialId === materialId)?.imported
  const older = before
    .filter((entry) => entry.materialId !== materialId)
    .map(
      (entry): MaterialEntry =>
        entry.state === 'CURRENT' ? { ...entry, state: 'NON_CURRENT' } : entry,
    )
  const entry = { materialId, state: 'CURRENT', rotatedAt: now, rotationType, imported } as const
  return withEntries(key, [...older, entry])
}

/** What a new replica knows of its primary's materials: all of them are still to be imported there. */
export function toBeImported(primary: KeyRecord): readonly MaterialEntry[] | undefined {
  return primary.materials?.map((entry) => ({
    ...entry,
    imported: { state: 'PENDING_IMPORT', description: entry.imported?.description },
  }))
}
