import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ServiceError } from './base/errors.ts'
import type { CallContext } from './services/operation.ts'
import { account, House, otherAccount, region } from './testing/house.ts'

const via = { name: 's3', region }
const viaOnly = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${account}:root` },
      Action: ['kms:CreateKey', 'kms:PutKeyPolicy', 'kms:Describe*'],
      Resource: '*',
    },
    {
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action: 'kms:GenerateDataKey',
      Resource: '*',
      Condition: { StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` } },
    },
  ],
}

async function open(context: TestContext) {
  const house = await House.open(context)
  const keyId = await house.newKey({ Policy: JSON.stringify(viaOnly) })
  const permission = { Effect: 'Allow', Action: 'kms:*', Resource: '*' }
  const policies = [{ Version: '2012-10-17', Statement: [permission] }]
  const user = await house.addUser({ name: 'reader', policies })
  const asked = { service: 'kms', operation: 'GenerateDataKey', input: dataKeyOf(keyId) }
  return { house, keyId, user, asked, outer: outerOf(house, user.accessKeyId) }
}

const dataKeyOf = (KeyId: string) => ({ KeyId, KeySpec: 'AES_256' })

/** As a service of the deployment has it while it serves that caller. */
function outerOf(house: House, accessKeyId: string): CallContext {
  const caller = house.caller(accessKeyId)
  const globalConditions = { 'aws:SourceIp': '192.0.2.7', 'aws:ViaAWSService': 'false' }
  return { caller, region, now: house.clock.now(), requestId: 'OUTER', globalConditions }
}

const isRefused = (code: string) => (error: unknown) =>
  error instanceof ServiceError && error.code === code

test('a service uses a key for its caller by leave of a policy that no call from outside fulfils', async (context) => {
  const { house, keyId, user, asked, outer } = await open(context)
  const direct = await house.call('GenerateDataKey', dataKeyOf(keyId), { key: user })
  assert.equal(direct.error, 'AccessDeniedException')
  const output = (await house.assembly.inner.make(outer, via, asked)) as {
    Plaintext: Buffer
    KeyId: string
  }
  assert.equal(output.Plaintext.length, 32)
  assert.ok(output.KeyId.endsWith(keyId))
  const event = house.journal.events.at(-1)
  assert.equal(event?.eventName, 'GenerateDataKey')
  assert.equal(event?.userIdentity['arn'], user.arn)
  assert.equal(event?.userIdentity['invokedBy'], 's3.amazonaws.com')
  assert.equal(event?.sourceIPAddress, 's3.amazonaws.com')
  assert.equal(event?.additionalEventData?.['callingService'], 's3.amazonaws.com')
  assert.equal(event?.additionalEventData?.['callingRequestID'], 'OUTER')
  assert.notEqual(event?.requestID, 'OUTER')
})

test('who may not is refused and recorded, as when calling', async (context) => {
  const { house, asked } = await open(context)
  const outer = outerOf(house, house.otherKey.accessKeyId)
  const stranger = house.assembly.inner.make(outer, via, asked)
  await assert.rejects(stranger, isRefused('not-found'))
  const [last] = house.journal.events.slice(-1)
  assert.equal(last?.recipientAccountId, otherAccount)
  assert.equal(last?.errorCode, 'NotFoundException')
  assert.equal(last?.additionalEventData?.['callingRequestID'], 'OUTER')
})

test('the caller’s address stays a condition, and a Deny of it holds on this way', async (context) => {
  const { house, asked, user, outer } = await open(context)
  const deny = {
    Effect: 'Deny',
    Action: 'kms:*',
    Resource: '*',
    Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } },
  }
  const barred = await house.addUser({
    name: 'barred',
    policies: [{ Version: '2012-10-17', Statement: [deny] }],
  })
  assert.ok(await house.assembly.inner.make(outer, via, asked))
  const refused = house.assembly.inner.make(outerOf(house, barred.accessKeyId), via, asked)
  await assert.rejects(refused, isRefused('access-denied'))
  assert.notEqual(user.arn, barred.arn)
})

test('without a record there is no result', async (context) => {
  const { house, asked, outer } = await open(context)
  house.journal.break('the disk is gone')
  await assert.rejects(house.assembly.inner.make(outer, via, asked), isRefused('internal'))
})

test('whether a call would be made is decided like the call, and leaves no trace', async (context) => {
  const { house, keyId, asked, outer } = await open(context)
  const arn = `arn:aws:kms:${region}:${account}:key/${keyId}`
  const before = house.journal.events.length
  const would = () => house.assembly.inner.would(outer, via, asked)
  assert.deepEqual(
    (await would())?.map(({ ARN }) => ARN),
    [arn],
  )
  const stranger = outerOf(house, house.otherKey.accessKeyId)
  assert.equal(await house.assembly.inner.would(stranger, via, asked), undefined)
  assert.equal(await house.assembly.inner.would(outer, { name: 'ebs', region }, asked), undefined)
  const unknown = { ...asked, input: dataKeyOf('alias/none') }
  assert.equal(await house.assembly.inner.would(outer, via, unknown), undefined)
  assert.equal(house.journal.events.length, before)

  await house.ok('PutKeyPolicy', {
    KeyId: keyId,
    Policy: JSON.stringify({ ...viaOnly, Statement: viaOnly.Statement.slice(0, 1) }),
  })
  assert.equal(await would(), undefined)
})

test('only what knows dry runs can be asked so', async (context) => {
  const { house, keyId, outer } = await open(context)
  const asked = { service: 'kms', operation: 'DescribeKey', input: { KeyId: keyId } }
  await assert.rejects(house.assembly.inner.would(outer, via, asked), isRefused('internal'))
})
