import assert from 'node:assert/strict'
import { test } from 'node:test'
import { account, House, otherAccount } from '../../../../testing/house.ts'
import { s3Call, s3Ok } from '../../../../testing/s3-calls.ts'
import { canonicalUserId } from '../../owner.ts'
import { refusal } from '../../testing/refusal.ts'

async function openHouse(t: Parameters<typeof House.open>[0]) {
  const house = await House.open(t)
  await s3Ok(house, 'PUT', '/mine')
  const query = (name: string) => ({ query: { [name]: '' } })
  return {
    house,
    bucket: () => house.tables.s3.get('mine'),
    get: async (name: string) => (await s3Ok(house, 'GET', '/mine', query(name))).text,
    refused: (method: string, name: string, body = '') =>
      refusal(house, method, '/mine', { ...query(name), body }),
    put: (name: string, body: string) => s3Ok(house, 'PUT', '/mine', { ...query(name), body }),
    remove: async (name: string) => (await s3Ok(house, 'DELETE', '/mine', query(name))).status,
  }
}

const malformed = [
  ...[400, 'MalformedXML'],
  'The XML you provided was not well-formed or did not validate against our published schema',
]
const inside = (text: string) => /xmlns="[^"]*">(.*)<\/[^<]*>$/s.exec(text)?.[1]

const rule = (inner: string, more = '') =>
  `<Rule><ApplyServerSideEncryptionByDefault>${inner}</ApplyServerSideEncryptionByDefault>${more}</Rule>`
const rules = (...all: readonly string[]) =>
  `<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${all.join('')}</ServerSideEncryptionConfiguration>`
const aes = '<SSEAlgorithm>AES256</SSEAlgorithm>'
const kms = '<SSEAlgorithm>aws:kms</SSEAlgorithm>'
const keyId = '<KMSMasterKeyID>alias/mine</KMSMasterKeyID>'
const bucketKey = (value: string) => `<BucketKeyEnabled>${value}</BucketKeyEnabled>`

test('a default encryption that there cannot be', async (t) => {
  const { house, refused, bucket } = await openHouse(t)
  const before = bucket()
  const dsse = '<SSEAlgorithm>aws:kms:dsse</SSEAlgorithm>'
  for (const body of [
    rules(),
    rules(rule(aes), rule(aes)),
    rules('<Rule/>'),
    rules(rule('')),
    rules(rule('<SSEAlgorithm>rot13</SSEAlgorithm>')),
    rules(rule(`${kms}<KMSMasterKeyID></KMSMasterKeyID>`)),
    rules(rule(kms, bucketKey('maybe'))),
    rules(rule(kms, '<Unknown/>')),
    '<Other/>',
  ]) {
    assert.deepEqual(await refused('PUT', 'encryption', body), malformed, body)
  }
  assert.deepEqual(await refused('PUT', 'encryption', rules(rule(aes + keyId))), [
    ...[400, 'InvalidArgument'],
    'a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse',
  ])
  const twoLayers = rules(rule(dsse, bucketKey('true')))
  assert.equal((await refused('PUT', 'encryption', twoLayers))[1], 'InvalidArgument')
  const blocking = rules(
    rule(
      aes,
      '<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>',
    ),
  )
  assert.equal((await refused('PUT', 'encryption', blocking))[1], 'NotImplemented')
  assert.equal((await refused('PUT', 'encryption'))[1], 'MissingRequestBodyError')
  assert.equal(bucket(), before)
  assert.equal(house.journal.events.at(-1)?.['errorCode'], 'MissingRequestBodyError')
})

