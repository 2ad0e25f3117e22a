import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyArn } from '../../../base/ids.ts'
import { parseGrantToken } from '../grant-token.ts'
import { arnOf } from '../key.ts'
import {
  account,
  otherAccount,
  otherRegion,
  region,
  rootOf,
  type Setting,
  TestKms,
} from '../testing/test-kms.ts'
import { idOfArn } from '../testing/test-principals.ts'

const user = `arn:aws:iam::${account}:user/path/alice`
const role = `arn:aws:iam::${otherAccount}:role/worker`
const GranteePrincipal = user
const Operations = ['Decrypt', 'Encrypt']
const SourceArn = `arn:aws:ec2:us-east-1:${account}:volume/vol-1`
const service = 'storage.example.amazonaws.com'

async function world() {
  const kms = new TestKms()
  const key = await kms.key()
  const KeyId = key.keyId
  const ask = (input: object) => ({ KeyId, GranteePrincipal, Operations, ...input })
  const create = async (input: object = {}, setting?: Setting) => {
    const { GrantId, GrantToken } = await kms.ok('CreateGrant', ask(input), setting)
    return { grantId: String(GrantId), token: String(GrantToken) }
  }
  return { kms, key, KeyId, ask, create }
}

const pairs = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`key ${at}`, 'value']))

/** Each with the text it is refused with, before a key is looked for. */
const refused: readonly [object, string][] = [
  [
    { GranteePrincipal: undefined },
    'Specify either GranteePrincipal or GranteeServicePrincipal, and not both.',
  ],
  [
    { GranteeServicePrincipal: service, RetiringPrincipal: role, Constraints: { SourceArn } },
    'Specify either GranteePrincipal or GranteeServicePrincipal, and not both.',
  ],
  [
    { RetiringPrincipal: role, RetiringServicePrincipal: service },
    'RetiringPrincipal and RetiringServicePrincipal cannot both be specified.',
  ],
  [{ Operations: [] }, 'Grants must contain an operation.'],
  [
    { Operations: ['CreateGrant', 'CreateGrant'] },
    'Grants must not contain only the CreateGrant operation.',
  ],
  [
    { Constraints: { EncryptionContextSubset: pairs(1), EncryptionContextEquals: pairs(1) } },
    'Specify either EncryptionContextEquals or EncryptionContextSubset, and not both.',
  ],
  [
    { Constraints: { EncryptionContextSubset: pairs(9) } },
    'A grant constraint can include up to 8 encryption context pairs.',
  ],
  [
    { Constraints: { EncryptionContextEquals: { a: 'x'.repeat(385) } } },
    'A grant constraint cannot include a value of more than 384 characters.',
  ],
  [
    { Constraints: { EncryptionContextEquals: { Key: 'a', kEy: 'b' } } },
    'A grant constraint cannot include keys that differ only by case.',
  ],
  [
    { Constraints: { EncryptionContextSubset: { ['k'.repeat(8192)]: 'a' } } },
    'An encryption context can have at most 8192 bytes.',
  ],
  ...[
    { GranteeServicePrincipal: service },
    { GranteeServicePrincipal: service, Constraints: { SourceArn } },
    { GranteeServicePrincipal: service, RetiringPrincipal: role },
  ].map((input): [object, string] => [
    { GranteePrincipal: undefined, ...input },
    'A GranteeServicePrincipal needs a SourceArn constraint and a RetiringPrincipal or RetiringServicePrincipal.',
  ]),
]

test('a request that makes no sense is refused before its key is looked for', async () => {
  const { kms, ask } = await world()
  const absent = { KeyId: '00000000-0000-4000-8000-00000000ffff' }
  for (const [input, text] of refused) {
    const { failure, checks } = await kms.call('CreateGrant', ask({ ...input, ...absent }))
    assert.deepEqual([failure?.code, failure?.publicMessage], ['validation', text])
    assert.deepEqual(checks, [])
  }
  assert.equal(kms.grants.size, 0)
})

