import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Region } from '../../../base/ids.ts'
import { destroyKey, keysDue } from '../deletion.ts'
import { arnOf, type KeyRecord } from '../key.ts'
import { kmsOverRealCore } from '../testing/real-core.ts'
import { account, otherRegion, region, type TestKms } from '../testing/test-kms.ts'

const day = 86_400_000
const kms = kmsOverRealCore()
const there = { region: otherRegion }

const primaryKey = (input: object = {}) => kms.key({ MultiRegion: true, ...input })

async function replicated(primary: KeyRecord, input: object = {}): Promise<KeyRecord> {
  await kms.ok('ReplicateKey', { KeyId: primary.keyId, ReplicaRegion: otherRegion, ...input })
  return kms.record(primary.keyId, otherRegion)
}

type Metadata = Readonly<Record<string, unknown>> | undefined
const arnIn = (key: KeyRecord, within: Region) =>
  `arn:aws:kms:${within}:${account}:key/${key.keyId}`

test('a multi-Region key has an id of its own form, and is a primary without replicas', async () => {
  const key = await primaryKey()
  assert.match(key.keyId, /^mrk-[0-9a-f]{32}$/)
  const { KeyMetadata } = await kms.ok('DescribeKey', { KeyId: key.keyId })
  assert.deepEqual(KeyMetadata?.['MultiRegionConfiguration'], {
    MultiRegionKeyType: 'PRIMARY',
    PrimaryKey: { Arn: arnIn(key, region), Region: region },
    ReplicaKeys: [],
  })
})

test('a replica has id and material of its primary, and policy, description and tags of its own', async () => {
  const primary = await primaryKey({
    Description: 'primary',
    Tags: [{ TagKey: 'a', TagValue: 'b' }],
  })
  const answer = await kms.ok('ReplicateKey', {
    KeyId: primary.keyId,
    ReplicaRegion: otherRegion,
    Description: 'replica',
    Tags: [{ TagKey: 'c', TagValue: 'd' }],
  })
  const metadata = answer['ReplicaKeyMetadata'] as Metadata
  assert.deepEqual(metadata?.['MultiRegionConfiguration'], {
    MultiRegionKeyType: 'REPLICA',
    PrimaryKey: { Arn: arnIn(primary, region), Region: region },
    ReplicaKeys: [{ Arn: arnIn(primary, otherRegion), Region: otherRegion }],
  })
  assert.equal(metadata?.['Description'], 'replica')
  assert.equal(answer['ReplicaPolicy'], `{"default":"${account}"}`)
  assert.deepEqual(answer['ReplicaTags'], [{ TagKey: 'c', TagValue: 'd' }])
  const replica = kms.record(primary.keyId, otherRegion)
  assert.equal(replica.currentMaterialId, primary.currentMaterialId)
})

test('what one Region encrypts the other decrypts', async () => {
  const primary = await primaryKey()
  await replicated(primary)
  const Plaintext = Buffer.from('both ways')
  for (const [from, to] of [
    [region, otherRegion],
    [otherRegion, region],
  ] as const) {
    const sealed = await kms.ok('Encrypt', { KeyId: primary.keyId, Plaintext }, { region: from })
    const opened = await kms.ok(
      'Decrypt',
      { CiphertextBlob: sealed.CiphertextBlob },
      { region: to },
    )
    assert.deepEqual(opened.Plaintext, Plaintext)
    assert.equal(opened['KeyId'], arnIn(primary, to))
  }
})

test('a signature of the one verifies with the other', async () => {
  const primary = await primaryKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
  await replicated(primary)
  const request = {
    KeyId: primary.keyId,
    Message: Buffer.from('message'),
    SigningAlgorithm: 'ECDSA_SHA_256',
  }
  const { Signature } = await kms.ok('Sign', request)
  const verified = await kms.ok('Verify', { ...request, Signature }, there)
  assert.equal(verified['SignatureValid'], true)
})

test('each has a state of its own', async () => {
  const primary = await primaryKey()
  await replicated(primary)
  await kms.ok('DisableKey', { KeyId: primary.keyId }, there)
  await kms.ok('Encrypt', { KeyId: primary.keyId, Plaintext: Buffer.from('x') })
  const request = { KeyId: primary.keyId, Plaintext: Buffer.from('x') }
  assert.equal((await kms.fails('Encrypt', request, there))[0], 'disabled')
})

test('only a primary is replicated, to a Region that is served, once', async () => {
  const primary = await primaryKey()
  const replicate = (ReplicaRegion: string, KeyId: string = primary.keyId) =>
    kms.fails('ReplicateKey', { KeyId, ReplicaRegion })
  assert.equal((await replicate(region))[0], 'validation')
  assert.equal((await replicate('mars-north-1'))[0], 'validation')
  const single = await kms.key()
  assert.deepEqual(await replicate(otherRegion, single.keyId), [
    'unsupported',
    `${arnOf(single)} is not a multi-region primary key.`,
  ])
  const replica = await replicated(primary)
  assert.equal((await replicate(otherRegion))[0], 'already-exists')
  assert.deepEqual(
    await kms.fails('ReplicateKey', { KeyId: primary.keyId, ReplicaRegion: region }, there),
    ['unsupported', `${arnOf(replica)} is not a multi-region primary key.`],
  )
  await kms.ok('DisableKey', { KeyId: primary.keyId })
  assert.equal((await replicate(otherRegion))[0], 'disabled')
})

