import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { account, House } from './testing/house.ts'

const tag = { TagKey: 'kagiban:separation-of-duties', TagValue: 'enforced' }
const text =
  'The key keeps administration and use apart, and after this change they could not be proven to be.'

const use = ['kms:Encrypt', 'kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey*']
const admin = [
  ...['kms:Put*', 'kms:Get*', 'kms:CreateGrant', 'kms:TagResource', 'kms:UntagResource'],
  ...['kms:*Alias', 'kms:DisableKey', 'kms:CreateKey', 'kms:RevokeGrant'],
]
const allow = (arn: string, Action: readonly string[], Condition?: object) => ({
  ...{ Effect: 'Allow', Principal: { AWS: arn }, Action, Resource: '*' },
  ...(Condition && { Condition }),
})
const policy = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement })
const aliases = {
  Version: '2012-10-17',
  Statement: {
    Effect: 'Allow',
    Action: ['kms:*Alias', 'kms:CreateKey', 'kms:TagResource'],
    Resource: '*',
  },
}

/** A key that one administers and the other uses, tagged by the one. */
async function open(t: TestContext) {
  const house = await House.open(t)
  const ada = await house.addUser({ name: 'ada', policies: [aliases] })
  const bob = await house.addUser({ name: 'bob' })
  const separate = policy(allow(ada.arn, admin), allow(bob.arn, use))
  const KeyId = await house.newKey({ Policy: separate }, { key: ada })
  const refusal = async (operation: string, input: object) => {
    const { error, message } = await house.call(operation, { KeyId, ...input }, { key: ada })
    return error === undefined ? undefined : `${error}: ${message}`
  }
  assert.equal(await refusal('TagResource', { Tags: [tag] }), undefined)
  return { house, ada, bob, KeyId, separate, refusal }
}

describe('a key that keeps its duties separate', () => {
  test('refuses a policy that mixes them, and takes one that does not', async (t) => {
    const { ada, bob, refusal, separate } = await open(t)
    const mixed = policy(allow(ada.arn, [...admin, 'kms:Decrypt']), allow(bob.arn, use))
    assert.equal(
      await refusal('PutKeyPolicy', { Policy: mixed }),
      `MalformedPolicyDocumentException: ${text}`,
    )
    const delegated = policy(
      allow(ada.arn, admin),
      allow(`arn:aws:iam::${account}:root`, ['kms:*']),
    )
    assert.equal(
      await refusal('PutKeyPolicy', { Policy: delegated }),
      `MalformedPolicyDocumentException: ${text}`,
    )
    assert.equal(await refusal('PutKeyPolicy', { Policy: separate }), undefined)
  })

  test('refuses a grant to whoever administers it, and takes others', async (t) => {
    const { ada, bob, refusal } = await open(t)
    const to = (GranteePrincipal: string, Operations: readonly string[]) => ({
      GranteePrincipal,
      Operations,
    })
    assert.equal(
      await refusal('CreateGrant', to(ada.arn, ['Decrypt'])),
      `KMSInvalidStateException: ${text}`,
    )
    assert.equal(
      await refusal('CreateGrant', { ...to(ada.arn, ['Decrypt']), DryRun: true }),
      `KMSInvalidStateException: ${text}`,
    )
    assert.equal(
      await refusal('CreateGrant', to(bob.arn, ['Decrypt', 'CreateGrant'])),
      `KMSInvalidStateException: ${text}`,
    )
    assert.equal(await refusal('CreateGrant', to(bob.arn, ['Decrypt'])), undefined)
    assert.equal(await refusal('CreateGrant', to(ada.arn, ['DescribeKey'])), undefined)
  })

  test('keeps the tag, for without it duties would not be separate', async (t) => {
    const { refusal, bob, ada } = await open(t)
    assert.equal(await refusal('UntagResource', { TagKeys: [tag.TagKey] }), `TagException: ${text}`)
    assert.equal(
      await refusal('TagResource', { Tags: [{ ...tag, TagValue: 'off' }] }),
      `TagException: ${text}`,
    )
    assert.equal(
      await refusal('TagResource', { Tags: [{ TagKey: 'team', TagValue: 'a' }] }),
      undefined,
    )
    const bare = policy(allow(ada.arn, ['kms:UntagResource']), allow(bob.arn, use))
    const bypass = { Policy: bare, BypassPolicyLockoutSafetyCheck: true }
    assert.equal(await refusal('PutKeyPolicy', bypass), undefined)
    assert.equal(await refusal('UntagResource', { TagKeys: [tag.TagKey] }), undefined)
  })

  test('refuses tags and aliases that policies go by, when they would mix duties', async (t) => {
    const { ada, bob, KeyId, house, refusal } = await open(t)
    const tagged = { StringEquals: { 'aws:ResourceTag/open': 'yes' } }
    const byTag = policy(
      allow(ada.arn, admin),
      allow(ada.arn, ['kms:Decrypt'], tagged),
      allow(bob.arn, use),
    )
    assert.equal(await refusal('PutKeyPolicy', { Policy: byTag }), undefined)
    const open_ = { TagKey: 'open', TagValue: 'yes' }
    assert.equal(await refusal('TagResource', { Tags: [open_] }), `TagException: ${text}`)
    const named = { StringEquals: { 'kms:RequestAlias': 'alias/open' } }
    const byAlias = policy(
      allow(ada.arn, admin),
      allow(ada.arn, ['kms:Decrypt'], named),
      allow(bob.arn, use),
    )
    assert.equal(await refusal('PutKeyPolicy', { Policy: byAlias }), undefined)
    const alias = (AliasName: string) =>
      house.call('CreateAlias', { AliasName, TargetKeyId: KeyId }, { key: ada })
    assert.equal((await alias('alias/open')).error, 'KMSInvalidStateException')
    assert.equal((await alias('alias/other')).error, undefined)
  })

  test('cannot be made or tagged where duties are mixed', async (t) => {
    const { house } = await open(t)
    const made = await house.call('CreateKey', { Tags: [tag] })
    assert.equal(made.error, 'TagException')
    assert.equal(made.message, text)
    const KeyId = await house.newKey()
    const tagging = await house.call('TagResource', { KeyId, Tags: [tag] })
    assert.equal(tagging.error, 'TagException')
  })
})
