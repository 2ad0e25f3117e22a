import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAccountId } from '../base/ids.ts'
import { newCore } from '../hsm/testing/fixtures.ts'
import { Identities } from '../identities/identities.ts'
import { createMemoryStore } from '../storage/memory/store.ts'
import { Mirror } from '../storage/mirror.ts'
import { Accounts, newAccessKey } from './accounts.ts'

test('access keys have the form of AWS, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 30, maxLength: 30 }), (bytes) => {
      const random = {
        bytes: (count: number) => Buffer.from(bytes.slice(0, count)),
        uuid: () => '',
      }
      const { accessKeyId, secretAccessKey } = newAccessKey(random)
      assert.match(accessKeyId, /^AKIA[A-Z2-7]{16}$/)
      assert.deepEqual(Buffer.from(secretAccessKey, 'base64'), Buffer.from(bytes))
    }),
  )
})

test('an account is there once its rows are committed, its secret sealed', async (t) => {
  const mirror = new Mirror(createMemoryStore())
  const identities = new Identities(mirror)
  const accounts = new Accounts(mirror, identities)
  await mirror.load()
  const account = parseAccountId('111122223333')
  assert.ok(account !== undefined)
  const key = { accessKeyId: 'AKIAEXAMPLEEXAMPLE00', secretAccessKey: 'a secret of the root user' }
  const puts = await accounts.create(account, key, 5, newCore(t))
  assert.equal(accounts.exists(account), false)
  await mirror.commit(puts, [])
  assert.deepEqual([accounts.exists(account), accounts.size], [true, 1])
  const { sealedSecret, ...record } = identities.accessKey(key.accessKeyId) ?? {}
  assert.deepEqual(record, {
    accessKeyId: key.accessKeyId,
    status: 'Active',
    account,
    createdAt: 5,
  })
  assert.ok(!Buffer.from(sealedSecret ?? '', 'base64').includes(key.secretAccessKey))
  assert.equal(accounts.deployment, undefined)
})