test('the permissions are those to replicate the key and to make one in the other Region', async () => {
  const primary = await primaryKey()
  const { checks } = await kms.call('ReplicateKey', {
    KeyId: primary.keyId,
    ReplicaRegion: otherRegion,
    Tags: [{ TagKey: 'a', TagValue: 'b' }],
  })
  assert.deepEqual(
    checks.map(({ permission, conditions }) => [
      permission,
      conditions['kms:ReplicaRegion'],
      conditions['aws:RequestedRegion'],
    ]),
    [
      ['kms:ReplicateKey', otherRegion, undefined],
      ['kms:CreateKey', undefined, otherRegion],
      ['kms:TagResource', undefined, otherRegion],
    ],
  )
})

test('primary and replica change places, each by its own policy', async () => {
  const primary = await primaryKey()
  await replicated(primary)
  const KeyId = primary.keyId
  const { checks } = await kms.call('UpdatePrimaryRegion', { KeyId, PrimaryRegion: otherRegion })
  assert.deepEqual(
    checks.map(({ permission, resource }) => [permission, resource.arn]),
    [
      ['kms:UpdatePrimaryRegion', arnIn(primary, region)],
      ['kms:UpdatePrimaryRegion', arnIn(primary, otherRegion)],
    ],
  )
  const typeIn = (within: Region) => kms.record(KeyId, within).replication
  assert.deepEqual(typeIn(region), { type: 'REPLICA', primaryRegion: otherRegion })
  assert.deepEqual(typeIn(otherRegion), { type: 'PRIMARY', primaryRegion: otherRegion })
  const [code] = await kms.fails('UpdatePrimaryRegion', { KeyId, PrimaryRegion: otherRegion })
  assert.equal(code, 'unsupported')
})

test('a primary moves only to where it has a replica', async () => {
  const primary = await primaryKey()
  const request = { KeyId: primary.keyId, PrimaryRegion: otherRegion }
  assert.deepEqual(await kms.fails('UpdatePrimaryRegion', request), [
    'not-found',
    `Key '${arnIn(primary, otherRegion)}' does not exist`,
  ])
  const same = { ...request, PrimaryRegion: region }
  assert.equal((await kms.fails('UpdatePrimaryRegion', same))[0], 'validation')
})

test('a primary waits for its replicas to go, and its own time begins then', async () => {
  const primary = await primaryKey()
  const KeyId = primary.keyId
  await replicated(primary)
  const scheduled = await kms.ok('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
  assert.equal(scheduled['KeyState'], 'PendingReplicaDeletion')
  assert.equal(scheduled['DeletionDate'], undefined)
  assert.equal(scheduled['PendingWindowInDays'], 7)
  const { KeyMetadata } = await kms.ok('DescribeKey', { KeyId })
  assert.equal(KeyMetadata?.['PendingDeletionWindowInDays'], 7)
  await kms.ok('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 8 }, there)
  const later = kms.now + 8 * day
  const due = keysDue(kms.state, later, 10).filter(({ keyId }) => keyId === KeyId)
  assert.deepEqual(
    due.map((key) => key.region),
    [otherRegion],
  )
  await destroyed(kms, kms.record(KeyId, otherRegion), later)
  const waiting = kms.record(KeyId)
  assert.equal(waiting.state, 'PendingDeletion')
  assert.deepEqual(waiting.deletion, { date: later + 7 * day, windowInDays: 7 })
})

test('a deletion that is scheduled while the last replica goes is decided anew', async () => {
  const primary = await primaryKey()
  const KeyId = primary.keyId
  await replicated(primary)
  await kms.ok('ScheduleKeyDeletion', { KeyId }, there)
  const { changes } = destroyKey(kms.deps, kms.record(KeyId, otherRegion), kms.now)
  await kms.ok('ScheduleKeyDeletion', { KeyId })
  assert.equal(kms.record(KeyId).state, 'PendingReplicaDeletion')
  await assert.rejects(kms.commit(changes), { name: 'StoreConflict' })
  await destroyed(kms, kms.record(KeyId, otherRegion), kms.now)
  assert.equal(kms.record(KeyId).state, 'PendingDeletion')
})

test('a replica that is destroyed takes its material along, and the primary goes on', async () => {
  const primary = await primaryKey()
  const KeyId = primary.keyId
  await replicated(primary)
  await kms.ok('ScheduleKeyDeletion', { KeyId }, there)
  const sealed = await kms.ok('Encrypt', { KeyId, Plaintext: Buffer.from('x') })
  await destroyed(kms, kms.record(KeyId, otherRegion), kms.now)
  await kms.ok('Decrypt', { CiphertextBlob: sealed.CiphertextBlob })
  assert.equal((await kms.fails('DescribeKey', { KeyId }, there))[0], 'not-found')
  const [materialId = ''] = [primary.currentMaterialId]
  assert.ok(kms.state.hasMaterial(region, primary.keyId, materialId))
  assert.ok(!kms.state.hasMaterial(otherRegion, primary.keyId, materialId))
})

test('a replica of an imported key waits for the material', async () => {
  const waiting = await primaryKey({ Origin: 'EXTERNAL' })
  const request = { KeyId: waiting.keyId, ReplicaRegion: otherRegion }
  assert.equal((await kms.fails('ReplicateKey', request))[0], 'invalid-state')
  const materialId = 'a'.repeat(64)
  const primary = await kms.change(waiting, {
    state: 'Enabled',
    currentMaterialId: materialId,
    materials: [{ materialId, state: 'CURRENT', imported: { state: 'IMPORTED' } }],
  })
  const replica = await replicated(primary)
  assert.equal(replica.state, 'PendingImport')
  assert.equal(replica.materials?.[0]?.imported?.state, 'PENDING_IMPORT')
  assert.deepEqual(kms.state.materialsOf(replica), [])
})

async function destroyed(house: TestKms, key: KeyRecord, now: number): Promise<void> {
  await house.commit(destroyKey(house.deps, key, now).changes)
}
