import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { internalError } from '../base/errors.ts'
import { systemRandom } from '../base/random.ts'
import { Grants } from '../services/kms/grants.ts'
import { KmsState } from '../services/kms/state.ts'
import { createMemoryStore } from '../storage/memory/store.ts'
import { Mirror } from '../storage/mirror.ts'
import { StoreConflict } from '../storage/port.ts'
import { House, otherAccount, region } from '../testing/house.ts'
import { deleteDueKeys } from './key-deletion.ts'

const dayMs = 86_400_000
const retirer = `arn:aws:iam::${otherAccount}:root`

/** A key with `count` grants, whose waiting period is over, and one with a single grant that stays. */
async function doomed(t: TestContext, count: number) {
  const house = await House.open(t)
  const grant = { GranteePrincipal: retirer, RetiringPrincipal: retirer, Operations: ['Encrypt'] }
  const kept = await house.newKey()
  const { GrantId } = await house.ok('CreateGrant', { KeyId: kept, ...grant })
  const KeyId = await house.newKey()
  await Promise.all(
    Array.from({ length: count }, (_, n) =>
      house.ok('CreateGrant', { KeyId, ...grant, ...(n % 2 === 0 ? { Name: `name-${n}` } : {}) }),
    ),
  )
  await house.ok('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
  house.clock.time += 7 * dayMs
  const upkeep = () => deleteDueKeys({ ...house, regions: [region], random: systemRandom })
  const grantsStored = () =>
    [...house.shared.rows.values()].filter(({ kind, body }) => kind === 'grant' && body !== null)
  return { house, KeyId, upkeep, grantsStored, kept: String(GrantId) }
}

/** How many rows each commit removed. */
function watched({ faults }: House, count: (rows: number) => void): void {
  faults.commit = ({ puts }) => count(puts.filter(({ kind }) => kind === 'grant').length)
}

test('a key takes its grants along, a few with each commit', async (t) => {
  const { house, upkeep, grantsStored, kept } = await doomed(t, 250)
  assert.equal(grantsStored().length, 251)
  const removed: number[] = []
  watched(house, (rows) => removed.push(rows))
  assert.equal(await upkeep(), 1)
  assert.deepEqual(removed, [0, 100, 100, 50])
  assert.equal(grantsStored().length, 1)
  assert.equal(house.grants.size, 1)
  assert.equal(house.grants.get(kept)?.grantId, kept)
  removed.length = 0
  assert.equal(await upkeep(), 0)
  assert.deepEqual(removed, [])
})

test('grants end with their key, even if their rows are left behind, and the next upkeep removes those', async (t) => {
  const { house, upkeep, grantsStored, kept } = await doomed(t, 120)
  watched(house, (rows) => {
    if (rows > 0) throw internalError('the store failed')
  })
  await assert.rejects(upkeep(), { code: 'internal' })
  assert.equal(grantsStored().length, 121)
  const { Grants: listed } = await house.ok(
    'ListRetirableGrants',
    { RetiringPrincipal: retirer, Limit: 1000 },
    { key: house.otherKey },
  )
  assert.deepEqual(
    (listed as { GrantId: string }[]).map(({ GrantId }) => GrantId),
    [kept],
  )
  house.faults.commit = () => {}
  // As after a restart: another process reads the store, and finds keys and grants in whatever order.
  const mirror = new Mirror(createMemoryStore(house.shared))
  const state = new KmsState(mirror)
  const grants = new Grants(mirror, state)
  await mirror.load()
  assert.equal(grants.leftovers(1000).length, 120)
  assert.equal(await upkeep(), 0)
  assert.equal(grantsStored().length, 1)
})

test('one upkeep removes so many, and the next ones the rest', async (t) => {
  const { house, KeyId, upkeep, grantsStored } = await doomed(t, 1)
  const key = house.state.key(region, KeyId)
  const [grant] = key === undefined ? [] : house.grants.ofKey(key, { after: undefined, count: 1 })
  assert.ok(grant)
  const more = Array.from({ length: 5009 }, () => ({
    ...grant,
    name: undefined,
    grantId: systemRandom.bytes(32).toString('hex'),
  }))
  await house.mirror.commit(
    more.map((each) => house.grants.add(each)),
    [],
  )
  assert.equal(await upkeep(), 1)
  assert.equal(grantsStored().length, 11)
  assert.equal(await upkeep(), 0)
  assert.equal(grantsStored().length, 1)
})

test('two processes may be at it at once', async (t) => {
  const { house, upkeep, grantsStored } = await doomed(t, 120)
  watched(house, (rows) => {
    if (rows > 0) throw new StoreConflict('another process was first')
  })
  assert.equal(await upkeep(), 1)
  house.faults.commit = () => {}
  await upkeep()
  assert.equal(grantsStored().length, 1)
})

test('a key that is kept keeps its grants', async (t) => {
  const { house, KeyId, upkeep, grantsStored } = await doomed(t, 3)
  await house.ok('CancelKeyDeletion', { KeyId })
  assert.equal(await upkeep(), 0)
  assert.equal(grantsStored().length, 4)
})
