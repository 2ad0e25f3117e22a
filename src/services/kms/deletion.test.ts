import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreConflict } from '../../storage/port.ts'
import { destroyKey, keysDue } from './deletion.ts'
import { arnOf } from './key.ts'
import { account, TestKms } from './testing/test-kms.ts'

const day = 86_400_000

test('a key is due when its waiting period is over, unless that is cancelled', async () => {
  const kms = new TestKms()
  const week = await kms.key()
  const month = await kms.key()
  const cancelled = await kms.key()
  await kms.key()
  await kms.ok('ScheduleKeyDeletion', { KeyId: week.keyId, PendingWindowInDays: 7 })
  await kms.ok('ScheduleKeyDeletion', { KeyId: month.keyId })
  await kms.ok('ScheduleKeyDeletion', { KeyId: cancelled.keyId, PendingWindowInDays: 7 })
  await kms.ok('CancelKeyDeletion', { KeyId: cancelled.keyId })
  assert.equal([...kms.state.pendingDeletion()].length, 2)
  const due = (days: number, limit = 10) =>
    keysDue(kms.state, kms.now + days * day, limit).map((key) => key.keyId)
  assert.deepEqual(due(0), [])
  assert.deepEqual(keysDue(kms.state, kms.now + 7 * day - 1, 10), [])
  assert.deepEqual(due(7), [week.keyId])
  assert.deepEqual(due(30), [week.keyId, month.keyId])
  assert.deepEqual(due(30, 1), [week.keyId])
})

test('a key whose deletion is cancelled between finding it and destroying it stays', async () => {
  const kms = new TestKms()
  const { keyId: KeyId } = await kms.key()
  await kms.ok('ScheduleKeyDeletion', { KeyId })
  const [due] = keysDue(kms.state, kms.now + 30 * day, 1)
  assert.ok(due)
  const { changes } = destroyKey(kms.deps, due, kms.now)
  await kms.ok('CancelKeyDeletion', { KeyId })
  assert.throws(() => destroyKey(kms.deps, due, kms.now), StoreConflict)
  await assert.rejects(kms.commit(changes), StoreConflict)
  assert.equal(kms.record(KeyId).state, 'Disabled')
})

test('a destroyed key leaves nothing behind, and its event says so', async () => {
  const kms = new TestKms()
  const other = await kms.key()
  const key = await kms.key()
  await kms.ok('CreateAlias', { AliasName: 'alias/other', TargetKeyId: other.keyId })
  for (const name of ['alias/one', 'alias/two']) {
    await kms.ok('CreateAlias', { AliasName: name, TargetKeyId: key.keyId })
  }
  const { CiphertextBlob } = await kms.ok('Encrypt', {
    KeyId: key.keyId,
    Plaintext: Buffer.from('x'),
  })
  await kms.ok('ScheduleKeyDeletion', { KeyId: key.keyId })
  const { changes, event } = destroyKey(kms.deps, kms.record(key.keyId), kms.now)
  assert.deepEqual(event, {
    eventSource: 'kms.amazonaws.com',
    eventName: 'DeleteKey',
    account,
    region: 'us-east-1',
    resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN: arnOf(key) }],
  })
  await kms.commit(changes)
  const { state } = kms
  assert.deepEqual([state.keys.size, state.aliases.size, state.materials.size], [1, 1, 1])
  assert.deepEqual(keysDue(state, kms.now + 30 * day, 10), [])
  assert.equal((await kms.fails('DescribeKey', { KeyId: key.keyId }))[0], 'not-found')
  assert.equal((await kms.fails('Decrypt', { CiphertextBlob }))[0], 'access-denied')
  await kms.ok('CreateAlias', { AliasName: 'alias/one', TargetKeyId: other.keyId })
})
