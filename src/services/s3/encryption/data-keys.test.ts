import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '../../../base/errors.ts'
import { account, otherAccount, region } from '../../../testing/house.ts'
import { bucket, encryptionSite, key, kmsChoice, refused } from '../testing/encryption-site.ts'
import { wipeKeys } from './data-keys.ts'

const s3Alone = {
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' },
}
const arnOf = (keyId: string, owner: string = account) =>
  `arn:aws:kms:${region}:${owner}:key/${keyId}`
const sealedByDefault = { mode: 'AES256', byDefault: true } as const

test('SSE-S3: the core seals and opens, and KMS is not asked', async (t) => {
  const site = await encryptionSite(t)
  const made = await site.make(sealedByDefault)
  assert.deepEqual(made.stored, sealedByDefault)
  assert.deepEqual(await site.open(made), made.dataKeys)
  assert.equal(made.dataKeys[0].length, 32)
  assert.equal(made.wrapped[0]?.includes(made.dataKeys[0]), false)
  const again = await site.make(sealedByDefault)
  assert.notDeepEqual(again.dataKeys, made.dataKeys)
  assert.deepEqual(site.recorded(), [])
})

test('a key is found by its id, its ARN, its alias and the ARN of that, and stored as its ARN', async (t) => {
  const site = await encryptionSite(t)
  const keyId = await site.house.newKey()
  await site.house.ok('CreateAlias', { AliasName: 'alias/mine', TargetKeyId: keyId })
  site.recorded()
  const names = [keyId, arnOf(keyId), 'alias/mine', `arn:aws:kms:${region}:${account}:alias/mine`]
  for (const name of names) {
    const made = await site.make(kmsChoice(name, { context: { a: 'b' } }))
    assert.deepEqual(made.stored, {
      ...{ mode: 'aws:kms', keyArn: arnOf(keyId), context: { a: 'b' } },
      ...{ bucketKey: false, byDefault: false },
    })
    assert.deepEqual(await site.open(made), made.dataKeys)
    assert.deepEqual(site.recorded(), ['GenerateDataKey', 'Decrypt'])
  }
  const { requestParameters, additionalEventData } = site.house.journal.events.at(-1) ?? {}
  assert.deepEqual(requestParameters?.['encryptionContext'], {
    a: 'b',
    'aws:s3:arn': `arn:aws:s3:::bucket/${key}`,
  })
  assert.equal(additionalEventData?.['callingRequestID'], 'REQUEST')
})

test('what KMS refuses, S3 answers behind KMS., in its words', async (t) => {
  const site = await encryptionSite(t)
  const keyId = await site.house.newKey()
  const asymmetric = await site.house.newKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
  const made = await site.make(kmsChoice(keyId))
  const unknown = '00000000-0000-4000-8000-000000000000'
  const fails = async (name: string, code: string, text: string | RegExp) =>
    assert.rejects(site.make(kmsChoice(name)), refused(code, text))
  await fails('fake-key-id', 'KMS.NotFoundException', "Invalid keyId 'fake-key-id'")
  await fails('aws/s3', 'KMS.NotFoundException', "Invalid keyId 'aws/s3'")
  await fails(unknown, 'KMS.NotFoundException', `Key '${arnOf(unknown)}' does not exist`)
  await fails(arnOf(unknown), 'KMS.NotFoundException', `Key '${arnOf(unknown)}' does not exist`)
  const elsewhere = arnOf(keyId).replace(region, 'us-west-2')
  await fails(elsewhere, 'KMS.NotFoundException', 'Invalid arn us-west-2')
  await fails(asymmetric, 'KMS.InvalidKeyUsageException', /SIGN_VERIFY/)
  await fails(arnOf(keyId, otherAccount), 'AccessDenied', /kms:GenerateDataKey/)

  await site.house.ok('DisableKey', { KeyId: keyId })
  await fails(keyId, 'KMS.DisabledException', `${arnOf(keyId)} is disabled.`)
  const disabled = refused('KMS.DisabledException', `${arnOf(keyId)} is disabled.`)
  await assert.rejects(site.open(made), disabled)
  await site.house.ok('ScheduleKeyDeletion', { KeyId: keyId, PendingWindowInDays: 7 })
  const pending = `${arnOf(keyId)} is pending deletion.`
  await fails(keyId, 'KMS.KMSInvalidStateException', pending)
  await assert.rejects(site.open(made), refused('KMS.KMSInvalidStateException', pending))
})

