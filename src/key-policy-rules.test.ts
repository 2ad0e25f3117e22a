import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { parseRegion, type Region } from './base/ids.ts'
import { account, House, otherAccount, region } from './testing/house.ts'

const locked = 'The new key policy will not allow you to update the key policy in the future.'
const invalid = 'Policy contains a statement with one or more invalid principals.'
const elsewhere = parseRegion('eu-central-1') as Region

const policy = (...statements: object[]) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map((each) => ({
      ...{ Effect: 'Allow', Action: 'kms:*', Resource: '*' },
      ...each,
    })),
  })
const delegating = policy({ Principal: { AWS: account } })
const named = (arn: string, more: object = {}) =>
  policy({ Principal: { AWS: account } }, { Principal: { AWS: arn }, ...more })

const identity = (Action: string | readonly string[], more: object = {}) => ({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action, Resource: '*', ...more },
})
/** All that a call takes, but kms:PutKeyPolicy. */
const maker = identity(['kms:CreateKey', 'kms:ReplicateKey'])

async function open(t: TestContext) {
  const house = await House.open(t, { regions: [region, elsewhere] })
  const refusal = async (operation: string, input: object, key = house.key) => {
    const { error, message } = await house.call(operation, input, { key })
    return error === undefined ? undefined : `${error}: ${message}`
  }
  return { house, refusal }
}

const malformed = (text: string) => `MalformedPolicyDocumentException: ${text}`

describe('a policy that would lock its author out', () => {
  test('is refused to CreateKey when it leaves all to the account, and the author has no leave', async (t) => {
    const { house, refusal } = await open(t)
    const alice = await house.addUser({ name: 'alice', policies: [maker] })
    const able = await house.addUser({
      ...{ name: 'able', policies: [maker, identity('kms:PutKeyPolicy')] },
    })
    assert.equal(await refusal('CreateKey', { Policy: delegating }, alice), malformed(locked))
    assert.equal(await refusal('CreateKey', { Policy: named(alice.arn) }, alice), undefined)
    assert.equal(await refusal('CreateKey', { Policy: delegating }, able), undefined)
    assert.equal(await refusal('CreateKey', { Policy: delegating }), undefined)
    const waived = { Policy: delegating, BypassPolicyLockoutSafetyCheck: true }
    assert.equal(await refusal('CreateKey', waived, alice), undefined)
    // The default policy is not asked for.
    assert.equal(await refusal('CreateKey', {}, alice), undefined)
  })

  test('is seen through boundaries, denials and conditions', async (t) => {
    const { house, refusal } = await open(t)
    const put = identity('kms:PutKeyPolicy')
    const bounded = await house.addUser({
      name: 'bounded',
      policies: [maker, put],
      boundary: maker,
    })
    const forbidden = await house.addUser({
      name: 'forbidden',
      policies: [maker, put, identity('kms:PutKeyPolicy', { Effect: 'Deny' })],
    })
    const conditional = await house.addUser({
      name: 'conditional',
      policies: [
        maker,
        identity('kms:PutKeyPolicy', {
          Condition: { StringEquals: { 'aws:ResourceTag/team': 'red' } },
        }),
      ],
    })
    const locks = malformed(locked)
    assert.equal(await refusal('CreateKey', { Policy: delegating }, bounded), locks)
    assert.equal(await refusal('CreateKey', { Policy: named(bounded.arn) }, bounded), undefined)
    assert.equal(await refusal('CreateKey', { Policy: named(forbidden.arn) }, forbidden), locks)
    assert.equal(await refusal('CreateKey', { Policy: delegating }, conditional), locks)
    const denied = policy(
      { Principal: { AWS: account } },
      { Effect: 'Deny', Principal: '*', Action: 'kms:Put*' },
    )
    assert.equal(await refusal('CreateKey', { Policy: denied }), locks)
  })

  test('is refused to PutKeyPolicy and ReplicateKey as well', async (t) => {
    const { house, refusal } = await open(t)
    const alice = await house.addUser({ name: 'alice', policies: [maker] })
    const KeyId = await house.newKey(
      { Policy: named(alice.arn), MultiRegion: true },
      { key: alice },
    )
    const put = (text: string, more = {}) =>
      refusal('PutKeyPolicy', { KeyId, Policy: text, ...more }, alice)
    assert.equal(await put(delegating), malformed(locked))
    const replicate = (text: string) =>
      refusal('ReplicateKey', { KeyId, ReplicaRegion: elsewhere, Policy: text }, alice)
    assert.equal(await replicate(delegating), malformed(locked))
    assert.equal(await replicate(named(alice.arn)), undefined)
    assert.equal(await put(delegating, { BypassPolicyLockoutSafetyCheck: true }), undefined)
    // That was the last time: the check would have said so.
    assert.match(String(await put(named(alice.arn))), /^AccessDeniedException/)
  })

  test('is told by what the author may now', async (t) => {
    const { house, refusal } = await open(t)
    const alice = await house.addUser({
      name: 'alice',
      policies: [maker, identity('kms:PutKeyPolicy')],
    })
    const KeyId = await house.newKey({ Policy: delegating }, { key: alice })
    assert.equal(await refusal('PutKeyPolicy', { KeyId, Policy: delegating }, alice), undefined)
    const { users } = house.tables.identities
    const record = users.byId(alice.id) ?? assert.fail()
    await house.mirror.commit([users.replace(record, { ...record, inline: {} })], [])
    const refused = await refusal('PutKeyPolicy', { KeyId, Policy: delegating }, alice)
    assert.match(String(refused), /^AccessDeniedException/)
  })
})

