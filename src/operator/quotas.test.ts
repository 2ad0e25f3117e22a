import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { systemRandom } from '../base/random.ts'
import { account, House, otherAccount } from '../testing/house.ts'
import { query } from '../testing/query-calls.ts'
import type { OperatorDeps } from './commands.ts'
import { quotaCommands } from './quota-commands.ts'

async function opened(t: TestContext) {
  const house = await House.open(t)
  const unused = {} as never
  const commands = quotaCommands({
    ...house,
    ...{ domainKeys: unused, endpoint: unused, keys: unused, runDirectory: '' },
    random: systemRandom,
  } as unknown as OperatorDeps)
  const run = async (name: string, input: object = {}) =>
    (await commands[name]?.({ operator: 'mona', ...input }, () => {})) as Record<string, unknown>
  return { house, run }
}

const refused = (message: string | RegExp) => ({ name: 'OperatorError', message })

test('a request quota acts on the next call, for its account alone, and SDKs are told to wait', async (t) => {
  const { house, run } = await opened(t)
  const KeyId = await house.newKey()
  for (let n = 0; n < 20; n++) await house.ok('DescribeKey', { KeyId })
  const set = await run('quota-set', { name: 'requests/DescribeKey', value: '2', account })
  assert.deepEqual(set, { name: 'requests/DescribeKey', account, value: 2 })
  await house.ok('DescribeKey', { KeyId })
  await house.ok('DescribeKey', { KeyId })
  const { status, error, message } = await house.call('DescribeKey', { KeyId })
  assert.deepEqual(
    [status, error, message],
    [
      400,
      'ThrottlingException',
      'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
    ],
  )
  await house.ok('ListKeys', {})
  await house.ok('Encrypt', { KeyId, Plaintext: 'AAAA' })
  house.clock.time += 500
  await house.ok('DescribeKey', { KeyId })
  await run('quota-unset', { name: 'requests/DescribeKey', account })
  for (let n = 0; n < 20; n++) await house.ok('DescribeKey', { KeyId })
})

test('cryptographic operations draw from one pool, and everybody has a quota where no account is named', async (t) => {
  const { house, run } = await opened(t)
  const KeyId = await house.newKey()
  await run('quota-set', { name: 'requests/cryptographic-symmetric', value: '2' })
  await house.ok('Encrypt', { KeyId, Plaintext: 'AAAA' })
  await house.ok('GenerateRandom', { NumberOfBytes: 8 })
  const { error } = await house.call('GenerateDataKey', { KeyId, KeySpec: 'AES_256' })
  assert.equal(error, 'ThrottlingException')
  const other = await house.call('GenerateRandom', { NumberOfBytes: 8 }, { key: house.otherKey })
  assert.equal(other.status, 200)
})

test('a resource quota acts on the next call', async (t) => {
  const { house, run } = await opened(t)
  await house.newKey()
  await run('quota-set', { name: 'keys', value: '1' })
  assert.equal((await house.call('CreateKey', {})).error, 'LimitExceededException')
  await run('quota-unset', { name: 'keys' })
  await house.newKey()
})

test('every change is recorded with who made it', async (t) => {
  const { house, run } = await opened(t)
  await run('quota-set', { name: 'keys', value: '7' })
  await run('quota-unset', { name: 'keys' })
  await run('quota-unset', { name: 'keys' })
  const shown = house.journal.events.map(({ eventName, serviceEventDetails }) => [
    eventName,
    serviceEventDetails,
  ])
  assert.deepEqual(shown, [
    ['SetQuota', { name: 'keys', value: 7, account: 'all' }],
    ['UnsetQuota', { name: 'keys', account: 'all' }],
  ])
})

