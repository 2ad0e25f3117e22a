import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { conditionKeyOf } from '../../authorize/condition-keys.ts'
import { account, House, region } from '../../testing/house.ts'
import type { CallContext, Service } from '../operation.ts'

const Plaintext = Buffer.from('text').toString('base64')
const throughS3 = `s3.${region}.amazonaws.com`

/** A key that only S3 may use, for callers of the account; `seen` has the context of every call on KMS. */
async function world(t: TestContext) {
  const seen: CallContext[] = []
  const house = await House.open(t, {
    services: (known) => known.map((service) => watched(service, seen)),
  })
  const statement = { Effect: 'Allow', Principal: { AWS: '*' }, Resource: '*' }
  const KeyId = await house.newKey({
    Policy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { ...statement, Action: ['kms:PutKeyPolicy', 'kms:DescribeKey'] },
        ...[
          { StringEquals: { 'kms:ViaService': throughS3 } },
          { Bool: { 'aws:ViaAWSService': 'true' } },
          { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
          { Bool: { 'aws:PrincipalIsAWSService': 'true' } },
          { 'ForAnyValue:StringLike': { 'aws:CalledVia': '*' } },
          { StringLike: { 'aws:CalledViaFirst': '*' } },
          { StringLike: { 'aws:CalledViaLast': '*' } },
        ].map((Condition) => ({ ...statement, Action: 'kms:*', Condition })),
      ],
    }),
  })
  return { house, KeyId, seen }
}

function watched(service: Service, seen: CallContext[]): Service {
  if (service.signingName !== 'kms') return service
  const operations = [...service.operations].map(([name, operation]) => {
    const resolve: typeof operation.resolve = (call, input, deps) => {
      seen.push(call)
      return operation.resolve(call, input, deps)
    }
    return [name, { ...operation, resolve }] as const
  })
  return { ...service, operations: new Map(operations) }
}

/** What might be taken for a statement that a service makes the call. */
const claims = [
  ...['kms:ViaService', 'ViaService', 'X-Amz-Via', 'X-Amz-Via-Service', 'Via', 'viaService'],
  ...['aws:ViaAWSService', 'aws:CalledVia', 'X-Amz-Called-Via', 'CalledVia', 'calledVia', 'via'],
  ...['aws:CalledViaFirst', 'aws:CalledViaLast', 'kms:GrantIsForAWSResource', 'globalConditions'],
  ...['X-Amz-Source-Arn', 'X-Amz-Source-Account', 'X-Amz-Forwarded-For', 'delayedConditions'],
]
const values = ['true', 's3', 's3.amazonaws.com', throughS3, '{"name":"s3","region":"us-east-1"}']
const isHeaderName = /^[\w-]+$/

test('no header, member or parameter says that a service makes a call', async (t) => {
  const { house, KeyId, seen } = await world(t)
  const alice = await house.addUser({ name: 'alice' })
  const input = { KeyId, Plaintext }
  const attempt = async (request: ReturnType<House['request']>, what: string) => {
    const { error } = await house.send(request)
    assert.ok(
      error === 'AccessDeniedException' || error === 'SerializationException',
      `${what}: ${error}`,
    )
  }
  const headers = [
    ['Content-Type', 'application/x-amz-json-1.1'],
    ['X-Amz-Target', 'TrentService.Encrypt'],
  ] as const
  for (const claim of claims) {
    for (const value of values) {
      for (const key of [house.key, alice]) {
        const body = { ...input, [claim]: value, EncryptionContext: { [claim]: value } }
        await attempt(house.request('Encrypt', body, { key }), `member ${claim}`)
        if (!isHeaderName.test(claim)) continue
        const claimed = { key, headers: [...headers, [claim, value] as const] }
        await attempt(house.request('Encrypt', input, claimed), `header ${claim}`)
      }
    }
  }
  const agents = values.map((value) => [...headers, ['User-Agent', value] as const])
  for (const each of agents) {
    await attempt(house.request('Encrypt', input, { headers: each }), 'user agent')
  }
  assert.ok(seen.length > 200, String(seen.length))
  for (const { via, globalConditions, delayedConditions } of seen) {
    for (const name of Object.keys(globalConditions)) assert.ok(conditionKeyOf(name), name)
    assert.equal(via, undefined)
    assert.equal(delayedConditions, undefined)
    assert.equal(globalConditions['aws:ViaAWSService'], 'false')
    assert.equal(globalConditions['aws:PrincipalIsAWSService'], 'false')
    const called = Object.keys(globalConditions).filter((name) => /calledvia/i.test(name))
    assert.deepEqual(called, [])
  }
})

test('the key of a service is for its calls alone, whatever identity policies say', async (t) => {
  const { house } = await world(t)
  const allowed = { Effect: 'Allow', Action: 'kms:*', Resource: '*' }
  const policies = [{ Version: '2012-10-17', Statement: allowed }]
  const alice = await house.addUser({ name: 'alice', policies })
  const { KeyMetadata } = await house.ok('DescribeKey', { KeyId: 'alias/aws/s3' }, { key: alice })
  const { KeyId } = KeyMetadata as { KeyId: string }
  for (const key of [house.key, alice]) {
    const call = async (operation: string, input: object) =>
      (await house.call(operation, { KeyId, ...input }, { key })).error
    assert.equal(await call('Encrypt', { Plaintext }), 'AccessDeniedException')
    assert.equal(await call('GenerateDataKey', { KeySpec: 'AES_256' }), 'AccessDeniedException')
    const grant = { GranteePrincipal: alice.arn, Operations: ['Decrypt'] }
    assert.equal(await call('CreateGrant', grant), 'AccessDeniedException')
    assert.equal(await call('GetKeyPolicy', {}), undefined)
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ ...allowed, Principal: { AWS: account } }],
    })
    assert.equal(await call('PutKeyPolicy', { Policy }), 'AccessDeniedException')
  }
})