test('permissions are the caller’s, and the denial is that of KMS', async (t) => {
  const site = await encryptionSite(t)
  const keyId = await site.house.newKey()
  const alice = await site.house.addUser({ name: 'alice', policies: [s3Alone] })
  const made = await site.make(kmsChoice(keyId))
  site.recorded()
  const text = (permission: string) =>
    `User: ${alice.arn} is not authorized to perform: ${permission} on resource: ${arnOf(keyId)} because no ` +
    `identity-based policy allows the ${permission} action`
  const denied = refused('AccessDenied', text('kms:GenerateDataKey'))
  await assert.rejects(site.make(kmsChoice(keyId), { by: alice }), denied)
  const notRead = refused('AccessDenied', text('kms:Decrypt'))
  await assert.rejects(site.open(made, { by: alice }), notRead)
  assert.deepEqual(site.recorded(), ['GenerateDataKey: AccessDenied', 'Decrypt: AccessDenied'])
})

test('throttling and failures of KMS come through', async (t) => {
  for (const [code, name] of [
    ['throttled', 'SlowDown'],
    ['key-unavailable', 'KMS.KeyUnavailableException'],
    ['unavailable', 'ServiceUnavailable'],
    ['internal', 'InternalError'],
  ] as const) {
    const kms = () => Promise.reject(new ServiceError(code))
    const site = await encryptionSite(t, (deps) => ({ ...deps, kms }))
    await assert.rejects(site.make(kmsChoice('any')), refused(name))
  }
})

test('the AWS managed key is made when it is first used, by whoever may use S3', async (t) => {
  const site = await encryptionSite(t)
  const alice = await site.house.addUser({ name: 'alice', policies: [s3Alone] })
  const bob = await site.house.addUser({ name: 'bob', policies: [s3Alone] })
  site.recorded()
  const first = await Promise.all([
    site.make(kmsChoice(undefined), { by: alice }),
    site.make(kmsChoice('alias/aws/s3'), { by: bob }),
    site.make(kmsChoice(`arn:aws:kms:${region}:${account}:alias/aws/s3`), { by: alice }),
  ])
  assert.equal(site.recorded().filter((each) => each === 'CreateKey').length, 1)
  const [{ stored }] = first
  assert.ok(stored.mode === 'aws:kms')
  for (const made of first) assert.deepEqual(made.stored, { ...stored })
  const { KeyMetadata } = await site.house.ok('DescribeKey', { KeyId: 'alias/aws/s3' })
  const { Arn, KeyManager } = KeyMetadata as { Arn: string; KeyManager: string }
  assert.equal(Arn, stored.keyArn)
  assert.equal(KeyManager, 'AWS')
  site.recorded()
  assert.deepEqual(await site.open(first[1], { by: alice }), first[1].dataKeys)
  await site.make(kmsChoice(undefined), { by: alice })
  assert.deepEqual(site.recorded(), ['Decrypt', 'GenerateDataKey'])

  // Another account has one of its own, and cannot use this one.
  const other = await site.make(kmsChoice(undefined), { by: site.house.otherKey })
  assert.ok(other.stored.mode === 'aws:kms')
  assert.notEqual(other.stored.keyArn, stored.keyArn)
  assert.match(other.stored.keyArn, new RegExp(`:${otherAccount}:`))
  await assert.rejects(site.open(first[0], { by: site.house.otherKey }), refused('AccessDenied'))
})

test('who is denied all of KMS makes no managed key', async (t) => {
  const site = await encryptionSite(t)
  const Deny = { Effect: 'Deny', Action: 'kms:*', Resource: '*' }
  const policies = [s3Alone, { Version: '2012-10-17', Statement: Deny }]
  const mallory = await site.house.addUser({ name: 'mallory', policies })
  const denied = refused('AccessDenied', /explicit deny/)
  await assert.rejects(site.make(kmsChoice(undefined), { by: mallory }), denied)
  assert.equal(site.house.state.keys.size, 0)
})

