import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { systemRandom } from '../base/random.ts'
import { account, House, otherAccount } from '../testing/house.ts'
import { guardrailCommands } from './guardrail-commands.ts'

const noDescribe =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"kms:DescribeKey","Resource":"*"}]}'
const onlyDescribe =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:Describe*","Resource":"*"}]}'
const rcpNoList =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"kms:ListResourceTags","Resource":"*"}]}'

async function opened(t: TestContext) {
  const house = await House.open(t)
  const commands = guardrailCommands({
    ...house,
    ...house.tables,
    random: systemRandom,
  } as unknown as Parameters<typeof guardrailCommands>[0])
  const run = async (name: string, input: object = {}) => {
    const command = commands[name]
    assert.ok(command !== undefined)
    const result = await command({ operator: 'mona', kind: 'service-control', ...input }, () => {})
    return result as Readonly<Record<string, unknown>>
  }
  const { body } = await house.call('CreateKey', {})
  const { KeyId } = body['KeyMetadata'] as { readonly KeyId: string }
  return { house, run, KeyId }
}

const refused = (message: string | RegExp) => ({ name: 'OperatorError', message })

describe('a service control policy', () => {
  test('binds the root user of an account from the next call on, and says so with its ARN', async (t) => {
    const { house, run, KeyId } = await opened(t)
    await run('guardrail-put', { name: 'NoDescribe', text: noDescribe })
    assert.equal((await house.call('DescribeKey', { KeyId })).status, 200)
    await run('guardrail-attach', { name: 'NoDescribe', target: account })
    const denied = await house.call('DescribeKey', { KeyId })
    assert.equal(denied.error, 'AccessDeniedException')
    const { arn } = await run('guardrail-show', { name: 'NoDescribe' })
    assert.match(
      denied.message ?? '',
      new RegExp(`with an explicit deny in a service control policy: ${String(arn)}$`),
    )
    await run('guardrail-detach', { name: 'NoDescribe', target: account })
    assert.equal((await house.call('DescribeKey', { KeyId })).status, 200)
  })

  test('binds no other account, unless it is attached to the organisation', async (t) => {
    const { house, run } = await opened(t)
    const { body } = await house.call('CreateKey', {}, { key: house.otherKey })
    const { KeyId } = body['KeyMetadata'] as { readonly KeyId: string }
    await run('guardrail-put', { name: 'NoDescribe', text: noDescribe })
    await run('guardrail-attach', { name: 'NoDescribe', target: account })
    const others = () => house.call('DescribeKey', { KeyId }, { key: house.otherKey })
    assert.equal((await others()).status, 200)
    await run('guardrail-attach', { name: 'NoDescribe', target: 'organization' })
    assert.equal((await others()).error, 'AccessDeniedException')
  })

  test('is a list of what is allowed once the one that allows all is detached', async (t) => {
    const { house, run, KeyId } = await opened(t)
    await run('guardrail-put', { name: 'OnlyDescribe', text: onlyDescribe })
    await run('guardrail-attach', { name: 'OnlyDescribe', target: account })
    assert.equal((await house.call('DisableKey', { KeyId })).status, 200)
    await run('guardrail-detach', { name: 'FullAWSAccess', target: account })
    const denied = await house.call('EnableKey', { KeyId })
    assert.match(
      denied.message ?? '',
      /because no service control policy allows the kms:EnableKey action$/,
    )
    assert.equal((await house.call('DescribeKey', { KeyId })).status, 200)
  })

  test('acts where it is attached as soon as it is changed', async (t) => {
    const { house, run, KeyId } = await opened(t)
    await run('guardrail-put', { name: 'Mine', text: onlyDescribe })
    await run('guardrail-attach', { name: 'Mine', target: account })
    assert.equal((await house.call('DescribeKey', { KeyId })).status, 200)
    await run('guardrail-put', { name: 'mine', text: noDescribe })
    assert.equal((await house.call('DescribeKey', { KeyId })).error, 'AccessDeniedException')
  })
})

test('a resource control policy bounds what is done with the resources of an account', async (t) => {
  const { house, run, KeyId } = await opened(t)
  const kind = 'resource-control'
  await run('guardrail-put', { kind, name: 'NoTags', text: rcpNoList })
  await run('guardrail-attach', { kind, name: 'NoTags', target: account })
  const denied = await house.call('ListResourceTags', { KeyId })
  assert.match(denied.message ?? '', /with an explicit deny in a resource control policy/)
  assert.equal((await house.call('DescribeKey', { KeyId })).status, 200)
})

describe('guardrails', () => {
  test('are recorded with who changed what', async (t) => {
    const { house, run } = await opened(t)
    const before = house.journal.events.length
    await run('guardrail-put', { name: 'NoDescribe', text: noDescribe })
    await run('guardrail-attach', { name: 'NoDescribe', target: otherAccount })
    await run('guardrail-detach', { name: 'NoDescribe', target: otherAccount })
    await run('guardrail-delete', { name: 'NoDescribe' })
    const events = house.journal.events.slice(before)
    assert.deepEqual(
      events.map(({ eventName }) => eventName),
      ['PutGuardrail', 'AttachGuardrail', 'DetachGuardrail', 'DeleteGuardrail'],
    )
    const [put] = events
    const details = put?.serviceEventDetails as { readonly content?: string } | undefined
    assert.equal(details?.content, noDescribe)
  })

  test('are refused when they cannot be read, are too long, or bind nobody', async (t) => {
    const { run } = await opened(t)
    const put = (text: string, name = 'Mine') => run('guardrail-put', { name, text })
    await assert.rejects(put('{"Version":"2012-10-17","Statement":[{'), { name: 'OperatorError' })
    await assert.rejects(
      put(`${' '.repeat(5120)}{}`),
      refused('A guardrail has at most 5120 bytes.'),
    )
    await assert.rejects(
      put(noDescribe, 'FullAWSAccess'),
      refused('FullAWSAccess is built in: it cannot be changed.'),
    )
    await assert.rejects(put(noDescribe, 'no name'), refused(/^A name has/))
    await put(noDescribe)
    await assert.rejects(
      run('guardrail-attach', { name: 'Mine', target: '999999999999' }),
      refused(/^A target is "organization" or an account of it; there is no '999999999999'/),
    )
    await assert.rejects(
      run('guardrail-attach', { name: 'Other', target: account }),
      refused(/^There is no service-control policy 'Other'/),
    )
    await run('guardrail-attach', { name: 'Mine', target: account })
    await assert.rejects(
      run('guardrail-delete', { name: 'Mine' }),
      refused(`Mine is attached to ${account}; detach it first.`),
    )
    await assert.rejects(
      run('guardrail-detach', {
        kind: 'resource-control',
        name: 'RCPFullAWSAccess',
        target: account,
      }),
      refused('RCPFullAWSAccess is built in: it cannot be changed.'),
    )
  })
})
