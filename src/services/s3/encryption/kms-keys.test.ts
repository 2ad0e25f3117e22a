import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { systemRandom } from '../../../base/random.ts'
import { account, region } from '../../../testing/house.ts'
import {
  bucket,
  encryptionSite,
  key,
  kmsChoice,
  refused,
  type Site,
} from '../testing/encryption-site.ts'
import { BucketKeys, lifetimeMs } from './bucket-keys.ts'

const arnOf = (keyId: string) => `arn:aws:kms:${region}:${account}:key/${keyId}`
const allow = (Action: string | readonly string[], more: object = {}) => ({
  ...{ Effect: 'Allow', Action, Resource: '*', ...more },
})
const policy = (...Statement: readonly object[]) => ({ Version: '2012-10-17', Statement })

/** A key, a user who may use it, and an object of theirs that both of its bucket keys are there for. */
async function warm(t: TestContext, name?: string) {
  const site = await encryptionSite(t)
  const keyId = await site.house.newKey()
  await site.house.ok('CreateAlias', { AliasName: 'alias/mine', TargetKeyId: keyId })
  const alice = await site.house.addUser({ name: 'alice', policies: [policy(allow('kms:*'))] })
  const chosen = kmsChoice(name ?? keyId, { bucketKey: true })
  const make = () => site.make(chosen, { by: alice })
  const made = await make()
  const open = () => site.open(made, { by: alice })
  assert.deepEqual(await open(), made.dataKeys)
  site.recorded()
  return { site, keyId, alice, chosen, make, open, made }
}

async function worksUnseen({ site, make, open }: Awaited<ReturnType<typeof warm>>) {
  await make()
  await open()
  assert.deepEqual(site.recorded(), [])
}

test('a bucket key serves for many objects, and KMS knows its bucket', async (t) => {
  const warmed = await warm(t)
  const { site, make, made, alice } = warmed
  const [last] = site.house.journal.events.filter(({ eventName }) => eventName === 'Decrypt')
  assert.deepEqual(last?.requestParameters?.['encryptionContext'], {
    'aws:s3:arn': 'arn:aws:s3:::bucket',
  })
  const more = await Promise.all(Array.from({ length: 5 }, make))
  const all = [made, ...more]
  assert.equal(new Set(all.map(({ dataKeys }) => dataKeys[0].toString('hex'))).size, 6)
  for (const each of all) {
    assert.equal(each.stored.mode === 'aws:kms' && each.stored.bucketKey, true)
    const opened = await site.open(each, { by: alice, key: 'whichever' })
    assert.deepEqual(opened, each.dataKeys)
  }
  assert.deepEqual(site.recorded(), [])
})

test('each requester has one of its own, to write and to read', async (t) => {
  const { site, chosen, made } = await warm(t)
  const policies = [policy(allow('kms:*'))]
  const bob = await site.house.addUser({ name: 'bob', policies })
  await site.make(chosen, { by: bob })
  await site.open(made, { by: bob })
  assert.deepEqual(site.recorded(), ['GenerateDataKey', 'Decrypt'])
})

test('who may not use the key gains nothing by a bucket key of others', async (t) => {
  const { site, chosen, made } = await warm(t)
  const mallory = await site.house.addUser({ name: 'mallory', policies: [policy(allow('s3:*'))] })
  await assert.rejects(site.make(chosen, { by: mallory }), refused('AccessDenied'))
  await assert.rejects(site.open(made, { by: mallory }), refused('AccessDenied'))
})

test('another process opens what was wrapped, and so does this one in five minutes', async (t) => {
  const { site, open, make, made, alice } = await warm(t)
  const bucketKeys = new BucketKeys({ clock: site.house.clock, random: systemRandom })
  Object.assign(site.deps, { bucketKeys })
  assert.deepEqual(await open(), made.dataKeys)
  assert.deepEqual(site.recorded(), ['Decrypt'])
  await make()
  assert.deepEqual(site.recorded(), ['GenerateDataKey'])
  site.house.clock.time += lifetimeMs
  await make()
  assert.deepEqual(await open(), made.dataKeys)
  assert.deepEqual(site.recorded(), ['GenerateDataKey', 'Decrypt'])
  assert.ok(alice)
})

test('a key that was disabled is so at the very next call, and recorded', async (t) => {
  const warmed = await warm(t)
  const { site, keyId, make, open, made } = warmed
  await worksUnseen(warmed)
  await site.house.ok('DisableKey', { KeyId: keyId })
  site.recorded()
  const disabled = refused('KMS.DisabledException', `${arnOf(keyId)} is disabled.`)
  await assert.rejects(make(), disabled)
  await assert.rejects(open(), disabled)
  await assert.rejects(open(), disabled)
  const expected = ['GenerateDataKey', 'Decrypt', 'Decrypt'].map(
    (each) => `${each}: DisabledException`,
  )
  assert.deepEqual(site.recorded(), expected)
  await site.house.ok('EnableKey', { KeyId: keyId })
  site.recorded()
  await make()
  assert.deepEqual(await open(), made.dataKeys)
  assert.deepEqual(site.recorded(), ['GenerateDataKey', 'Decrypt'])
  await site.house.ok('ScheduleKeyDeletion', { KeyId: keyId, PendingWindowInDays: 7 })
  await assert.rejects(open(), refused('KMS.KMSInvalidStateException'))
})

