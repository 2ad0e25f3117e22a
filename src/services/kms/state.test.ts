import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { KeyId } from '../../base/ids.ts'
import type { Material } from '../../hsm/port.ts'
import { createMemoryStore, SharedRows } from '../../storage/memory/store.ts'
import { Mirror } from '../../storage/mirror.ts'
import { type Row, type Store, StoreConflict } from '../../storage/port.ts'
import type { AliasRecord } from './alias.ts'
import type { KeyRecord } from './key.ts'
import { SharedTexts, SharingCodec } from './shared-texts.ts'
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
    assert.deepEqual(side.material(key, key.currentMaterialId), material)
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
  collect()
  const bytesPerKey = (process.memoryUsage().heapUsed - before) / count
  assert.deepEqual(
    [state.keys.size, state.aliases.size, state.materials.size],
    [count, count, count],
  )
  assert.equal(state.keyIds(region, account).size, count)
  assert.ok(bytesPerKey < 3000, `${bytesPerKey} bytes a key`)
})

test('equal policies are one text in memory, and a policy nobody has is let go', async () => {
  const kms = new TestKms()
  const texts = new SharedTexts()
  const codec = new SharingCodec<KeyRecord>(texts, ['policy'])
  const body = codec.encode(await kms.key())
  const two = [codec.decode(body), codec.decode(body)]
  assert.equal(texts.size, 1)
  const sizes = two.map((key) => {
    codec.release(key)
    return texts.size
  })
  assert.deepEqual(sizes, [1, 0])
})

test('the state lets go of the texts of what is changed or removed', async () => {
  const texts = new SharedTexts()
  const mirror = new Mirror(createMemoryStore())
  const state = new KmsState(mirror, texts)
  const kms = new TestKms()
  const key = await kms.key()
  const [material] = kms.state.materialsOf(key)
  assert.ok(material)
  const alias = aliasOf(key, 'alias/one')
  await mirror.commit([state.addKey(key), state.addMaterial(material), state.addAlias(alias)], [])
  const now = () => present(state.key(region, key.keyId))
  // The Region, the account and the policy.
  assert.equal(texts.size, 3)
  for (const policy of ['one', 'two', 'three']) {
    await mirror.commit([state.replaceKey(now(), { ...key, policy })], [])
    assert.equal(texts.size, 3)
  }
  const gone = [
    state.removeKey(now()),
    ...state.materialsOf(key).map((each) => state.removeMaterial(each)),
    state.removeAlias(present(state.alias(region, account, 'alias/one'))),
  ]
  await mirror.commit(gone, [])
  assert.equal(texts.size, 0)
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
  const store: Pick<Store, 'load'> = {
    load: async (visit) => {
      for (let made = 0; made < count; made++) rowsOfKey().forEach(visit)
      return 1
    },
  }
  return store as Store
}

function rowsOfKey(): readonly Row[] {
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
  const aliasName = `alias/customer-${keyId.slice(0, 8)}`
  const row = (kind: string, id: string, value: object): Row => ({
    kind,
    id,
    revision: 1,
    body: JSON.stringify(value),
  })
  return [
    row('key', `${region}/${keyId}`, key),
    row('material', `${region}/${keyId}/${materialId}`, material),
    row('alias', `${region}/${account}/${aliasName}`, aliasOf(key, aliasName)),
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
