import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { type Answer, account, House, otherAccount, region } from './testing/house.ts'

/**
 * What a caller can tell of the keys of other accounts: whatever is asked, and however it is combined, a key that is
 * there and not shared is answered and recorded like one that is not there.
 */
const plaintext = Buffer.from('plaintext').toString('base64')
const absentId = '00000000-0000-4000-8000-000000000000'
const arnOf = (owner: string, resource: string) => `arn:aws:kms:us-east-1:${owner}:${resource}`

function policyOf(...statements: readonly (readonly [string, string | readonly string[]])[]) {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map(([id, Action]) => ({
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${id}:root` },
      Action,
      Resource: '*',
    })),
  })
}

async function world(t: TestContext) {
  const house = await House.open(t)
  const foreign = { key: house.otherKey }
  const encrypted = async (KeyId: string, sending: object) =>
    (await house.ok('Encrypt', { KeyId, Plaintext: plaintext }, sending))['CiphertextBlob']
  const own = await house.newKey()
  const hidden = await house.newKey({}, foreign)
  const shared = await house.newKey(
    { Policy: policyOf([otherAccount, 'kms:*'], [account, ['kms:ReEncrypt*', 'kms:Encrypt']]) },
    foreign,
  )
  await house.ok('CreateAlias', { AliasName: 'alias/there', TargetKeyId: hidden }, foreign)
  const gone = await house.newKey({}, foreign)
  const blobs = {
    own: await encrypted(own, {}),
    hidden: await encrypted(hidden, foreign),
    shared: await encrypted(shared, foreign),
    gone: await encrypted(gone, foreign),
  }
  const key = house.state.key(region, gone)
  assert.ok(key)
  await house.mirror.commit([house.state.removeKey(key)], [])
  return { house, own, hidden, shared, gone, blobs }
}

type World = Awaited<ReturnType<typeof world>>

/** Everything that the caller gets, now and from LookupEvents, without the ids and with one name for both keys. */
function seen({ house, hidden, gone, blobs }: World, answer: Answer): string {
  const records = house.recordsOf(answer).filter((event) => event.recipientAccountId === account)
  assert.equal(records.length, 1)
  const { eventID, requestID, ...event } = records[0] ?? {}
  let text = JSON.stringify({ status: answer.status, body: answer.body, event })
  for (const name of [hidden, gone, absentId]) text = text.replaceAll(name, 'KEY')
  for (const name of ['alias/there', 'alias/nowhere']) text = text.replaceAll(name, 'ALIAS')
  for (const blob of [blobs.hidden, blobs.gone]) text = text.replaceAll(String(blob), 'BLOB')
  return text
}

describe('a key of another account that is not shared, and one that is not there', () => {
  const names: readonly (readonly [string, string])[] = [
    ['key', 'absent key'],
    ['alias', 'absent alias'],
  ]
  const nameOf = (hidden: string): Readonly<Record<string, string>> => ({
    key: arnOf(otherAccount, `key/${hidden}`),
    'absent key': arnOf(otherAccount, `key/${absentId}`),
    alias: arnOf(otherAccount, 'alias/there'),
    'absent alias': arnOf(otherAccount, 'alias/nowhere'),
  })
  const calls: readonly (readonly [string, object])[] = [
    ['Encrypt', { Plaintext: plaintext }],
    ['Decrypt', {}],
    ['GenerateDataKey', { KeySpec: 'AES_256' }],
    ['GenerateDataKeyWithoutPlaintext', { KeySpec: 'AES_256' }],
    ['DescribeKey', {}],
    ['GetKeyPolicy', {}],
    ['PutKeyPolicy', { Policy: '{}' }],
    ['ScheduleKeyDeletion', {}],
    ['ListResourceTags', {}],
    ['UntagResource', { TagKeys: ['a'] }],
    ['UpdateKeyDescription', { Description: 'd' }],
  ]
  const variants: readonly (readonly [string, object])[] = [
    ['as it is', {}],
    ['with a grant token', { GrantTokens: ['token'] }],
    ['as a dry run', { DryRun: true }],
    ['that ignores the ciphertext', { DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT'] }],
    ['with a context that is too large', { EncryptionContext: { a: 'b'.repeat(9000) } }],
    ['with an algorithm of other keys', { EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' }],
  ]

  test('are told apart by no operation', async (t) => {
    const made = await world(t)
    const { house, hidden, blobs } = made
    const name = nameOf(hidden)
    for (const [operation, input] of calls) {
      for (const [variant, more] of variants) {
        for (const [there, absent] of names) {
          const found = []
          for (const KeyId of [name[there], name[absent]]) {
            const blob = operation === 'Decrypt' ? { CiphertextBlob: blobs.own } : {}
            const answer = await house.call(operation, { ...input, ...more, ...blob, KeyId })
            assert.notEqual(answer.status, 200)
            found.push(seen(made, answer))
          }
          assert.equal(found[0], found[1], `${operation} ${variant}, by ${there}`)
        }
      }
    }
  })

  test('nor by a ciphertext', async (t) => {
    const made = await world(t)
    const { house, hidden, gone, blobs } = made
    for (const [variant, more] of variants) {
      for (const bare of [false, true]) {
        const found = []
        for (const [CiphertextBlob, id] of [
          [blobs.hidden, hidden],
          [blobs.gone, gone],
        ]) {
          const KeyId = bare ? id : undefined
          const answer = await house.call('Decrypt', { ...more, CiphertextBlob, KeyId })
          assert.notEqual(answer.status, 200)
          found.push(seen(made, answer))
        }
        assert.equal(found[0], found[1], `Decrypt ${variant}`)
      }
    }
  })

  test('are told apart on no side of a ReEncrypt, whatever the other side is', async (t) => {
    const made = await world(t)
    const { house, own, hidden, shared, gone, blobs } = made
    const name = nameOf(hidden)
    const denied = await house.newKey({
      Policy: policyOf([otherAccount, 'kms:*']),
      BypassPolicyLockoutSafetyCheck: true,
    })
    const blob = { CiphertextBlob: blobs.own }
    const sources: Readonly<Record<string, object>> = {
      own: { ...blob, SourceKeyId: own },
      'own, from the ciphertext': blob,
      'own, denied': { ...blob, SourceKeyId: denied },
      'own, absent': { ...blob, SourceKeyId: absentId },
      'own alias, absent': { ...blob, SourceKeyId: 'alias/none' },
      shared: { CiphertextBlob: blobs.shared, SourceKeyId: arnOf(otherAccount, `key/${shared}`) },
      key: { ...blob, SourceKeyId: name['key'] },
      'absent key': { ...blob, SourceKeyId: name['absent key'] },
      alias: { ...blob, SourceKeyId: name['alias'] },
      'absent alias': { ...blob, SourceKeyId: name['absent alias'] },
      ciphertext: { CiphertextBlob: blobs.hidden },
      'absent ciphertext': { CiphertextBlob: blobs.gone },
      id: { CiphertextBlob: blobs.hidden, SourceKeyId: hidden },
      'absent id': { CiphertextBlob: blobs.gone, SourceKeyId: gone },
    }
    const destinations: Readonly<Record<string, object>> = {
      own: { DestinationKeyId: own },
      'own, denied': { DestinationKeyId: denied },
      'own, absent': { DestinationKeyId: absentId },
      'own alias, absent': { DestinationKeyId: 'alias/none' },
      'of no Region': { DestinationKeyId: 'arn:aws:kms:eu-west-9:444455556666:key/x' },
      shared: { DestinationKeyId: arnOf(otherAccount, `key/${shared}`) },
      key: { DestinationKeyId: name['key'] },
      'absent key': { DestinationKeyId: name['absent key'] },
      alias: { DestinationKeyId: name['alias'] },
      'absent alias': { DestinationKeyId: name['absent alias'] },
    }
    const outcomes = new Map<string, string>()
    const errors = new Map<string, string | undefined>()
    for (const [source, from] of Object.entries(sources)) {
      for (const [destination, to] of Object.entries(destinations)) {
        const answer = await house.call('ReEncrypt', { ...from, ...to })
        errors.set(`${source} > ${destination}`, answer.error)
        outcomes.set(`${source} > ${destination}`, seen(made, answer))
      }
    }
    let compared = 0
    const twins = (side: Readonly<Record<string, object>>, one: string) =>
      `absent ${one}` in side ? [one, `absent ${one}`] : [one]
    for (const source of Object.keys(sources)) {
      for (const destination of Object.keys(destinations)) {
        for (const twin of twins(sources, source)) {
          for (const other of twins(destinations, destination)) {
            const pair = `${source} > ${destination}`
            const hiddenPair = `${twin} > ${other}`
            if (pair === hiddenPair) continue
            assert.equal(outcomes.get(pair), outcomes.get(hiddenPair), `${pair} and ${hiddenPair}`)
            compared++
          }
        }
      }
    }
    assert.ok(compared > 70, `compared ${compared}`)
    // The own account's failures are told, and what is shared works.
    assert.equal(errors.get('own > own'), undefined)
    assert.equal(errors.get('shared > own'), undefined)
    assert.equal(errors.get('own > shared'), undefined)
    assert.equal(errors.get('key > own, absent'), 'NotFoundException')
    assert.equal(errors.get('own, absent > key'), 'NotFoundException')
    assert.equal(errors.get('key > own'), 'AccessDeniedException')
    assert.equal(errors.get('shared > key'), 'AccessDeniedException')
    assert.match(outcomes.get('key > alias') ?? '', /perform: kms:ReEncryptFrom on this resource/)
    assert.match(outcomes.get('own > alias') ?? '', /perform: kms:ReEncryptTo on this resource/)
  })
})

describe('the record of the caller’s account', () => {
  test('of a denied call names no key of another account, its own keys it names', async (t) => {
    const { house, own, hidden } = await world(t)
    await house.ok(
      'CreateAlias',
      { AliasName: 'alias/x', TargetKeyId: hidden },
      { key: house.otherKey },
    )
    const KeyId = arnOf(otherAccount, 'alias/x')
    const denied = await house.call('Encrypt', { KeyId, Plaintext: plaintext })
    assert.equal(denied.error, 'AccessDeniedException')
    const text = JSON.stringify(house.recordsOf(denied))
    assert.ok(text.includes('alias/x'))
    assert.ok(!text.includes(hidden))
    assert.equal(house.recordsOf(denied)[0]?.resources, undefined)
    await house.ok('PutKeyPolicy', {
      KeyId: own,
      Policy: policyOf([account, 'kms:PutKeyPolicy']),
    })
    const ownDenied = await house.call('Encrypt', { KeyId: own, Plaintext: plaintext })
    assert.deepEqual(
      house.recordsOf(ownDenied)[0]?.resources?.map(({ ARN }) => ARN),
      [arnOf(account, `key/${own}`)],
    )
  })

  test('of a call that was allowed and failed names the key', async (t) => {
    const { house, shared } = await world(t)
    const KeyId = arnOf(otherAccount, `key/${shared}`)
    await house.ok('DisableKey', { KeyId: shared }, { key: house.otherKey })
    const failed = await house.call('Encrypt', { KeyId, Plaintext: plaintext })
    assert.equal(failed.error, 'DisabledException')
    assert.deepEqual(
      house
        .recordsOf(failed)
        .map((event) => [event.recipientAccountId, event.resources?.map(({ ARN }) => ARN)]),
      [[account, [KeyId]]],
    )
  })
})

test('the copy of a ReEncrypt shows each owner its own side', async (t) => {
  const { house, own, shared, blobs } = await world(t)
  const foreignArn = arnOf(otherAccount, `key/${shared}`)
  const ownArn = arnOf(account, `key/${own}`)
  const out = await house.call('ReEncrypt', {
    CiphertextBlob: blobs.shared,
    DestinationKeyId: own,
    DestinationEncryptionContext: { whose: 'the caller' },
  })
  const [ownRecord, copy] = house.recordsOf(out)
  assert.deepEqual(
    ownRecord?.resources?.map(({ ARN }) => ARN),
    [foreignArn, ownArn],
  )
  assert.equal(copy?.recipientAccountId, otherAccount)
  assert.deepEqual(
    copy?.resources?.map(({ ARN }) => ARN),
    [foreignArn],
  )
  assert.deepEqual(copy?.requestParameters, { sourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT' })
  const text = JSON.stringify(copy)
  for (const secret of [own, 'the caller', house.state.key(region, own)?.currentMaterialId]) {
    assert.ok(!text.includes(String(secret)), `the source's owner sees ${secret}`)
  }

  const into = await house.call('ReEncrypt', {
    CiphertextBlob: blobs.own,
    SourceKeyId: own,
    DestinationKeyId: foreignArn,
    DestinationEncryptionContext: { whose: 'both' },
  })
  const [, given] = house.recordsOf(into)
  assert.equal(given?.recipientAccountId, otherAccount)
  assert.deepEqual(
    given?.resources?.map(({ ARN }) => ARN),
    [foreignArn],
  )
  assert.deepEqual(given?.requestParameters, {
    destinationKeyId: foreignArn,
    destinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    destinationEncryptionContext: { whose: 'both' },
  })
  const { currentMaterialId } = house.state.key(region, own) ?? {}
  for (const secret of [own, currentMaterialId]) {
    assert.ok(!JSON.stringify(given).includes(String(secret)), `the owner sees ${secret}`)
  }
})
