import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { KeyId, Region } from '../../base/ids.ts'
import { createMemoryStore, SharedRows } from '../../storage/memory/store.ts'
import { Mirror } from '../../storage/mirror.ts'
import { type Put, StoreConflict } from '../../storage/port.ts'
import { type GrantRecord, operationSet } from './grant.ts'
import { GrantCodec } from './grant-codec.ts'
import { Grants, positionOnKey } from './grants.ts'
import type { KeyRecord } from './key.ts'
import { SharedTexts } from './shared-texts.ts'
import { KmsState } from './state.ts'
import { account, otherAccount, region } from './testing/test-kms.ts'

const keyIds = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}` as KeyId)
const parties = ['user/a', 'user/ab', 'role/b'].map((name) => `arn:aws:iam::${account}:${name}`)

const keyOf = (keyId: KeyId, createdAt = 1, within: Region = region): KeyRecord => ({
  ...{ region: within, account, keyId, createdAt, description: '', state: 'Enabled' },
  ...{ keySpec: 'SYMMETRIC_DEFAULT', keyUsage: 'ENCRYPT_DECRYPT', origin: 'AWS_KMS' },
  ...{ multiRegion: false, policy: '{}', tags: [] },
})

const idOf = (n: number) => n.toString(16).padStart(64, '0')

function grantOn(key: KeyRecord, n: number, members: Partial<GrantRecord> = {}): GrantRecord {
  const { keyId, createdAt: keyCreatedAt } = key
  return {
    ...{ grantId: idOf(n), region: key.region, account, keyId, keyCreatedAt, createdAt: n },
    ...{
      issuingAccount: account,
      grantee: parties[0] ?? '',
      operations: operationSet(['Decrypt']),
    },
    ...members,
  }
}

/** One process: the mirror of a store that others may share. */
async function opened(shared = new SharedRows()) {
  const mirror = new Mirror(createMemoryStore(shared))
  const state = new KmsState(mirror)
  const grants = new Grants(mirror, state)
  await mirror.load()
  const commit = (...puts: Put[]) => mirror.commit(puts, [])
  return { shared, mirror, state, grants, commit }
}

type House = Awaited<ReturnType<typeof opened>>

const all = { after: undefined, count: 1000 }
const idsOf = (grants: readonly GrantRecord[]) => grants.map(({ grantId }) => grantId)

/** Everything that the indexes answer about the keys, the parties and the grants. */
function answersOf({ state, grants }: House, ids: readonly string[]) {
  const keys = keyIds.flatMap((keyId) => state.key(region, keyId) ?? [])
  return {
    counts: keys.map((key) => grants.count(key)),
    ofKeys: keys.map((key) => idsOf(grants.ofKey(key, all))),
    ofGrantees: keys.map((key) => parties.map((party) => idsOf(grants.ofKey(key, all, party)))),
    retirable: parties.map((party) =>
      idsOf(grants.retirableBy(party, region, all).filter((grant) => grants.keyOf(grant))),
    ),
    known: ids.filter((id) => grants.get(id) !== undefined),
  }
}

function expectedOf(keys: ReadonlyMap<KeyId, KeyRecord>, grants: readonly GrantRecord[]) {
  const live = grants.filter((grant) => keys.has(grant.keyId))
  const present = keyIds.flatMap((keyId) => keys.get(keyId) ?? [])
  const byPosition = [...live].sort((a, b) => (positionOnKey(a) < positionOnKey(b) ? -1 : 1))
  const byId = [...live].sort((a, b) => (a.grantId < b.grantId ? -1 : 1))
  const of = (key: KeyRecord) => byPosition.filter(({ keyId }) => keyId === key.keyId)
  return {
    counts: present.map((key) => of(key).length),
    ofKeys: present.map((key) => idsOf(of(key))),
    ofGrantees: present.map((key) =>
      parties.map((party) => idsOf(of(key).filter(({ grantee }) => grantee === party))),
    ),
    retirable: parties.map((party) => idsOf(byId.filter(({ retiring }) => retiring === party))),
    known: idsOf(byId),
  }
}

const place = fc.nat(2)
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      create: place,
      to: place,
      by: fc.option(place),
      name: fc.option(place),
    }),
  },
  { weight: 3, arbitrary: fc.record({ remove: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ deleteKey: place }) },
  { weight: 1, arbitrary: fc.record({ leftovers: fc.integer({ min: 1, max: 4 }) }) },
)

test('after any sequence of changes the indexes say what a list would, here and in another process', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const house = await opened()
      const { state, grants, commit, shared } = house
      const other = await opened(shared)
      const keys = new Map(keyIds.map((keyId) => [keyId, keyOf(keyId)]))
      await commit(...[...keys.values()].map((key) => state.addKey(key)))
      let model: GrantRecord[] = []
      let made = 0
      for (const each of steps) {
        if ('create' in each) {
          const key = keys.get(keyIds[each.create] as KeyId)
          if (key === undefined) continue
          const grant = grantOn(key, ++made, {
            grantee: parties[each.to] ?? '',
            ...(each.by === null ? {} : { retiring: parties[each.by] }),
            ...(each.name === null ? {} : { name: `name-${each.name}` }),
          })
          const same = model.find((known) => isSame(known, grant))
          assert.equal(grants.sameAs(grant)?.grantId, same?.grantId)
          if (same !== undefined) continue
          await commit(grants.add(grant))
          model.push(grant)
        } else if ('remove' in each) {
          const live = model.filter(({ keyId }) => keys.has(keyId))
          const victim = live[each.remove % Math.max(1, live.length)]
          const grant = victim && grants.get(victim.grantId)
          if (grant === undefined) continue
          await commit(grants.remove(grant))
          model = model.filter(({ grantId }) => grantId !== grant.grantId)
        } else if ('deleteKey' in each) {
          const key = state.key(region, keyIds[each.deleteKey] ?? '')
          if (key === undefined) continue
          await commit(state.removeKey(key))
          keys.delete(key.keyId)
        } else {
          const removals = grants.leftovers(each.leftovers)
          const gone = model.filter(({ keyId }) => !keys.has(keyId)).length
          assert.equal(removals.length, Math.min(gone, each.leftovers))
          if (removals.length > 0) await commit(...removals)
          model = await stillStored(house, model)
        }
      }
      await other.mirror.refresh()
      const ids = Array.from({ length: made + 1 }, (_, n) => idOf(n))
      const expected = expectedOf(keys, model)
      assert.deepEqual(answersOf(house, ids), expected)
      assert.deepEqual(answersOf(other, ids), expected)
      assert.deepEqual(answersOf(await opened(shared), ids), expected)
      assert.equal(grants.size, model.length)
    }),
    { numRuns: 60 },
  )
})

function isSame(a: GrantRecord, b: GrantRecord): boolean {
  const { grantId: _a, createdAt: _x, ...one } = a
  const { grantId: _b, createdAt: _y, ...two } = b
  return a.name !== undefined && JSON.stringify(one) === JSON.stringify(two)
}

/** Those of the model that have a row. */
async function stillStored({ shared }: House, model: readonly GrantRecord[]) {
  const bodies = [...shared.rows.values()].filter(({ kind }) => kind === 'grant')
  return model.filter(({ grantId }) => bodies.some(({ body }) => body?.includes(grantId)))
}

test('two processes that are asked for the same named grant make one', async () => {
  const one = await opened()
  const key = keyOf(keyIds[0] as KeyId)
  await one.commit(one.state.addKey(key))
  const two = await opened(one.shared)
  const named = (n: number) => grantOn(key, n, { name: 'the one' })
  const [first, second] = [one.grants.add(named(1)), two.grants.add(named(2))]
  await one.commit(first)
  await assert.rejects(two.commit(second), StoreConflict)
  assert.equal(two.grants.sameAs(named(2))?.grantId, idOf(1))
  assert.throws(() => two.grants.add(named(2)), StoreConflict)
})

test('a named grant is not found by its row', async () => {
  const { grants, state, commit, shared } = await opened()
  const key = keyOf(keyIds[0] as KeyId)
  await commit(state.addKey(key), grants.add(grantOn(key, 1, { name: 'a' })))
  const row = [...shared.rows.values()].find(({ kind }) => kind === 'grant')
  assert.ok(row !== undefined && row.id !== idOf(1))
  assert.equal(grants.get(row.id), undefined)
  assert.equal(grants.get(idOf(1))?.name, 'a')
})

test('any other parameter makes another named grant', async () => {
  const { grants, state, commit } = await opened()
  const keys = keyIds.map((keyId) => keyOf(keyId))
  const [key, otherKey] = keys
  assert.ok(key && otherKey)
  const grant = grantOn(key, 1, { name: 'a' })
  await commit(...keys.map((each) => state.addKey(each)), grants.add(grant))
  assert.equal(grants.sameAs({ ...grant, grantId: idOf(2), createdAt: 7 })?.grantId, idOf(1))
  const others: Partial<GrantRecord>[] = [
    { name: 'b' },
    { name: undefined },
    { keyId: otherKey.keyId },
    { issuingAccount: otherAccount },
    { grantee: parties[1] ?? '' },
    { retiring: parties[1] },
    { operations: operationSet(['Decrypt', 'Encrypt']) },
    { contextEquals: ['a', 'b'] },
    { contextSubset: ['a', 'b'] },
    { sourceArn: 'arn:aws:s3:::bucket' },
  ]
  for (const other of others) assert.equal(grants.sameAs({ ...grant, ...other }), undefined)
})

test('a grant that is not the present one is not removed', async () => {
  const { grants, state, commit } = await opened()
  const key = keyOf(keyIds[0] as KeyId)
  await commit(state.addKey(key), grants.add(grantOn(key, 1)))
  const grant = grants.get(idOf(1))
  assert.ok(grant)
  await commit(grants.remove(grant))
  assert.throws(() => grants.remove(grant), StoreConflict)
})

test('a key that comes back under its id has no grant of the one before', async () => {
  const { grants, state, commit, shared } = await opened()
  const keyId = `mrk-${'0'.repeat(32)}` as KeyId
  const before = keyOf(keyId, 1)
  await commit(
    state.addKey(before),
    ...[1, 2, 3].map((n) => grants.add(grantOn(before, n, { retiring: parties[0] }))),
  )
  await commit(state.removeKey(state.key(region, keyId) as KeyRecord))
  const again = keyOf(keyId, 2)
  await commit(state.addKey(again))
  const key = state.key(region, keyId) as KeyRecord
  for (const house of [grants, (await opened(shared)).grants]) {
    assert.equal(house.get(idOf(1)), undefined)
    assert.equal(house.count(again), 0)
    assert.deepEqual(house.ofKey(again, all), [])
  }
  await commit(grants.add(grantOn(key, 4)))
  await commit(...grants.leftovers(100))
  assert.deepEqual(idsOf(grants.ofKey(key, all)), [idOf(4)])
  assert.equal(grants.size, 1)
  assert.deepEqual(grants.leftovers(100), [])
})

test('grants of other Regions are others', async () => {
  const { grants, state, commit } = await opened()
  const keyId = `mrk-${'0'.repeat(32)}` as KeyId
  const here = keyOf(keyId)
  const there = keyOf(keyId, 1, 'eu-central-1' as Region)
  const retiring = parties[0] ?? ''
  await commit(state.addKey(here), state.addKey(there))
  await commit(
    grants.add(grantOn(here, 1, { retiring })),
    grants.add(grantOn(there, 2, { retiring })),
  )
  assert.deepEqual(idsOf(grants.ofKey(here, all)), [idOf(1)])
  assert.deepEqual(idsOf(grants.retirableBy(retiring, there.region, all)), [idOf(2)])
  // Whoever asks may hold a view of the key's record.
  assert.equal(grants.on({ ...here, state: 'PendingImport' }, idOf(1))?.grantId, idOf(1))
  assert.equal(grants.on(state.key(region, keyId) as KeyRecord, idOf(2)), undefined)
  assert.equal(grants.on(state.key(region, keyId) as KeyRecord, idOf(1))?.grantId, idOf(1))
})

test('texts are shared, and let go with the last grant that has them', () => {
  const texts = new SharedTexts()
  const codec = new GrantCodec(texts)
  const key = keyOf(keyIds[0] as KeyId)
  const grants = [1, 2].map((n) => {
    const grant = grantOn(key, n, { retiring: parties[1], contextSubset: ['a', 'b'] })
    const read = codec.decode(codec.encode(grant))
    assert.deepEqual(read, grant)
    return read
  })
  // Region, two that are the account, key, grantee and who may retire it.
  assert.equal(texts.size, 5)
  for (const grant of grants) codec.release(grant)
  assert.equal(texts.size, 0)
})

test('a stored grant has the names of its operations, and one with an unknown name is not read', () => {
  const codec = new GrantCodec(new SharedTexts())
  const body = codec.encode(grantOn(keyOf(keyIds[0] as KeyId), 1))
  assert.deepEqual(JSON.parse(body).operations, ['Decrypt'])
  assert.throws(() => codec.decode(body.replace('Decrypt', 'Destroy')), /'Destroy'/)
})
