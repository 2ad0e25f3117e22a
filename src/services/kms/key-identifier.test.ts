import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Region } from '../../base/ids.ts'
import { arnOf } from './key.ts'
import { account, otherAccount, region, rootOf, TestKms } from './testing/test-kms.ts'

const elsewhere = 'eu-west-1' as Region
const absent = '99999999-9999-4999-8999-999999999999'

/** Operations by what they take as the name of their key, and the permission they are about. */
const managing = {
  CancelKeyDeletion: {},
  DisableKey: {},
  EnableKey: {},
  GetKeyPolicy: {},
  ListKeyPolicies: {},
  ListResourceTags: {},
  PutKeyPolicy: { Policy: '{"a":"policy"}' },
  ScheduleKeyDeletion: {},
  TagResource: { Tags: [] },
  UntagResource: { TagKeys: [] },
  UpdateKeyDescription: { Description: '' },
  ListAliases: {},
}
const using = {
  DescribeKey: {},
  Encrypt: { Plaintext: Buffer.from('text') },
  GenerateDataKey: { KeySpec: 'AES_128' },
  GenerateDataKeyWithoutPlaintext: { KeySpec: 'AES_128' },
}

async function world() {
  const kms = new TestKms()
  const key = await kms.key()
  await kms.ok('CreateAlias', { AliasName: 'alias/own', TargetKeyId: key.keyId })
  const foreign = await kms.key({}, { caller: rootOf(otherAccount) })
  await kms.ok(
    'CreateAlias',
    { AliasName: 'alias/foreign', TargetKeyId: foreign.keyId },
    { caller: rootOf(otherAccount) },
  )
  return { kms, key, foreign }
}

function arn(resource: string, owner: string = account, within: string = region): string {
  return `arn:aws:kms:${within}:${owner}:${resource}`
}

function denial(permission: string): [string, string] {
  return [
    'access-denied',
    `User: arn:aws:iam::${account}:root is not authorized to perform: ${permission} on this resource because the ` +
      'resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy ' +
      'explicitly denies access',
  ]
}

for (const [operation, rest] of Object.entries({ ...managing, ...using })) {
  test(`${operation} takes a key id and a key ARN`, async () => {
    for (const form of ['id', 'arn']) {
      const { kms, key } = await world()
      if (operation === 'CancelKeyDeletion') {
        await kms.ok('ScheduleKeyDeletion', { KeyId: key.keyId })
      }
      await kms.ok(operation, { KeyId: form === 'id' ? key.keyId : arnOf(key), ...rest })
    }
  })

  test(`${operation} answers names that name no key`, async () => {
    const { kms, key, foreign } = await world()
    const badArn =
      operation === 'DescribeKey' || operation in managing ? 'invalid-arn' : 'not-found'
    const permission = `kms:${operation}`
    const cases: [string, [string, string]][] = [
      [absent, ['not-found', `Key '${arn(`key/${absent}`)}' does not exist`]],
      [arn(`key/${absent}`), ['not-found', `Key '${arn(`key/${absent}`)}' does not exist`]],
      ['fake-key-id', ['not-found', "Invalid keyId 'fake-key-id'"]],
      ['mrk-fake', ['not-found', "Invalid keyId 'mrk-fake'"]],
      [absent.replaceAll('-', ''), ['not-found', `Invalid keyId '${absent.replaceAll('-', '')}'`]],
      [
        absent.toUpperCase().replaceAll('9', 'A'),
        ['not-found', `Invalid keyId '${absent.replaceAll('9', 'A')}'`],
      ],
      [arn('key/fake'), ['not-found', `Invalid keyId '${arn('key/fake')}'`]],
      // Another account's key under a bare id does not show.
      [foreign.keyId, ['not-found', `Key '${arn(`key/${foreign.keyId}`)}' does not exist`]],
      // Nor does it show under an ARN of the wrong account.
      [
        arn(`key/${foreign.keyId}`),
        ['not-found', `Key '${arn(`key/${foreign.keyId}`)}' does not exist`],
      ],
      [arn(`key/${key.keyId}`, otherAccount), denial(permission)],
      [arn(`key/${absent}`, account, elsewhere), ['not-found', `Invalid arn ${elsewhere}`]],
      [arn(`key/${absent}`, otherAccount, elsewhere), ['not-found', `Invalid arn ${elsewhere}`]],
      [arn(`key/${absent}`, otherAccount), denial(permission)],
      [arn('key/fake', otherAccount), denial(permission)],
      [arn(`key/${absent}`, '12'), [badArn, `Invalid arn ${arn(`key/${absent}`, '12')}`]],
      [arn('grant/x'), [badArn, `Invalid arn ${arn('grant/x')}`]],
      [
        `arn:aws:s3:${region}:${account}:key/${absent}`,
        [badArn, `Invalid arn arn:aws:s3:${region}:${account}:key/${absent}`],
      ],
      [
        `arn:aws-cn:kms:${region}:${account}:key/${absent}`,
        [badArn, `Invalid arn arn:aws-cn:kms:${region}:${account}:key/${absent}`],
      ],
      ['arn:aws:kms', [badArn, 'Invalid arn arn:aws:kms']],
      [
        `arn:aws:kms::${account}:key/${absent}`,
        [badArn, `Invalid arn arn:aws:kms::${account}:key/${absent}`],
      ],
    ]
    for (const [KeyId, answer] of cases) {
      assert.deepEqual(await kms.fails(operation, { KeyId, ...rest }), answer, KeyId)
    }
  })
}