test('what makes no sense is refused and changes nothing', async (t) => {
  const { house, run } = await opened(t)
  const set = (input: object) => run('quota-set', input)
  await assert.rejects(set({ name: 'nothing', value: '1' }), refused(/no quota 'nothing'/))
  await assert.rejects(set({ name: 'keys', value: 'many' }), refused(/a number from 0/))
  await assert.rejects(set({ name: 'keys', value: '-1' }), refused(/a number from 0/))
  await assert.rejects(set({ name: 'keys', value: '1.5' }), refused('keys is a whole number.'))
  await assert.rejects(
    set({ name: 'keys', value: '1', account: otherAccount }),
    refused('keys holds for all accounts alike.'),
  )
  await assert.rejects(
    set({ name: 'requests/Encrypt', value: '1' }),
    refused(/no quota 'requests\/Encrypt'/),
  )
  await assert.rejects(
    set({ name: 'requests/ListKeys', value: '1', account: '999999999999' }),
    refused('There is no account 999999999999.'),
  )
  assert.deepEqual(house.quotas.settings(), [])
  assert.equal(house.journal.events.length, 0)
})

test('the list shows values, AWS’s own, and what accounts have', async (t) => {
  const { run } = await opened(t)
  await run('quota-set', { name: 'requests/ListKeys', value: '9', account })
  const { quotas } = await run('quota-list')
  const byName = new Map(
    (quotas as { name: string; value?: number; aws?: number; accounts: unknown }[]).map((each) => [
      each.name,
      [each.value, each.aws, each.accounts],
    ]),
  )
  assert.deepEqual(byName.get('keys'), [100_000, 100_000, []])
  assert.deepEqual(byName.get('requests/ListKeys'), [undefined, 500, [{ account, value: 9 }]])
  assert.deepEqual(byName.get('requests/cryptographic-rsa'), [undefined, 1000, []])
})

test('a caller beyond a quota learns nothing of keys that are not shared, and a retry is not charged', async (t) => {
  const { house, run } = await opened(t)
  const KeyId = await house.newKey()
  const arn = (id: string) => `arn:aws:kms:us-east-1:${account}:key/${id}`
  await run('quota-set', { name: 'requests/cryptographic-symmetric', value: '0' })
  const stranger = { key: house.otherKey }
  const answers = await Promise.all(
    [KeyId, '00000000-0000-4000-8000-000000000000'].map((id) =>
      house.call('Encrypt', { KeyId: arn(id), Plaintext: 'AAAA' }, stranger),
    ),
  )
  assert.deepEqual(
    answers.map(({ error }) => error),
    ['AccessDeniedException', 'AccessDeniedException'],
  )
})

test('ReEncrypt draws from the pool of the key that it reads from', async (t) => {
  const { house, run } = await opened(t)
  const KeyId = await house.newKey()
  const { CiphertextBlob } = await house.ok('Encrypt', { KeyId, Plaintext: 'AAAA' })
  await run('quota-set', { name: 'requests/cryptographic-symmetric', value: '0' })
  const { error } = await house.call('ReEncrypt', { CiphertextBlob, DestinationKeyId: KeyId })
  assert.equal(error, 'ThrottlingException')
})

const slower = [400, 'Throttling', 'Rate exceeded']

for (const [service, other, operations] of [
  ['sts', 'iam', ['GetCallerIdentity', 'GetSessionToken']],
  ['iam', 'sts', ['ListUsers', 'GetAccountSummary']],
] as const) {
  test(`all operations of ${service} draw from one pool of an account`, async (t) => {
    const { house, run } = await opened(t)
    const [first, second] = operations
    const call = async (operation: string, key = house.key) => {
      const { status, code, text } = await query(house, service, operation, {}, { key })
      return [status, code, text]
    }
    const well = [200, undefined, undefined]
    for (let n = 0; n < 20; n++) assert.deepEqual(await call(first), well)
    await run('quota-set', { name: `requests/${service}`, value: '2', account })
    assert.deepEqual(await call(first), well)
    assert.deepEqual(await call(second), well)
    assert.deepEqual(await call(first), slower)
    assert.deepEqual(await call(first, house.otherKey), well)
    const elsewhere = other === 'iam' ? 'ListUsers' : 'GetCallerIdentity'
    assert.equal((await query(house, other, elsewhere)).status, 200)
    await house.ok('ListKeys', {})
    house.clock.time += 500
    assert.deepEqual(await call(second), well)
    assert.deepEqual(await call(second), slower)
    await run('quota-unset', { name: `requests/${service}`, account })
    for (let n = 0; n < 5; n++) assert.deepEqual(await call(first), well)
  })
}