test('the default encryption that a bucket has', async (t) => {
  const { get, put, remove, bucket } = await openHouse(t)
  const initial = rule(aes, bucketKey('false'))
  assert.equal(inside(await get('encryption')), initial)
  await put('encryption', rules(rule(kms + keyId, bucketKey('true'))))
  assert.deepEqual(bucket()?.encryption, {
    ...{ algorithm: 'aws:kms', keyId: 'alias/mine', bucketKey: true },
  })
  assert.equal(inside(await get('encryption')), rule(kms + keyId, bucketKey('true')))
  await put('encryption', rules(rule(kms)))
  assert.equal(inside(await get('encryption')), rule(kms, bucketKey('false')))
  assert.equal(await remove('encryption'), 204)
  assert.equal(await remove('encryption'), 204)
  assert.equal(inside(await get('encryption')), initial)
  assert.equal(bucket()?.encryption, undefined)
})

const versioning = (inner: string) => `<VersioningConfiguration>${inner}</VersioningConfiguration>`

test('versions', async (t) => {
  const { get, put, refused, bucket } = await openHouse(t)
  assert.deepEqual(await refused('PUT', 'versioning', versioning('')), [
    ...[400, 'IllegalVersioningConfigurationException'],
    'The Versioning element must be specified',
  ])
  assert.deepEqual(
    await refused('PUT', 'versioning', versioning('<Status>enabled</Status>')),
    malformed,
  )
  const mfa = versioning('<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>')
  assert.equal((await refused('PUT', 'versioning', mfa))[1], 'NotImplemented')
  assert.equal(inside(await get('versioning')), '')
  await put('versioning', versioning('<Status>Enabled</Status><MfaDelete>Disabled</MfaDelete>'))
  assert.equal(inside(await get('versioning')), '<Status>Enabled</Status>')
  await put('versioning', versioning('<Status>Suspended</Status>'))
  assert.equal(inside(await get('versioning')), '<Status>Suspended</Status>')
  assert.equal(bucket()?.versioning, 'suspended')
})

