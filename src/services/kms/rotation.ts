import { isSymmetric } from '../../hsm/key-specs.ts'
import type { Put } from '../../storage/port.ts'
import type { OwnEvent } from '../operation.ts'
import { keyResource } from './audit.ts'
import type { KmsDeps } from './deps.ts'
import { nothingToRotate, notPrimary, unsupportedKind, wrongOrigin } from './errors.ts'
import { arnOf, type KeyRecord, type Rotation } from './key.ts'
import { isPresent, pendingEntry, withRotated } from './materials.ts'
import { isReplica, relatedKeys } from './replication.ts'

const dayMs = 86_400_000

export type RotationType = 'AUTOMATIC' | 'ON_DEMAND'

type Deps = Pick<KmsDeps, 'state' | 'hsm' | 'regions'>

/** Whether AWS lets the key have more than one material. Throws 'unsupported' without a text, as AWS does. */
export function requireRotatable(key: KeyRecord): void {
  if (!isSymmetric(key.keySpec)) throw unsupportedKind()
}

/** Of related keys, the primary alone is told. Throws 'unsupported'. */
export function requireNoReplica(key: KeyRecord): void {
  if (isReplica(key)) throw notPrimary(arnOf(key))
}

/** Imported material is not made anew by itself. Throws 'unsupported'. */
export function requireOwnMaterial(key: KeyRecord): void {
  if (key.origin !== 'AWS_KMS') throw wrongOrigin(arnOf(key), key.origin)
}

/** The first rotation is a period away, as is each one from the one before it. */
export function rotationEvery(periodInDays: number, now: number): Rotation {
  return { periodInDays, nextDate: now + periodInDays * dayMs }
}

/** While a key is pending deletion it does not rotate, and says so; afterwards its rotation is what it was. */
export function rotationOf(key: KeyRecord): Rotation | undefined {
  const { state } = key
  return state === 'PendingDeletion' || state === 'PendingReplicaDeletion'
    ? undefined
    : key.rotation
}

/** Sets or ends the automatic rotation of a key and of its replicas. */
export function setRotation(
  key: KeyRecord,
  rotation: Rotation | undefined,
  deps: Pick<KmsDeps, 'state' | 'regions'>,
): readonly Put[] {
  return relatedKeys(key, deps).map((each) => deps.state.replaceKey(each, { ...each, rotation }))
}

/** Keys whose material is due to be rotated, at most `limit`. Replicas rotate with their primary. */
export function keysToRotate(
  state: KmsDeps['state'],
  now: number,
  limit: number,
): readonly KeyRecord[] {
  const due: KeyRecord[] = []
  for (const key of state.rotationDue(now)) {
    if (key.state !== 'Enabled' || isReplica(key)) continue
    if (due.push(key) === limit) break
  }
  return due
}

export type RotationOutcome = {
  readonly changes: readonly Put[]
  readonly events: readonly OwnEvent[]
}

/**
 * What rotates a key, and with it its replicas: the new material is there in every Region before any of them encrypts
 * with it. Older material decrypts for ever. Throws 'invalid-state' when a key of imported material has none to rotate
 * to. The commit fails with StoreConflict when one of the keys changes meanwhile, or gets another replica.
 */
export async function rotateKey(
  key: KeyRecord,
  rotationType: RotationType,
  now: number,
  deps: Deps,
): Promise<RotationOutcome> {
  const related = relatedKeys(key, deps)
  const { materialId, puts } =
    key.origin === 'EXTERNAL'
      ? { materialId: readyMaterial(key, related, now), puts: [] }
      : await newMaterial(key, related, deps)
  const replaced = related.map((each) =>
    deps.state.replaceKey(each, rotated(each, materialId, rotationType, now)),
  )
  return {
    changes: [...replaced, ...puts],
    events: [rotateEvent(key, materialId, rotationType)],
  }
}

/** The pending material, when every related key has it. */
function readyMaterial(key: KeyRecord, related: readonly KeyRecord[], now: number): string {
  const pending = pendingEntry(key)
  const isReady =
    pending?.state === 'PENDING_ROTATION' &&
    related.every((each) => {
      const entry = pendingEntry(each)
      return entry?.materialId === pending.materialId && isPresent(entry, now)
    })
  if (pending === undefined || !isReady) throw nothingToRotate(arnOf(key))
  return pending.materialId
}

async function newMaterial(key: KeyRecord, related: readonly KeyRecord[], { state, hsm }: Deps) {
  const { region, account, keyId, keySpec } = key
  const { material } = await hsm.createMaterial({ region, account, keyId }, keySpec)
  const elsewhere = related.filter((each) => each.region !== region)
  const copies = await Promise.all(elsewhere.map((each) => hsm.replicate(material, each.region)))
  const puts = [material, ...copies].map((each) => state.addMaterial(each))
  return { materialId: material.materialId, puts }
}

function rotated(
  key: KeyRecord,
  materialId: string,
  rotationType: RotationType,
  now: number,
): KeyRecord {
  const next = withRotated(key, materialId, rotationType, now)
  if (rotationType === 'ON_DEMAND') {
    return { ...next, onDemandRotations: (key.onDemandRotations ?? 0) + 1 }
  }
  const { rotation } = key
  return rotation === undefined
    ? next
    : { ...next, rotation: rotationEvery(rotation.periodInDays, now) }
}

function rotateEvent(key: KeyRecord, materialId: string, rotationType: RotationType): OwnEvent {
  return {
    eventSource: 'kms.amazonaws.com',
    eventName: 'RotateKey',
    account: key.account,
    region: key.region,
    resources: [keyResource(key)],
    details: {
      rotationType,
      keyOrigin: key.origin,
      previousKeyMaterialId: key.currentMaterialId,
      currentKeyMaterialId: materialId,
      keyId: key.keyId,
    },
  }
}