const noPrincipals = [
  'alice',
  'AIDACKCEVSQ6C2EXAMPLE',
  account,
  'sts.amazonaws.com',
  `arn:aws:iam::${account}:group/people`,
  `arn:aws:iam::${account}:user`,
  `arn:aws:iam::${account}:role/`,
  `arn:aws:iam::${account}:policy/any`,
  `arn:aws:iam:us-east-1:${account}:user/alice`,
  `arn:aws-cn:iam::${account}:user/alice`,
  'arn:aws:iam::1:root',
  'arn:aws:iam::999988887777:root',
  'arn:aws:iam::999988887777:user/alice',
  `arn:aws:sts::${account}:assumed-role/worker`,
  `arn:aws:kms:us-east-1:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
]

test('who is no principal can neither be granted to nor retire', async () => {
  const { kms, ask } = await world()
  for (const principal of noPrincipals) {
    const refusal = ['invalid-arn', `ARN does not refer to a valid principal: ${principal}`]
    for (const member of ['GranteePrincipal', 'RetiringPrincipal']) {
      const request = ask({ [member]: principal })
      assert.deepEqual(await kms.fails('CreateGrant', request), refusal, member)
    }
  }
})

test('accounts, users, roles, sessions and federated users are principals', async () => {
  const { kms, key, create } = await world()
  const principals = [
    rootOf(account).arn,
    rootOf(otherAccount).arn,
    user,
    role,
    `arn:aws:sts::${account}:assumed-role/worker/session`,
    `arn:aws:sts::${account}:federated-user/bob`,
  ]
  for (const arn of principals) await create({ GranteePrincipal: arn, RetiringPrincipal: arn })
  const all = kms.grants.ofKey(key, { after: undefined, count: 100 })
  const parties = principals.map((arn) => (/:root$|federated/.test(arn) ? arn : idOfArn(arn)))
  assert.deepEqual(all.map(({ grantee }) => grantee).sort(), parties.sort())
  assert.deepEqual(all.map(({ retiring }) => retiring).sort(), parties)
  const { Grants } = await kms.ok('ListGrants', { KeyId: key.keyId })
  const shown = (Grants as { GranteePrincipal: string; RetiringPrincipal: string }[]).map(
    ({ GranteePrincipal, RetiringPrincipal }) => [GranteePrincipal, RetiringPrincipal],
  )
  assert.deepEqual(shown.sort(), principals.map((arn) => [arn, arn]).sort())
})

test('a key supports what it can do, and only symmetric ones a context', async () => {
  const kms = new TestKms()
  const kinds: [object, string, string][] = [
    [{}, 'Sign', 'Decrypt'],
    [{}, 'GetPublicKey', 'GenerateDataKeyPair'],
    [{ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' }, 'GenerateDataKey', 'ReEncryptTo'],
    [{ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }, 'Encrypt', 'Verify'],
    [{ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }, 'GetPublicKey', 'VerifyMac'],
    [{ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' }, 'Sign', 'DeriveSharedSecret'],
    [{ KeySpec: 'ML_KEM_512', KeyUsage: 'ENCAPSULATE_DECAPSULATE' }, 'Decrypt', 'Decapsulate'],
  ]
  for (const [kind, unsupported, supported] of kinds) {
    const key = await kms.key(kind)
    const base = { KeyId: key.keyId, GranteePrincipal }
    const wrong = { ...base, Operations: ['DescribeKey', unsupported] }
    assert.deepEqual(await kms.fails('CreateGrant', wrong), [
      'validation',
      `${arnOf(key)} does not support the grant operation ${unsupported}.`,
    ])
    const right = { ...base, Operations: [supported, 'CreateGrant', 'RetireGrant', 'DescribeKey'] }
    await kms.ok('CreateGrant', { ...right, Constraints: { SourceArn } })
    for (const name of ['EncryptionContextSubset', 'EncryptionContextEquals']) {
      const { failure } = await kms.call('CreateGrant', {
        ...right,
        Constraints: { [name]: pairs(1) },
      })
      const text = `${arnOf(key)} is no symmetric encryption key: no encryption context can constrain a grant.`
      assert.equal(failure?.publicMessage, key.keySpec === 'SYMMETRIC_DEFAULT' ? undefined : text)
    }
  }
})

test('what the key is like is not told to a caller who is denied', async () => {
  const { kms, key, ask } = await world()
  await kms.change(key, { state: 'Disabled' })
  for (const input of [{}, { Operations: ['Sign'] }]) {
    const denied = await kms.fails('CreateGrant', ask(input), { deny: () => true })
    assert.deepEqual(denied, ['access-denied', 'denied'])
  }
})

test('a key is named by its id or, from another account, by its ARN', async () => {
  const { kms, key, KeyId, ask, create } = await world()
  const caller = rootOf(otherAccount)
  await create({ KeyId: arnOf(key) })
  await kms.ok('CreateAlias', { AliasName: 'alias/a', TargetKeyId: KeyId })
  const strange = { caller }
  const cases: [string, Setting | undefined, string, RegExp][] = [
    ['alias/a', undefined, 'not-found', /^Invalid keyId 'alias\/a'$/],
    [`${arnOf(key).slice(0, -1)}0`, undefined, 'not-found', /does not exist$/],
    ['nonsense', undefined, 'not-found', /^Invalid keyId 'nonsense'$/],
    ['arn:aws:s3:::bucket', undefined, 'invalid-arn', /^Invalid arn/],
    [keyArn(otherRegion, account, key.keyId), undefined, 'not-found', /^Invalid arn eu-central-1$/],
    [
      KeyId,
      strange,
      'not-found',
      /^Key 'arn:aws:kms:us-east-1:444455556666:key\/.*' does not exist$/,
    ],
    [
      `${arnOf(key).slice(0, -1)}0`,
      strange,
      'access-denied',
      /because the resource does not exist/,
    ],
  ]
  for (const [name, setting, code, text] of cases) {
    const [failed, message] = await kms.fails('CreateGrant', ask({ KeyId: name }), setting)
    assert.equal(failed, code, name)
    assert.match(message ?? '', text)
  }
  const { grantId } = await create({ KeyId: arnOf(key) }, { caller })
  assert.equal(kms.grants.on(kms.record(KeyId), grantId)?.issuingAccount, otherAccount)
})

test('a grant has what was asked for, its operations once and in order', async () => {
  const { kms, key, create } = await world()
  const { grantId, token } = await create({
    Operations: ['DescribeKey', 'Decrypt', 'DescribeKey', 'RetireGrant'],
    RetiringPrincipal: role,
    Name: 'a/name:of_it-1',
    Constraints: { EncryptionContextSubset: { z: '1', a: '鍵' }, SourceArn },
  })
  assert.match(grantId, /^[0-9a-f]{64}$/)
  assert.deepEqual(parseGrantToken(token), { region, account, keyId: key.keyId, grantId })
  const { Grants } = await kms.ok('ListGrants', { KeyId: key.keyId })
  assert.deepEqual(Grants, [
    {
      KeyId: arnOf(key),
      GrantId: grantId,
      Name: 'a/name:of_it-1',
      CreationDate: kms.now,
      GranteePrincipal: user,
      RetiringPrincipal: role,
      IssuingAccount: rootOf(account).arn,
      Operations: ['Decrypt', 'RetireGrant', 'DescribeKey'],
      Constraints: {
        EncryptionContextEquals: undefined,
        EncryptionContextSubset: { a: '鍵', z: '1' },
        SourceArn,
      },
    },
  ])
})

test('a service can be granted to, and can retire', async () => {
  const { kms, key, create } = await world()
  await create({
    GranteePrincipal: undefined,
    GranteeServicePrincipal: service,
    RetiringServicePrincipal: service,
    Constraints: { SourceArn },
  })
  const { Grants } = await kms.ok('ListGrants', { KeyId: key.keyId })
  const [grant] = Grants as Record<string, unknown>[]
  assert.ok(grant)
  const { GranteeServicePrincipal, RetiringServicePrincipal } = grant
  assert.deepEqual([GranteeServicePrincipal, RetiringServicePrincipal], [service, service])
  assert.ok(!('GranteePrincipal' in grant) && !('RetiringPrincipal' in grant))
  assert.equal(grant['Name'], '')
})

test('constraints without pairs are none', async () => {
  const { kms, key, create } = await world()
  const none = { EncryptionContextSubset: {}, EncryptionContextEquals: {} }
  await create({ Constraints: none })
  await create({ Constraints: {} })
  await create({ Constraints: { ...none, EncryptionContextEquals: { a: 'b' } } })
  const kinds = kms.grants
    .ofKey(key, { after: undefined, count: 10 })
    .map(({ contextEquals, contextSubset }) => [contextEquals, contextSubset])
  assert.deepEqual(kinds, [
    [undefined, undefined],
    [undefined, undefined],
    [['a', 'b'], undefined],
  ])
})

test('the same named request makes one grant, and each time a token', async () => {
  const { kms, create } = await world()
  const request = {
    Name: 'name',
    RetiringPrincipal: role,
    Constraints: { EncryptionContextEquals: { a: 'b', c: 'd' } },
  }
  const first = await create(request)
  kms.now += 5000
  const again = await create({
    ...request,
    Operations: ['Encrypt', 'Decrypt', 'Encrypt'],
    Constraints: { EncryptionContextEquals: { c: 'd', a: 'b' } },
  })
  assert.equal(again.grantId, first.grantId)
  assert.notEqual(again.token, first.token)
  assert.deepEqual(parseGrantToken(again.token), parseGrantToken(first.token))
  assert.equal(kms.grants.size, 1)
  const others = [
    { ...request, Name: 'other' },
    { ...request, Name: undefined },
    { ...request, Name: undefined },
    { ...request, Operations: ['Decrypt'] },
    { ...request, RetiringPrincipal: undefined },
    { ...request, Constraints: { EncryptionContextSubset: { a: 'b', c: 'd' } } },
  ]
  const ids = new Set([first.grantId])
  for (const other of others) ids.add((await create(other)).grantId)
  assert.equal(ids.size, 1 + others.length)
})

test('a key has no more grants than its quota, and what exists is found beyond it', async () => {
  const kms = new TestKms({ grantsPerKey: 2 })
  const key = await kms.key()
  const request = { KeyId: key.keyId, GranteePrincipal, Operations }
  const { GrantId } = await kms.ok('CreateGrant', { ...request, Name: 'name' })
  await kms.ok('CreateGrant', request)
  const refusal = ['limit-exceeded', `${arnOf(key)} has 2 grants, its quota.`]
  assert.deepEqual(await kms.fails('CreateGrant', request), refusal)
  assert.deepEqual(await kms.fails('CreateGrant', { ...request, DryRun: true }), refusal)
  assert.equal((await kms.ok('CreateGrant', { ...request, Name: 'name' }))['GrantId'], GrantId)
  await kms.ok('CreateGrant', { ...request, KeyId: (await kms.key()).keyId })
  await kms.ok('RevokeGrant', { KeyId: key.keyId, GrantId })
  await kms.ok('CreateGrant', request)
})

test('a dry run makes nothing, and fails as the call would', async () => {
  const { kms, key, ask } = await world()
  assert.deepEqual(await kms.fails('CreateGrant', ask({ DryRun: true })), [
    'dry-run',
    'The request would have succeeded, but the DryRun option is set.',
  ])
  const wrong = await kms.fails('CreateGrant', ask({ DryRun: true, Operations: ['Sign'] }))
  assert.equal(wrong[0], 'validation')
  await kms.change(key, { state: 'Disabled' })
  assert.equal((await kms.fails('CreateGrant', ask({ DryRun: true })))[0], 'disabled')
  assert.equal(kms.grants.size, 0)
})

test('a token is taken where there is a grant of that Region, and changes nothing', async () => {
  const { kms, key, KeyId, create } = await world()
  const { grantId, token } = await create()
  const used = { KeyId, Plaintext: Buffer.from('x') }
  for (const GrantTokens of [[token], [token, token]]) {
    await kms.ok('Encrypt', { ...used, GrantTokens })
    await create({ GrantTokens })
    const denied = await kms.fails('Encrypt', { ...used, GrantTokens }, { deny: () => true })
    assert.equal(denied[0], 'access-denied')
  }
  const refusal = ['invalid-grant-token', 'The specified grant token is not valid.']
  const elsewhere = await kms.fails(
    'Encrypt',
    { ...used, GrantTokens: [token] },
    { region: otherRegion },
  )
  assert.deepEqual(elsewhere, refusal)
  for (const GrantTokens of [[token, 'token'], [token.slice(4)]]) {
    assert.deepEqual(await kms.fails('Encrypt', { ...used, GrantTokens }), refusal)
  }
  const named = (name: string) =>
    Buffer.concat([Buffer.of(1), Buffer.alloc(16), Buffer.from(name)]).toString('base64')
  const names = [
    `${region}/${otherAccount}/${key.keyId}/${grantId}`,
    `${region}/${account}/${(await kms.key()).keyId}/${grantId}`,
    `${region}/${account}/${key.keyId}/${grantId.replace(/^./, 'f')}`,
  ]
  for (const name of names) {
    const { failure } = await kms.call('Encrypt', { ...used, GrantTokens: [named(name)] })
    assert.deepEqual([failure?.code, failure?.publicMessage], refusal, name)
  }
  await kms.ok('RevokeGrant', { KeyId, GrantId: grantId })
  assert.deepEqual(await kms.fails('Encrypt', { ...used, GrantTokens: [token] }), refusal)
})

test('policies can ask for every part of a grant', async () => {
  const { kms, key, ask } = await world()
  const conditions = async (input: object) => {
    const { checks } = await kms.call('CreateGrant', ask(input), { caller: rootOf(account) })
    assert.deepEqual(
      checks.map(({ permission, resource }) => [permission, resource.arn]),
      [['kms:CreateGrant', arnOf(key)]],
    )
    assert.ok(checks[0]?.resource.type === 'key' && checks[0].resource.crossAccount)
    return Object.fromEntries(
      Object.entries(checks[0]?.conditions ?? {}).filter(([name]) =>
        /Grant|Retiring|EncryptionContext/.test(name),
      ),
    )
  }
  const bare = {
    'kms:GrantIsForAWSResource': 'false',
    'kms:GrantOperations': ['Decrypt', 'Encrypt'],
  }
  assert.deepEqual(await conditions({}), { ...bare, 'kms:GranteePrincipal': user })
  assert.deepEqual(
    await conditions({
      RetiringPrincipal: role,
      Constraints: {
        EncryptionContextEquals: {},
        EncryptionContextSubset: { Dept: 'IT' },
        SourceArn,
      },
    }),
    {
      ...bare,
      'kms:GranteePrincipal': user,
      'kms:RetiringPrincipal': role,
      'kms:GrantConstraintType': 'EncryptionContextSubset',
      'kms:GrantConstraintSourceArn': SourceArn,
      'kms:EncryptionContext:Dept': 'IT',
      'kms:EncryptionContextKeys': ['Dept'],
    },
  )
  assert.deepEqual(
    await conditions({
      GranteePrincipal: undefined,
      GranteeServicePrincipal: service,
      RetiringServicePrincipal: service,
      Constraints: { EncryptionContextEquals: { a: 'b' }, EncryptionContextSubset: {}, SourceArn },
    }),
    {
      ...bare,
      'kms:GranteeServicePrincipal': service,
      'kms:RetiringServicePrincipal': service,
      'kms:GrantConstraintType': 'EncryptionContextEquals',
      'kms:GrantConstraintSourceArn': SourceArn,
      'kms:EncryptionContext:a': 'b',
      'kms:EncryptionContextKeys': ['a'],
    },
  )
})

test('the record shows the grant, and no token', async () => {
  const { kms, key, ask } = await world()
  const { output, recorded } = await kms.call(
    'CreateGrant',
    ask({
      Name: 'name',
      RetiringPrincipal: role,
      Constraints: { EncryptionContextSubset: { a: 'b' } },
    }),
  )
  assert.deepEqual(JSON.parse(JSON.stringify(recorded)), {
    request: {
      keyId: key.keyId,
      granteePrincipal: user,
      retiringPrincipal: role,
      operations: Operations,
      constraints: { encryptionContextSubset: { a: 'b' } },
      name: 'name',
    },
    response: { grantId: output?.['GrantId'] },
    resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN: arnOf(key) }],
  })
  const token = String(output?.['GrantToken'])
  await kms.call('CreateGrant', ask({ GrantTokens: [token] }))
  await kms.call('RetireGrant', { GrantToken: token })
  assert.ok(token.length > 100 && !kms.records.join('\n').includes(token))
})