test('DSSE: two data keys of one KMS key, each with a call of its own', async (t) => {
  const site = await encryptionSite(t)
  const keyId = await site.house.newKey()
  site.recorded()
  const made = await site.make(kmsChoice(keyId, { mode: 'aws:kms:dsse' }))
  assert.deepEqual(site.recorded(), ['GenerateDataKey', 'GenerateDataKey'])
  const [inner, outer] = made.dataKeys
  assert.ok(outer !== undefined && !inner.equals(outer))
  assert.deepEqual(await site.open(made), [inner, outer])
  assert.deepEqual(site.recorded(), ['Decrypt', 'Decrypt'])
  // One layer of two, or two of one, is none of these objects.
  const [wrapped = Buffer.alloc(0)] = made.wrapped
  const damage = refused('InternalError')
  await assert.rejects(site.open({ ...made, wrapped: [wrapped] }), damage)
  const single = { ...made.stored, mode: 'aws:kms' } as typeof made.stored
  await assert.rejects(site.open({ wrapped: made.wrapped, stored: single }), damage)
})

test('DSSE: both halves are refused when the alias moved between them, and the first is wiped', async (t) => {
  const seen: Buffer[] = []
  let between = async () => {}
  const site = await encryptionSite(t, (deps) => ({
    ...deps,
    kms: async (call, operation, input) => {
      const answer = (await deps.kms(call, operation, input)) as { Plaintext: Buffer }
      seen.push(answer.Plaintext)
      await between()
      return answer
    },
  }))
  const keyId = await site.house.newKey()
  const next = await site.house.newKey()
  await site.house.ok('CreateAlias', { AliasName: 'alias/mine', TargetKeyId: keyId })
  between = async () => {
    await site.house.ok('UpdateAlias', { AliasName: 'alias/mine', TargetKeyId: next })
  }
  const chosen = kmsChoice('alias/mine', { mode: 'aws:kms:dsse' })
  await assert.rejects(site.make(chosen), refused('OperationAborted'))
  assert.equal(seen.length, 2)
  for (const each of seen) assert.deepEqual(each, Buffer.alloc(32))

  between = async () => {
    await site.house.ok('DisableKey', { KeyId: next })
  }
  await assert.rejects(site.make(chosen), refused('KMS.DisabledException'))
  assert.equal(seen.length, 3)
  assert.deepEqual(seen[2], Buffer.alloc(32))
})

test('a wrapped key opens for its object alone', async (t) => {
  const site = await encryptionSite(t)
  const [keyId, otherId] = [await site.house.newKey(), await site.house.newKey()]
  const made = await site.make(kmsChoice(keyId, { context: { a: 'b' } }))
  assert.ok(made.stored.mode === 'aws:kms')
  const damage = refused('InternalError')
  const { stored, wrapped } = made
  await assert.rejects(site.open(made, { key: 'another' }), damage)
  await assert.rejects(site.open(made, { bucket: { ...bucket, name: 'another' } }), damage)
  for (const context of [undefined, { a: 'c' }, { a: 'b', c: 'd' }]) {
    await assert.rejects(site.open({ wrapped, stored: { ...stored, context } }), damage)
  }
  const elsewhere = { ...stored, keyArn: arnOf(otherId) }
  await assert.rejects(site.open({ wrapped, stored: elsewhere }), damage)
  await assert.rejects(site.open({ wrapped, stored: { ...stored, bucketKey: true } }), damage)
  await assert.rejects(site.open({ wrapped, stored: sealedByDefault }), damage)
  const [blob = Buffer.alloc(0)] = wrapped
  const altered = Buffer.from(blob)
  altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1
  await assert.rejects(site.open({ stored, wrapped: [altered] }), damage)
  await assert.rejects(site.open({ stored, wrapped: [Buffer.alloc(0)] }), damage)

  const sealed = await site.make(sealedByDefault)
  const [whole = Buffer.alloc(0)] = sealed.wrapped
  for (const at of [0, 1, 40, whole.length - 1]) {
    const changed = Buffer.from(whole)
    changed[at] = (changed[at] ?? 0) ^ 1
    await assert.rejects(site.open({ stored: sealedByDefault, wrapped: [changed] }), damage)
  }
})

test('keys are wiped together', () => {
  const keys = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
  wipeKeys(keys)
  assert.deepEqual(keys, [Buffer.alloc(32), Buffer.alloc(32)])
})
