import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { KeyId } from '../../base/ids.ts'
import type { Material } from '../../hsm/port.ts'
import { createMemoryStore, SharedRows } from '../../storage/memory/store.ts'
import { Mirror } from '../../storage/mirror.ts'
import { type Put, type Row, type Store, StoreConflict } from '../../storage/port.ts'
import type { AliasRecord } from './alias.ts'
import type { KeyRecord } from './key.ts'
import { KmsState } from './state.ts'
import { account, otherAccount, region, TestKms } from './testing/test-kms.ts'

test('a mirror that loads the rows has the same keys, aliases, materials and lists', async () => {
  const shared = new SharedRows()
  const writing = new Mirror(createMemoryStore(shared))
  const state = new KmsState(writing)
  const kms = new TestKms()
  const key = await kms.key({ Tags: [{ TagKey: 'a', TagValue: 'b' }] })
  const [material] = kms.state.materialsOf(key)
  assert.ok(material)
  const alias = aliasOf(key, 'alias/one')
  await writing.commit([state.addKey(key), state.addMaterial(material), state.addAlias(alias)], [])
  const reading = new Mirror(createMemoryStore(shared))
  const loaded = new KmsState(reading)
  await reading.load()
  for (const side of [state, loaded]) {
    const found = side.key(region, key.keyId)
    assert.deepEqual(found, key)
    assert.deepEqual(side.materialsOf(key), [material])
    assert.deepEqual(side.material(key, material.materialId), material)
    assert.deepEqual(side.alias(region, account, 'alias/one'), alias)
    assert.deepEqual(side.aliasNamesOf(key), ['alias/one'])
    assert.deepEqual(side.keyIds(region, account).after(undefined, 9), [key.keyId])
    assert.deepEqual(side.aliasNames(region, account).after(undefined, 9), ['alias/one'])
    assert.equal(side.keyIds(region, otherAccount).size, 0)
  }
})

test('another process sees a change, and its lists follow', async () => {
  const shared = new SharedRows()
  const writing = new Mirror(createMemoryStore(shared))
  const reading = new Mirror(createMemoryStore(shared))
  const writer = new KmsState(writing)
  const reader = new KmsState(reading)
  const kms = new TestKms()
  const key = await kms.key()
  const alias = aliasOf(key, 'alias/one')
  await writing.commit([writer.addKey(key), writer.addAlias(alias)], [])
  await reading.refresh()
  assert.deepEqual(reader.aliasNamesOf(key), ['alias/one'])
  const other = await kms.key()
  const named = () => present(writer.alias(region, account, 'alias/one'))
  await writing.commit([writer.replaceAlias(named(), { ...alias, targetKeyId: other.keyId })], [])
  await reading.refresh()
  assert.deepEqual(reader.aliasNamesOf(key), [])
  assert.deepEqual(reader.aliasNamesOf(other), ['alias/one'])
  const written = present(writer.key(region, key.keyId))
  await writing.commit([writer.removeAlias(named()), writer.removeKey(written)], [])
  await reading.refresh()
  assert.deepEqual(reader.aliasNamesOf(other), [])
  assert.equal(reader.aliasNames(region, account).size, 0)
  assert.equal(reader.keyIds(region, account).size, 0)
})