test('a policy of the key acts on the very next call', async (t) => {
  const warmed = await warm(t)
  const { site, keyId, alice, make, open } = warmed
  await worksUnseen(warmed)
  const root = { Principal: { AWS: `arn:aws:iam::${account}:root` } }
  const barred = { ...allow('kms:Decrypt', { Principal: { AWS: alice.arn } }), Effect: 'Deny' }
  const Policy = JSON.stringify(policy(allow('kms:*', root), barred))
  await site.house.ok('PutKeyPolicy', { KeyId: keyId, Policy })
  site.recorded()
  await make()
  assert.deepEqual(site.recorded(), [])
  await assert.rejects(open(), refused('AccessDenied', /explicit deny in a resource-based policy/))
  assert.deepEqual(site.recorded(), ['Decrypt: AccessDenied'])
})

test('so does a change of the requester’s policies, and a condition that the request does not meet', async (t) => {
  const site = await encryptionSite(t)
  const keyId = await site.house.newKey()
  const Condition = { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } }
  const policies = [policy(allow('kms:*', { Condition }))]
  const alice = await site.house.addUser({ name: 'alice', policies })
  const chosen = kmsChoice(keyId, { bucketKey: true })
  const made = await site.make(chosen, { by: alice })
  const attempt = { ...site.call(alice), globalConditions: { 'aws:SourceIp': '198.51.100.7' } }
  const { newDataKeys } = await import('./data-keys.ts')
  const elsewhere = newDataKeys(attempt, chosen, { bucket, key }, site.deps)
  await assert.rejects(elsewhere, refused('AccessDenied', /no identity-based policy/))
  assert.deepEqual(await site.open(made, { by: alice }), made.dataKeys)

  const caller = site.call(alice)
  await site.house.removeIdentity(alice.id)
  const gone = newDataKeys(caller, chosen, { bucket, key }, site.deps)
  await assert.rejects(gone, refused('AccessDenied'))
})

test('a grant that is revoked is so at the very next call', async (t) => {
  const site = await encryptionSite(t)
  const keyId = await site.house.newKey()
  const bob = await site.house.addUser({ name: 'bob', policies: [policy(allow('s3:*'))] })
  const grant = { GranteePrincipal: bob.arn, Operations: ['GenerateDataKey', 'Decrypt'] }
  const { GrantId } = await site.house.ok('CreateGrant', { KeyId: keyId, ...grant })
  const chosen = kmsChoice(keyId, { bucketKey: true })
  const made = await site.make(chosen, { by: bob })
  await site.open(made, { by: bob })
  site.recorded()
  await site.make(chosen, { by: bob })
  await site.open(made, { by: bob })
  assert.deepEqual(site.recorded(), [])
  await site.house.ok('RevokeGrant', { KeyId: keyId, GrantId })
  await assert.rejects(site.make(chosen, { by: bob }), refused('AccessDenied'))
  await assert.rejects(site.open(made, { by: bob }), refused('AccessDenied'))
})

test('an alias that was moved names its new key at the very next call', async (t) => {
  const { site, make, open, made } = await warm(t, 'alias/mine')
  const next = await site.house.newKey()
  await site.house.ok('UpdateAlias', { AliasName: 'alias/mine', TargetKeyId: next })
  site.recorded()
  const { stored } = await make()
  assert.equal(stored.mode === 'aws:kms' && stored.keyArn, arnOf(next))
  assert.deepEqual(site.recorded(), ['GenerateDataKey'])
  assert.deepEqual(await open(), made.dataKeys)
  assert.deepEqual(site.recorded(), [])
})

test('what is under a bucket key opens for its bucket, context and KMS key alone', async (t) => {
  const { site, alice, made, keyId } = await warm(t)
  const { stored, wrapped } = made
  assert.ok(stored.mode === 'aws:kms')
  const damage = refused('InternalError')
  const open = (change: object, where: Partial<Parameters<Site['open']>[1]> = {}) =>
    site.open({ wrapped, stored: { ...stored, ...change } }, { by: alice, ...where })
  await assert.rejects(open({}, { bucket: { ...bucket, name: 'another' } }), damage)
  await assert.rejects(open({ context: { a: 'b' } }), damage)
  await assert.rejects(open({ keyArn: arnOf(await site.house.newKey()) }), damage)
  await assert.rejects(open({ bucketKey: false }), damage)
  // Of a bucket of the same name that was made later the bytes are not there; the wrapped key is the same.
  assert.deepEqual(await open({}, { bucket: { ...bucket, storeId: 'later' } }), made.dataKeys)

  // A bucket key of another, under which this data key is not.
  const other = await site.make(kmsChoice(keyId, { bucketKey: true }))
  const [mine = Buffer.alloc(0), theirs = Buffer.alloc(0)] = [wrapped[0], other.wrapped[0]]
  const mixed = Buffer.concat([mine.subarray(0, 61), theirs.subarray(61)])
  await assert.rejects(site.open({ stored, wrapped: [mixed] }, { by: alice }), damage)
})