for (const [operation, rest] of Object.entries(managing)) {
  test(`${operation} takes no alias and no other account's key`, async () => {
    const { kms, foreign } = await world()
    const refused = async (KeyId: string) => await kms.fails(operation, { KeyId, ...rest })
    assert.deepEqual(await refused('alias/own'), ['not-found', "Invalid keyId 'alias/own'"])
    assert.deepEqual(await refused(arn('alias/own')), [
      'not-found',
      `Invalid keyId '${arn('alias/own')}'`,
    ])
    // That the key is there makes no difference.
    assert.deepEqual(await refused(arnOf(foreign)), denial(`kms:${operation}`))
  })
}

for (const [operation, rest] of Object.entries(using)) {
  test(`${operation} takes aliases, and the ARNs of another account`, async () => {
    const { kms, key, foreign } = await world()
    const expected = [
      ['alias/own', key, 'alias/own'],
      [arn('alias/own'), key, 'alias/own'],
      [arnOf(foreign), foreign, undefined],
      [arn('alias/foreign', otherAccount), foreign, 'alias/foreign'],
    ] as const
    for (const [KeyId, named, alias] of expected) {
      const { checks, failure } = await kms.call(operation, { KeyId, ...rest })
      assert.equal(failure, undefined)
      assert.equal(checks.length, 1)
      const [check] = checks
      assert.equal(check?.permission, `kms:${operation}`)
      assert.deepEqual(check?.resource, {
        type: 'key',
        arn: arnOf(named),
        account: named.account,
        policy: named.policy,
        crossAccount: true,
      })
      assert.equal(check?.conditions['kms:RequestAlias'], alias)
      assert.equal(check?.conditions['kms:CallerAccount'], account)
    }
  })

  test(`${operation} answers aliases that are not there`, async () => {
    const { kms } = await world()
    const cases: [string, [string, string]][] = [
      ['alias/x', ['not-found', `Alias ${arn('alias/x')} is not found.`]],
      [arn('alias/x'), ['not-found', `Alias ${arn('alias/x')} is not found.`]],
      ['alias/foreign', ['not-found', `Alias ${arn('alias/foreign')} is not found.`]],
      [arn('alias/x', otherAccount), denial(`kms:${operation}`)],
      [arn('alias/own', account, elsewhere), ['not-found', `Invalid arn ${elsewhere}`]],
    ]
    for (const [KeyId, answer] of cases) {
      assert.deepEqual(await kms.fails(operation, { KeyId, ...rest }), answer, KeyId)
    }
  })
}

test('the same key id in another Region is another key', async () => {
  const { kms, key } = await world()
  assert.deepEqual(await kms.fails('DescribeKey', { KeyId: key.keyId }, { region: elsewhere }), [
    'not-found',
    `Key '${arn(`key/${key.keyId}`, account, elsewhere)}' does not exist`,
  ])
})