test('a hundred thousand keys with material and aliases take less than 300 MB', async () => {
  const count = 10_000
  setFlagsFromString('--expose_gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const before = process.memoryUsage().heapUsed
  const mirror = new Mirror(storeOf(count))
  const state = new KmsState(mirror)
  await mirror.load()
  const bytesPerKey = () => {
    collect()
    return (process.memoryUsage().heapUsed - before) / count
  }
  assert.deepEqual(
    [state.keys.size, state.aliases.size, state.materials.size],
    [count, count, count],
  )
  assert.equal(state.keyIds(region, account).size, count)
  assert.ok(bytesPerKey() < 3000, `${bytesPerKey()} bytes a key`)
  const used = [...state.keys.values(), ...state.aliases.values(), ...state.materials.values()]
  assert.equal(used.length, 3 * count)
  assert.ok(bytesPerKey() < 3000, `${bytesPerKey()} bytes a key in use`)
})

test('used or not, a record that is damaged in the store concerns nobody else', async () => {
  const shared = new SharedRows()
  const [intact, damaged] = [rowsOfKey(), rowsOfKey()] as const
  const puts = [...intact, ...damaged].map(({ kind, id, body }) => ({
    kind,
    id,
    body: damaged[0].id === id ? `${body?.slice(0, -1)}?` : body,
    expected: 0,
  }))
  shared.commit({ puts, events: [] })
  const mirror = new Mirror(createMemoryStore(shared))
  const state = new KmsState(mirror)
  await mirror.load()
  assert.equal(state.keyIds(region, account).size, 2)
  assert.ok(state.keys.get(intact[0].id))
  const detail = `the key '${damaged[0].id}' of the store cannot be read`
  assert.throws(() => state.keys.get(damaged[0].id), { code: 'internal', detail })
})

test('a record that is no longer the present one is neither replaced nor removed', async () => {
  const kms = new TestKms()
  const { state } = kms
  const key = await kms.key()
  await kms.ok('CreateAlias', { AliasName: 'alias/one', TargetKeyId: key.keyId })
  const alias = present(state.alias(region, account, 'alias/one'))
  await kms.ok('UpdateAlias', { AliasName: 'alias/one', TargetKeyId: key.keyId })
  const stale: (() => unknown)[] = [
    () => state.replaceKey(key, key),
    () => state.removeKey(key),
    () => state.replaceAlias(alias, alias),
    () => state.removeAlias(alias),
    () => state.removeMaterial({ ...present(state.materialsOf(key)[0]) }),
  ]
  for (const change of stale) assert.throws(change, StoreConflict)
})

function present<T>(record: T | undefined): T {
  assert.ok(record !== undefined)
  return record
}

/** A store that has rows to load and keeps none of them. */
function storeOf(count: number): Store {
  const store: Pick<Store, 'load' | 'changed'> = {
    changed: () => false,
    load: async (visit) => {
      for (let made = 0; made < count; made++) rowsOfKey().forEach(visit)
      return 1
    },
  }
  return store as Store
}

/** Says how records stand in rows. */
const writing = new KmsState(new Mirror(createMemoryStore()))

function rowsOfKey(): readonly [key: Row, material: Row, alias: Row] {
  const keyId = randomUUID() as KeyId
  const materialId = createHash('sha256').update(keyId).digest('hex')
  const key: KeyRecord = {
    region,
    account,
    keyId,
    createdAt: Date.now(),
    description: `the key of customer ${keyId.slice(0, 8)}`,
    state: 'Enabled',
    keySpec: 'SYMMETRIC_DEFAULT',
    keyUsage: 'ENCRYPT_DECRYPT',
    origin: 'AWS_KMS',
    multiRegion: false,
    policy: 'x'.repeat(600),
    tags: [],
    currentMaterialId: materialId,
  }
  const material: Material = {
    region,
    account,
    keyId,
    materialId,
    wrapped: 'w'.repeat(128),
    generation: 1,
  }
  const alias = aliasOf(key, `alias/customer-${keyId.slice(0, 18)}`)
  const row = ({ kind, id, body }: Put): Row => ({ kind, id, body, revision: 1 })
  return [
    row(writing.addKey(key)),
    row(writing.addMaterial(material)),
    row(writing.addAlias(alias)),
  ]
}

function aliasOf(key: KeyRecord, aliasName: string): AliasRecord {
  return {
    region,
    account: key.account,
    aliasName,
    targetKeyId: key.keyId,
    createdAt: 1,
    updatedAt: 2,
  }
}
