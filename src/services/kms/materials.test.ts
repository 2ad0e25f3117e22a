import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { AccountId, KeyId, Region } from '../../base/ids.ts'
import type { KeyRecord, MaterialEntry } from './key.ts'
import {
  asOf,
  entryOf,
  isComplete,
  isPending,
  isPresent,
  materialEntries,
  pendingEntry,
  stateAfterCancel,
  storedRecord,
  toBeImported,
  withAssociated,
  withDescription,
  withImported,
  withoutMaterial,
  withoutPending,
  withPendingState,
  withRotated,
} from './materials.ts'

const made: KeyRecord = {
  region: 'us-east-1' as Region,
  account: '111122223333' as AccountId,
  keyId: '1234abcd-12ab-34cd-56ef-1234567890ab' as KeyId,
  createdAt: 0,
  description: '',
  state: 'Enabled',
  keySpec: 'SYMMETRIC_DEFAULT',
  keyUsage: 'ENCRYPT_DECRYPT',
  origin: 'AWS_KMS',
  multiRegion: false,
  policy: '{}',
  tags: [],
  currentMaterialId: 'first',
}

const { currentMaterialId: _, ...rest } = made
const empty: KeyRecord = { ...rest, origin: 'EXTERNAL', state: 'PendingImport' }

describe('a key whose material was made with it', () => {
  test('has that one, which is always there', () => {
    assert.deepEqual(materialEntries(made), [{ materialId: 'first', state: 'CURRENT' }])
    assert.equal(isComplete(made, Number.MAX_SAFE_INTEGER), true)
    assert.equal(made.nextExpiry, undefined)
    assert.equal(asOf(made, Number.MAX_SAFE_INTEGER), made)
    assert.equal(stateAfterCancel(made, 0), 'Disabled')
  })

  test('goes on with another when it is rotated', () => {
    const once = withRotated(made, 'second', 'AUTOMATIC', 10)
    const twice = withRotated(once, 'third', 'ON_DEMAND', 20)
    assert.equal(twice.currentMaterialId, 'third')
    assert.deepEqual(plain(materialEntries(twice)), [
      { materialId: 'first', state: 'NON_CURRENT' },
      { materialId: 'second', state: 'NON_CURRENT', rotatedAt: 10, rotationType: 'AUTOMATIC' },
      { materialId: 'third', state: 'CURRENT', rotatedAt: 20, rotationType: 'ON_DEMAND' },
    ])
    assert.deepEqual(made, { ...rest, currentMaterialId: 'first' }, 'no record is changed in place')
  })
})

describe('a key of imported material', () => {
  test('expires with the first of its materials, which the pending one is not', () => {
    const first = withImported(withAssociated(empty, 'a'), 'a', 100, 0)
    const second = withImported(withAssociated(first, 'b'), 'b', 50, 0)
    assert.equal(second.nextExpiry, 50)
    assert.equal(asOf(second, 99), second)
    const view = asOf(second, 100)
    assert.deepEqual(view, { ...second, state: 'PendingImport' })
    assert.equal(asOf(second, 101), view, 'one view for one record')
    assert.equal(storedRecord(view), second)
    assert.equal(storedRecord(second), second)
    assert.equal(stateAfterCancel(second, 100), 'PendingImport')
    const rotated = withRotated(second, 'b', 'ON_DEMAND', 10)
    assert.equal(asOf(rotated, 50).state, 'PendingImport')
  })

  test('shows its replica every material, and gives it none', () => {
    const described = withDescription(withAssociated(empty, 'a'), 'a', 'text')
    const primary = withImported(described, 'a', 100, 0)
    assert.deepEqual(toBeImported(primary), [
      {
        materialId: 'a',
        state: 'CURRENT',
        imported: { state: 'PENDING_IMPORT', description: 'text' },
      },
    ])
    assert.equal(toBeImported(made), undefined)
  })

  test('that waits for its replicas says so', () => {
    const two = withAssociated(withImported(withAssociated(empty, 'a'), 'a', undefined, 0), 'b')
    const waiting = withPendingState(two, false)
    assert.equal(pendingEntry(waiting)?.state, 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION')
    assert.equal(pendingEntry(withPendingState(waiting, true))?.state, 'PENDING_ROTATION')
    assert.equal(withPendingState(two, true), two)
  })
})

/** Whatever is done to a key, in whatever order. */
type Step = (key: KeyRecord, now: number) => KeyRecord

const id = fc.constantFrom('a', 'b', 'c')
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(id, fc.option(fc.integer({ min: 1, max: 5 }))).map(
    ([materialId, validFor]): Step =>
      (key, now) => {
        const known = entryOf(key, materialId) === undefined ? withAssociated(key, materialId) : key
        return withImported(known, materialId, validFor === null ? undefined : now + validFor, now)
      },
  ),
  id.map(
    (materialId): Step =>
      (key, now) => {
        const entry = entryOf(key, materialId)
        if (entry === undefined) return key
        return isPending(entry) ? withoutPending(key) : withoutMaterial(key, materialId, now)
      },
  ),
  fc.constant<Step>((key, now) => {
    const pending = pendingEntry(key)
    if (pending === undefined || !isPresent(pending, now)) return key
    return withRotated(key, pending.materialId, 'ON_DEMAND', now)
  }),
  fc.constant<Step>((key) => (key.state === 'Enabled' ? { ...key, state: 'Disabled' } : key)),
)

test('no order of imports, deletions and rotations spoils the history', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let key = empty
      let kept: readonly string[] = []
      for (const [now, next] of steps.entries()) {
        key = next(asOf(key, now), now)
        const entries = materialEntries(key)
        const ids = entries.map(({ materialId }) => materialId)
        assert.equal(new Set(ids).size, ids.length)
        assert.ok(entries.filter(isPending).length <= 1)
        const current = entries.filter(({ state }) => state === 'CURRENT')
        assert.equal(current.length, entries.length === 0 ? 0 : 1)
        assert.equal(key.currentMaterialId, current[0]?.materialId)
        const belonging = entries.filter((entry) => !isPending(entry))
        assert.deepEqual(
          belonging.slice(0, kept.length).map(({ materialId }) => materialId),
          kept,
          'what belongs to a key stays in its place',
        )
        kept = belonging.map(({ materialId }) => materialId)
        const dates = entries.flatMap(({ imported }) => imported?.validTo ?? [])
        assert.equal(key.nextExpiry, dates.length === 0 ? undefined : Math.min(...dates))
        const whole = belonging.length > 0 && belonging.every((entry) => isPresent(entry, now))
        assert.equal(asOf(key, now).state !== 'PendingImport', whole)
      }
    }),
  )
})

function plain(entries: readonly MaterialEntry[]): unknown {
  return JSON.parse(JSON.stringify(entries))
}