const tags = (...all: readonly (readonly [string, string])[]) => {
  const each = all.map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`)
  return `<Tagging><TagSet>${each.join('')}</TagSet></Tagging>`
}

test('tags', async (t) => {
  const { get, put, refused, remove, bucket } = await openHouse(t)
  const none = [404, 'NoSuchTagSet', 'The TagSet does not exist']
  assert.deepEqual(await refused('GET', 'tagging'), none)
  assert.deepEqual(await refused('PUT', 'tagging', tags(['a', '1'], ['a', '2'])), [
    ...[400, 'InvalidTag', 'Cannot provide multiple Tags with the same key'],
  ])
  assert.deepEqual(await refused('PUT', 'tagging', tags(['aws:a', '1'])), [
    ...[400, 'InvalidTag', 'System tags cannot be added/updated by requester'],
  ])
  const long = 'x'.repeat(129)
  assert.equal((await refused('PUT', 'tagging', tags([long, '1'])))[1], 'InvalidTag')
  assert.equal((await refused('PUT', 'tagging', tags(['a', 'x'.repeat(257)])))[1], 'InvalidTag')
  const many = Array.from({ length: 51 }, (_, at) => [`k${at}`, ''] as const)
  assert.equal((await refused('PUT', 'tagging', tags(...many)))[1], 'BadRequest')
  assert.deepEqual(await refused('PUT', 'tagging', '<Tagging/>'), malformed)
  const keyless = '<Tagging><TagSet><Tag><Value>v</Value></Tag></TagSet></Tagging>'
  assert.deepEqual(await refused('PUT', 'tagging', keyless), malformed)

  const set = tags(['team', 'red'], ['empty', ''])
  assert.equal((await put('tagging', set)).status, 204)
  assert.equal(`<Tagging>${inside(await get('tagging'))}</Tagging>`, set)
  assert.equal(await remove('tagging'), 204)
  assert.equal(await remove('tagging'), 204)
  assert.deepEqual(await refused('GET', 'tagging'), none)
  await put('tagging', set)
  await put('tagging', tags())
  assert.equal(bucket()?.tags, undefined)
})

const ownership = (...all: readonly string[]) => {
  const each = all.map((one) => `<Rule><ObjectOwnership>${one}</ObjectOwnership></Rule>`)
  return `<OwnershipControls>${each.join('')}</OwnershipControls>`
}

test('ownership of objects', async (t) => {
  const { get, put, refused, remove } = await openHouse(t)
  const enforced = ownership('BucketOwnerEnforced')
  assert.equal(
    `<OwnershipControls>${inside(await get('ownershipControls'))}</OwnershipControls>`,
    enforced,
  )
  for (const one of ['ObjectWriter', 'BucketOwnerPreferred']) {
    const [status, error] = await refused('PUT', 'ownershipControls', ownership(one))
    assert.deepEqual([status, error], [501, 'NotImplemented'])
  }
  for (const body of [ownership(), ownership('Nobody'), ownership('BucketOwnerEnforced', 'x')]) {
    assert.deepEqual(await refused('PUT', 'ownershipControls', body), malformed)
  }
  assert.equal(await remove('ownershipControls'), 204)
  assert.equal(await remove('ownershipControls'), 204)
  assert.deepEqual(await refused('GET', 'ownershipControls'), [
    ...[404, 'OwnershipControlsNotFoundError', 'The bucket ownership controls were not found'],
  ])
  await put('ownershipControls', enforced)
  assert.match(await get('ownershipControls'), /BucketOwnerEnforced/)
})

test('the block of public access', async (t) => {
  const { get, put, refused, remove, bucket } = await openHouse(t)
  const root = 'PublicAccessBlockConfiguration'
  const block = (...values: readonly boolean[]) =>
    ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets']
      .map((name, at) => `<${name}>${values[at]}</${name}>`)
      .join('')
  assert.equal(inside(await get('publicAccessBlock')), block(true, true, true, true))
  const wrong = `<${root}><BlockPublicAcls>perhaps</BlockPublicAcls></${root}>`
  assert.deepEqual(await refused('PUT', 'publicAccessBlock', wrong), malformed)
  await put('publicAccessBlock', `<${root}><BlockPublicPolicy>TRUE</BlockPublicPolicy></${root}>`)
  assert.equal(inside(await get('publicAccessBlock')), block(false, false, true, false))
  assert.equal(await remove('publicAccessBlock'), 204)
  assert.equal(await remove('publicAccessBlock'), 204)
  assert.equal(bucket()?.publicAccessBlock, undefined)
  assert.deepEqual(await refused('GET', 'publicAccessBlock'), [
    ...[404, 'NoSuchPublicAccessBlockConfiguration'],
    'The public access block configuration was not found',
  ])
})

const grant = (id: string, permission: string) =>
  `<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>${id}</ID></Grantee><Permission>${permission}</Permission></Grant>`
const aclOf = (owner: string, ...grants: readonly string[]) =>
  `<AccessControlPolicy><Owner><ID>${owner}</ID></Owner><AccessControlList>${grants.join('')}</AccessControlList></AccessControlPolicy>`

test('ACLs are off', async (t) => {
  const { house, get, put, refused } = await openHouse(t)
  const id = canonicalUserId(account)
  assert.match(id, /^[0-9a-f]{64}$/)
  assert.notEqual(id, canonicalUserId(otherAccount))
  const own = aclOf(id, grant(id, 'FULL_CONTROL'))
  assert.equal(`<AccessControlPolicy>${inside(await get('acl'))}</AccessControlPolicy>`, own)
  const unsupported = [400, 'AccessControlListNotSupported', 'The bucket does not allow ACLs']
  const other = canonicalUserId(otherAccount)
  for (const body of [
    aclOf(id),
    aclOf(id, grant(id, 'READ')),
    aclOf(id, grant(other, 'FULL_CONTROL')),
    aclOf(id, grant(id, 'FULL_CONTROL'), grant(other, 'READ')),
  ]) {
    assert.deepEqual(await refused('PUT', 'acl', body), unsupported)
  }
  const query = { acl: '' }
  for (const [name, value] of [
    ['x-amz-acl', 'public-read'],
    ['x-amz-grant-full-control', `id=${other}`],
  ] as const) {
    const sending = { query, headers: { [name]: value } }
    assert.deepEqual(await refusal(house, 'PUT', '/mine', sending), unsupported)
  }
  assert.deepEqual(await refused('PUT', 'acl'), [
    ...[400, 'MissingSecurityHeader', 'Your request was missing a required header'],
  ])
  await put('acl', own)
  await s3Ok(house, 'PUT', '/mine', { query, headers: { 'x-amz-acl': 'private' } })
})

test('what no bucket has is answered as AWS answers for a bucket that has none', async (t) => {
  const { house, get, refused, remove } = await openHouse(t)
  const missing: Readonly<Record<string, readonly [string, string]>> = {
    cors: ['NoSuchCORSConfiguration', 'The CORS configuration does not exist'],
    lifecycle: ['NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist'],
    website: [
      ...(['NoSuchWebsiteConfiguration'] as const),
      'The specified bucket does not have a website configuration',
    ],
    replication: [
      ...(['ReplicationConfigurationNotFoundError'] as const),
      'The replication configuration was not found',
    ],
    'object-lock': [
      ...(['ObjectLockConfigurationNotFoundError'] as const),
      'Object Lock configuration does not exist for this bucket',
    ],
  }
  for (const [name, said] of Object.entries(missing)) {
    assert.deepEqual(await refused('GET', name), [404, ...said])
    const { text } = await s3Call(house, 'GET', '/mine', { query: { [name]: '' } })
    assert.match(text, /<BucketName>mine<\/BucketName>/)
    if (name !== 'object-lock') assert.equal(await remove(name), 204)
  }
  const root = (name: string, inner = '') =>
    `<${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</${name}>`
  const empty: Readonly<Record<string, string>> = {
    logging: root('BucketLoggingStatus'),
    notification: root('NotificationConfiguration'),
    requestPayment: root('RequestPaymentConfiguration', '<Payer>BucketOwner</Payer>'),
    accelerate: root('AccelerateConfiguration'),
  }
  for (const [name, document] of Object.entries(empty)) {
    assert.equal((await get(name)).split('?>\n')[1], document)
  }
  for (const name of [...Object.keys(missing), ...Object.keys(empty)]) {
    const [status, error] = await refused('PUT', name, '<Configuration><Any/></Configuration>')
    assert.deepEqual([status, error], [501, 'NotImplemented'], name)
  }
})

test('nobody has a long body read for nothing', async (t) => {
  const { house } = await openHouse(t)
  const queries = ['encryption', 'versioning', 'tagging', 'ownershipControls', 'publicAccessBlock']
  for (const query of [...queries, 'acl', 'cors', 'lifecycle', '']) {
    const put = (bytes: number) =>
      s3Call(house, 'PUT', '/mine', {
        query: query === '' ? {} : { [query]: '' },
        body: ' '.repeat(bytes),
        key: house.otherKey,
      })
    assert.equal((await put(256 * 1024 + 1)).error, 'MaxMessageLengthExceeded', query)
    assert.notEqual((await put(256 * 1024)).error, 'MaxMessageLengthExceeded', query)
  }
})

test('two who change a bucket at once: both changes are there', async (t) => {
  const { put, bucket } = await openHouse(t)
  await Promise.all([
    put('tagging', tags(['a', '1'])),
    put('versioning', versioning('<Status>Enabled</Status>')),
    put('encryption', rules(rule(kms))),
  ])
  assert.deepEqual(bucket()?.tags, [{ key: 'a', value: '1' }])
  assert.equal(bucket()?.versioning, 'enabled')
  assert.equal(bucket()?.encryption?.algorithm, 'aws:kms')
})
