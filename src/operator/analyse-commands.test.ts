import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { analyses } from '../analyses.ts'
import type { DiffAccess } from '../authorize/analyse/diff-access.ts'
import type { Separation } from '../authorize/analyse/separation.ts'
import type { WhoCan } from '../authorize/analyse/who-can.ts'
import { systemRandom } from '../base/random.ts'
import { account, House } from '../testing/house.ts'
import { analyseCommands } from './analyse-commands.ts'
import { OperatorError } from './socket.ts'

async function open(t: TestContext) {
  const house = await House.open(t)
  const commands = analyseCommands({
    ...house,
    ...analyses(house.tables, house.assembly),
    random: systemRandom,
  })
  const run = (name: string, input: object) => {
    const command = commands[name]
    assert.ok(command !== undefined)
    return command({ operator: 'mona', ...input }, () => {})
  }
  return { house, run }
}

const policy = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement })
const allow = (AWS: string, Action: string | readonly string[]) => ({
  ...{ Effect: 'Allow', Principal: { AWS }, Action, Resource: '*' },
})
const identity = (Action: string) => ({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action, Resource: '*' },
})

describe('an operator', () => {
  test('asks who can use a key, and what is said is what calls are answered', async (t) => {
    const { house, run } = await open(t)
    const group = await house.addGroup({ name: 'team', policies: [identity('kms:Encrypt')] })
    const ann = await house.addUser({ name: 'ann', groups: [group.id] })
    const bob = await house.addUser({
      name: 'bob',
      policies: [identity('kms:*')],
      boundary: identity('kms:Decrypt'),
    })
    const KeyId = await house.newKey()
    const { GrantId } = await house.ok('CreateGrant', {
      KeyId,
      GranteePrincipal: ann.arn,
      Operations: ['DescribeKey'],
    })
    await house.ok('CreateAlias', { AliasName: 'alias/a', TargetKeyId: KeyId })
    for (const permission of ['Encrypt', 'GenerateDataKey', 'DescribeKey']) {
      const { rows } = (await run('who-can', { key: 'alias/a', action: permission })) as WhoCan
      for (const [key, arn] of [
        [ann, ann.arn],
        [bob, bob.arn],
        [house.key, `arn:aws:iam::${account}:root`],
      ] as const) {
        const row = rows.find(({ principal }) => principal === arn)
        const input = {
          KeyId,
          ...(permission === 'Encrypt' && { Plaintext: 'YQ==' }),
          ...(permission === 'GenerateDataKey' && { KeySpec: 'AES_256' }),
        }
        const { status } = await house.call(permission, input, { key })
        assert.equal(row?.status, status === 200 ? 'ALWAYS' : 'NEVER', `${arn} ${permission}`)
        if (permission === 'DescribeKey' && arn === ann.arn) assert.equal(row?.grantId, GrantId)
      }
    }
    const recorded = house.journal.events.filter(({ eventName }) => eventName === 'WhoCan')
    assert.equal(recorded.length, 3)
  })

  test('compares policies that name principals by their ARNs', async (t) => {
    const { house, run } = await open(t)
    const ann = await house.addUser({ name: 'ann' })
    const key = await house.newKey()
    const before = policy(allow(`arn:aws:iam::${account}:root`, 'kms:*'))
    const after = policy(
      allow(`arn:aws:iam::${account}:root`, 'kms:*'),
      allow(ann.arn, 'kms:Sign'),
      allow(ann.arn, 'kms:Decrypt'),
    )
    const found = (await run('diff-access', { key, old: before, new: after })) as DiffAccess
    assert.equal(found.result, 'FAIL')
    assert.deepEqual(
      found.findings.map(({ principal, permission, statements }) => [
        principal,
        permission,
        statements[0]?.index,
      ]),
      [[ann.arn, 'kms:Decrypt', 2]],
    )
    const same = (await run('diff-access', { key, old: after, new: before })) as DiffAccess
    assert.equal(same.result, 'PASS')
    const unknown = policy(allow(`arn:aws:iam::${account}:user/nobody`, 'kms:*'))
    await assert.rejects(run('diff-access', { key, old: before, new: unknown }), (error) => {
      assert.ok(error instanceof OperatorError)
      return /^The new policy: Policy contains a statement with one or more invalid/.test(
        error.message,
      )
    })
  })

  test('has separation proven, or disproven', async (t) => {
    const { house, run } = await open(t)
    const ann = await house.addUser({ name: 'ann' })
    const bob = await house.addUser({ name: 'bob', policies: [identity('iam:CreateAccessKey')] })
    const cas = await house.addUser({ name: 'cas' })
    const prove = async (...statements: object[]) => {
      const Policy = policy(...statements)
      const key = await house.newKey({ Policy, BypassPolicyLockoutSafetyCheck: true })
      return (await run('prove-separation-of-duties', { key })) as Separation
    }
    const proven = await prove(allow(ann.arn, 'kms:DisableKey'), allow(cas.arn, 'kms:Decrypt'))
    assert.equal(proven.result, 'VIOLATED')
    assert.equal(proven.counterexample?.principal, bob.arn)
    const able = await prove(allow(bob.arn, 'kms:DisableKey'))
    assert.equal(able.result, 'PROVEN')
  })

  test('is told what is not there', async (t) => {
    const { house, run } = await open(t)
    const refused = (message: RegExp) => (error: unknown) =>
      error instanceof OperatorError && message.test(error.message)
    const key = await house.newKey()
    await assert.rejects(run('who-can', { key: 'nothing' }), refused(/^There is no key nothing/))
    const { rows } = (await run('who-can', { key, action: 'Decrypt' })) as WhoCan
    const permissions = new Set(rows.map(({ permission }) => permission))
    assert.deepEqual([...permissions], ['kms:Decrypt', 'kms:ReEncryptFrom'])
    await assert.rejects(run('who-can', {}), refused(/'key' is missing/))
    await assert.rejects(
      run('who-can', { key, action: 'kms:Sign' }),
      refused(/no permission on this key/),
    )
  })
})