describe('the principals of a policy', () => {
  test('are shown by their ARNs, and by their ids once they are gone', async (t) => {
    const { house, refusal } = await open(t)
    const alice = await house.addUser({ name: 'alice', path: '/team/' })
    const role = await house.addRole({ name: 'worker' })
    const session = `arn:aws:sts::${account}:assumed-role/worker/one`
    const text = policy(
      { Principal: { AWS: account } },
      { Principal: { AWS: [alice.arn, role.arn, session, otherAccount] } },
      { Effect: 'Deny', NotPrincipal: { AWS: alice.arn }, Action: 'kms:Sign' },
    )
    const KeyId = await house.newKey({ Policy: text })
    const shown = async () => String((await house.ok('GetKeyPolicy', { KeyId }))['Policy'])
    assert.equal(await shown(), text)
    await house.removeIdentity(alice.id)
    assert.equal(await shown(), text.replaceAll(alice.arn, alice.id))
    await house.removeIdentity(role.id)
    const orphaned = text
      .replaceAll(alice.arn, alice.id)
      .replaceAll(role.arn, role.id)
      .replaceAll(session, `${role.id}:one`)
    assert.equal(await shown(), orphaned)
    // A namesake is somebody else, and what names the one who is gone cannot be put again.
    await house.addUser({ name: 'alice', path: '/team/' })
    assert.equal(await shown(), orphaned)
    assert.equal(await refusal('PutKeyPolicy', { KeyId, Policy: orphaned }), malformed(invalid))
  })

  test('have to exist when it is put', async (t) => {
    const { house, refusal } = await open(t)
    const alice = await house.addUser({ name: 'alice', path: '/team/' })
    const KeyId = await house.newKey()
    const strangers = [
      `arn:aws:iam::${account}:user/alice`,
      `arn:aws:iam::${account}:user/team/Alice`,
      `arn:aws:iam::${account}:role/alice`,
      `arn:aws:iam::${otherAccount}:user/team/alice`,
      `arn:aws:sts::${account}:assumed-role/worker/one`,
      'arn:aws:iam::999988887777:root',
      '999988887777',
      alice.id,
      `arn:aws:iam::${account}:group/people`,
    ]
    for (const principal of strangers) {
      for (const BypassPolicyLockoutSafetyCheck of [true, false]) {
        const input = { Policy: named(principal), BypassPolicyLockoutSafetyCheck }
        const refused = await refusal('PutKeyPolicy', { KeyId, ...input })
        assert.equal(refused, malformed(invalid), principal)
        assert.equal(await refusal('CreateKey', input), malformed(invalid), principal)
      }
    }
    const put = await refusal('PutKeyPolicy', { KeyId, Policy: named(alice.arn) })
    assert.equal(put, undefined)
  })

  test('gain nothing by a name that somebody had', async (t) => {
    const { house } = await open(t)
    const alice = await house.addUser({ name: 'alice' })
    const KeyId = await house.newKey({ Policy: named(alice.arn) })
    const describe = async (key: typeof alice) =>
      (await house.call('DescribeKey', { KeyId }, { key })).error
    assert.equal(await describe(alice), undefined)
    await house.removeIdentity(alice.id)
    const namesake = await house.addUser({ name: 'alice' })
    assert.equal(namesake.arn, alice.arn)
    assert.equal(await describe(namesake), 'AccessDeniedException')
  })
})
