import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arnOf } from '../key.ts'
import { lastUsageFrom, trackedOperations } from '../last-usage.ts'
import { account, TestKms } from '../testing/test-kms.ts'

test('a key that was never used has an empty usage', async () => {
  const kms = new TestKms()
  const key = await kms.key()
  assert.deepEqual(await kms.ok('GetKeyLastUsage', { KeyId: key.keyId }), {
    KeyId: arnOf(key),
    KeyLastUsage: {},
    TrackingStartDate: key.createdAt,
    KeyCreationDate: key.createdAt,
  })
})

test('the newest use is told as the record names it', async () => {
  const kms = new TestKms()
  const key = await kms.key()
  const use = { operation: 'Decrypt', time: 1000, eventId: 'event', requestId: 'id' } as const
  kms.uses.set(arnOf(key), use)
  const { KeyLastUsage } = await kms.ok('GetKeyLastUsage', { KeyId: arnOf(key) })
  assert.deepEqual(KeyLastUsage, {
    Operation: 'Decrypt',
    Timestamp: 1000,
    CloudTrailEventId: 'event',
    KmsRequestId: 'id',
  })
})

test('aliases are no names for it, and another account is refused', async () => {
  const kms = new TestKms()
  await kms.key()
  assert.equal((await kms.fails('GetKeyLastUsage', { KeyId: 'alias/one' }))[0], 'not-found')
})

test('it asks the record for the operations that use a key, and for no other', async () => {
  const asked: unknown[] = []
  const usage = lastUsageFrom({
    last: async (query) => {
      asked.push(query)
      return { name: 'Sign', time: 5000, eventId: 'e', requestId: 'r' }
    },
  })
  assert.deepEqual(await usage(account, 'arn'), {
    operation: 'Sign',
    time: 5000,
    eventId: 'e',
    requestId: 'r',
  })
  assert.deepEqual(asked, [{ account, resource: 'arn', names: trackedOperations }])
  assert.equal(await lastUsageFrom({ last: async () => undefined })(account, 'arn'), undefined)
})
