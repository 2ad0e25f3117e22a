import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { bindPrincipals } from '../authorize/policy/bind.ts'
import type { TrailRecord } from '../services/cloudtrail/trails.ts'
import { wholeItem } from '../services/config/item.ts'
import { textDigest } from '../storage/port.ts'
import { account, House, region } from '../testing/house.ts'
import { s3Ok } from '../testing/s3-calls.ts'
import { isLeft, type StoredItem } from './item.ts'

const open = (context: TestContext) => House.open(context)

function itemsOf(house: House, resourceId?: string): readonly StoredItem[] {
  return house.journal.others
    .filter(({ kind }) => kind === 'item')
    .map(({ record }) => JSON.parse(record) as StoredItem)
    .filter((item) => resourceId === undefined || item.resourceId === resourceId)
}

function members(object: object | undefined): Readonly<Record<string, unknown>> {
  assert.ok(object !== undefined && !isLeft(object))
  return object as Readonly<Record<string, unknown>>
}

/** Lets the outbox show that nothing is left in it. */
async function requireSettled(house: House): Promise<void> {
  assert.deepEqual(await house.store.outbox(), [])
}

const policyFor = (arn: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
      { Effect: 'Allow', Principal: { AWS: arn }, Action: 'kms:Encrypt', Resource: '*' },
    ],
  })

describe('no configuration item', () => {
  test('is made of what was refused', async (context) => {
    const house = await open(context)
    const KeyId = await house.newKey()
    const stranger = await house.addUser({ name: 'stranger' })
    const before = itemsOf(house).length
    assert.equal((await house.call('DisableKey', { KeyId }, { key: stranger })).status, 400)
    assert.equal((await house.call('PutKeyPolicy', { KeyId, Policy: '{' })).status, 400)
    assert.equal(
      (await house.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 400 })).status,
      400,
    )
    assert.equal(itemsOf(house).length, before)
  })

  test('is made of a commit that somebody was faster than', async (context) => {
    const house = await open(context)
    const KeyId = await house.newKey()
    const key = house.state.key(region, KeyId)
    assert.ok(key !== undefined)
    const put = house.state.replaceKey(key, { ...key, description: 'theirs' })
    await house.ok('DisableKey', { KeyId })
    await assert.rejects(house.mirror.commit([put], []), /revision|present/)
    assert.deepEqual(
      itemsOf(house, KeyId).map((item) => item.configurationItemStatus),
      ['ResourceDiscovered', 'OK'],
    )
    await requireSettled(house)
  })

  test('is made of rows that go along unchanged, of reads, of use and of access keys', async (context) => {
    const house = await open(context)
    const KeyId = await house.newKey()
    const before = itemsOf(house).length
    const key = house.state.key(region, KeyId)
    assert.ok(key !== undefined)
    await house.mirror.commit([house.state.replaceKey(key, key)], [])
    await house.ok('DescribeKey', { KeyId })
    await house.ok('Encrypt', { KeyId, Plaintext: 'AAAA' })
    await house.ok('EnableKey', { KeyId })
    assert.equal(itemsOf(house).length, before)
    assert.equal((await house.store.outbox()).length, 0)
  })

  test('is made of a new wrapping of the same material', async (context) => {
    const house = await open(context)
    const KeyId = await house.newKey()
    const key = house.state.key(region, KeyId)
    assert.ok(key !== undefined)
    const [material] = house.state.materialsOf(key)
    assert.ok(material !== undefined)
    const rewrapped = { ...material, generation: material.generation + 1 }
    const put = house.state.materials.put(`${region}/${KeyId}/${material.materialId}`, rewrapped)
    assert.deepEqual(await house.mirror.commit([put], []), [])
  })
})

describe('a key', () => {
  test('has an item of each change, with the event that it came of, in the order of their states', async (context) => {
    const house = await open(context)
    const created = await house.call('CreateKey', {
      Description: 'd',
      Tags: [{ TagKey: 'a', TagValue: 'b' }],
    })
    const { KeyId, Arn } = (created.body as { KeyMetadata: { KeyId: string; Arn: string } })
      .KeyMetadata
    const answers = [created]
    for (const [operation, input] of [
      ['UpdateKeyDescription', { KeyId, Description: 'e' }],
      ['TagResource', { KeyId, Tags: [{ TagKey: 'c', TagValue: 'd' }] }],
      ['EnableKeyRotation', { KeyId, RotationPeriodInDays: 100 }],
      ['RotateKeyOnDemand', { KeyId }],
      ['DisableKey', { KeyId }],
      ['ScheduleKeyDeletion', { KeyId }],
    ] as const) {
      const answer = await house.call(operation, input)
      assert.equal(answer.status, 200, operation)
      answers.push(answer)
    }
    const items = itemsOf(house, KeyId)
    assert.equal(items.length, answers.length)
    for (const [index, answer] of answers.entries()) {
      const [event] = house.recordsOf(answer)
      assert.ok(items[index]?.relatedEvents.includes(event?.eventID ?? ''), `${event?.eventName}`)
    }
    assert.deepEqual(
      items.map((item) => item.configurationItemStatus),
      ['ResourceDiscovered', ...Array.from({ length: 6 }, () => 'OK' as const)],
    )
    const states = items.map((item) => Number(item.configurationStateId))
    assert.deepEqual(
      states,
      [...new Set(states)].sort((a, b) => a - b),
    )
    assert.equal(new Set(items.map((item) => item.eventID)).size, items.length)
    const [first] = items
    assert.deepEqual(
      [first?.arn, first?.resourceType, first?.awsRegion, first?.accountId, first?.version],
      [Arn, 'AWS::KMS::Key', region, account, '1.3'],
    )
    assert.deepEqual(first?.tags, { a: 'b' })
    const configuration = members(items.at(-1)?.configuration)
    assert.equal(configuration['keyState'], 'PendingDeletion')
    assert.equal(configuration['awsaccountId'], account)
    assert.equal(typeof configuration['deletionDate'], 'string')
    const supplementary = members(items[3]?.supplementaryConfiguration)
    assert.deepEqual(
      [supplementary['KeyRotationStatus'], supplementary['RotationPeriodInDays']],
      ['true', '100'],
    )
    assert.notEqual(
      members(items[4]?.supplementaryConfiguration)['CurrentKeyMaterialId'],
      supplementary['CurrentKeyMaterialId'],
    )
    await requireSettled(house)
  })

  test('shows its policy with names, and the digest of what decides', async (context) => {
    const house = await open(context)
    const KeyId = await house.newKey()
    const alice = await house.addUser({ name: 'alice' })
    const Policy = policyFor(alice.arn)
    await house.ok('PutKeyPolicy', { KeyId, Policy })
    const item = itemsOf(house, KeyId).at(-1)
    const supplementary = members(item?.supplementaryConfiguration)
    assert.equal(supplementary['Policy'], Policy)
    const bound = bindPrincipals(Policy, 'key', house.assembly.principals)
    assert.equal(supplementary['PolicySha256'], textDigest(bound))
    await house.ok('PutKeyPolicy', { KeyId, Policy: policyFor(`arn:aws:iam::${account}:root`) })
    assert.equal(await house.store.archived(textDigest(bound)), bound)
  })

  test('that related keys change with: the primary shows a replica that comes', async (context) => {
    const house = await House.open(context, { regions: [region, 'eu-west-1' as typeof region] })
    const KeyId = await house.newKey({ MultiRegion: true })
    await house.ok('ReplicateKey', { KeyId, ReplicaRegion: 'eu-west-1' })
    const primary = itemsOf(house, KeyId).filter((item) => item.awsRegion === region)
    assert.deepEqual(
      primary.map((item) => item.configurationItemStatus),
      ['ResourceDiscovered', 'OK'],
    )
    const shown = members(primary.at(-1)?.configuration)['multiRegionConfiguration']
    assert.match(JSON.stringify(shown), /"replicaKeys":\[\{"arn":"arn:aws:kms:eu-west-1/)
    const replica = itemsOf(house, KeyId).filter((item) => item.awsRegion === 'eu-west-1')
    assert.deepEqual(
      replica.map((item) => item.configurationItemStatus),
      ['ResourceDiscovered'],
    )
  })

  test('with a policy and tags that are too long for a record: the members are in the archive', async (context) => {
    const house = await open(context)
    const KeyId = await house.newKey()
    const key = house.state.key(region, KeyId)
    assert.ok(key !== undefined)
    house.journal.maxRecordBytes = 12_288
    const [TagKey, TagValue] = ['k', 'é"'.repeat(128)]
    const tags = Array.from({ length: 50 }, (_, at) => ({ TagKey: `${TagKey}${at}`, TagValue }))
    const description = '\u0007'.repeat(8192)
    const policy = policyFor(`arn:aws:iam::${account}:root`) + ' '.repeat(20_000)
    const put = house.state.replaceKey(key, { ...key, tags, description, policy })
    const [entry] = await house.mirror.commit([put], [])
    assert.ok(entry !== undefined && Buffer.byteLength(entry.record) <= 12_288)
    const item = JSON.parse(entry.record) as StoredItem
    assert.deepEqual([item.resourceId, item.configurationItemStatus], [KeyId, 'OK'])
    const [large, small, other] = ['supplementaryConfiguration', 'configuration', 'tags']
    assert.deepEqual(item.left, [large, small, other])
    const read = await wholeItem(entry.record, house.store)
    assert.equal(Object.keys(read['tags'] as object).length, 50)
    const whole: Record<string, unknown> = {}
    for (const name of ['supplementaryConfiguration', 'configuration', 'tags'] as const) {
      const left = item[name]
      assert.ok(isLeft(left), name)
      const text = await house.store.archived(left['kagiban:sha256'])
      whole[name] = JSON.parse(text ?? 'null')
    }
    assert.equal((whole['supplementaryConfiguration'] as { Policy: string }).Policy, policy)
    assert.equal((whole['configuration'] as { description: string }).description, description)
    assert.equal(Object.keys(whole['tags'] as object).length, 50)
  })
})

test('a tag that is called like the digest of a text brings no text of the archive', async (context) => {
  const house = await open(context)
  const archived = '{"secret":"of another account"}'
  await house.store.commit({ puts: [], events: [], archive: [archived] })
  const digest = textDigest(archived)
  for (const TagValue of [digest, 'nonsense']) {
    const Tags = [{ TagKey: 'kagiban:sha256', TagValue }]
    await house.newKey({ Tags })
    const entry = house.journal.others.at(-1)
    assert.ok(entry !== undefined)
    const item = await wholeItem(entry.record, house.store)
    assert.deepEqual(item['tags'], { 'kagiban:sha256': TagValue })
  }
})

describe('aliases, grants, identities and trails', () => {
  test('are discovered, change and go', async (context) => {
    const house = await open(context)
    const [one, two] = [await house.newKey(), await house.newKey()]
    await house.ok('CreateAlias', { AliasName: 'alias/x', TargetKeyId: one })
    await house.ok('UpdateAlias', { AliasName: 'alias/x', TargetKeyId: two })
    await house.ok('DeleteAlias', { AliasName: 'alias/x' })
    const aliases = itemsOf(house, 'alias/x')
    assert.deepEqual(
      aliases.map((item) => [item.configurationItemStatus, item.relationships]),
      [
        [
          'ResourceDiscovered',
          [
            {
              resourceType: 'AWS::KMS::Key',
              resourceId: one,
              resourceName: one,
              relationshipName: 'Is associated with Key',
            },
          ],
        ],
        [
          'OK',
          [
            {
              resourceType: 'AWS::KMS::Key',
              resourceId: two,
              resourceName: two,
              relationshipName: 'Is associated with Key',
            },
          ],
        ],
        ['ResourceDeleted', []],
      ],
    )
    assert.equal(aliases.at(-1)?.configuration, undefined)

    const alice = await house.addUser({ name: 'alice' })
    const keyItems = itemsOf(house, one).length
    const { GrantId } = (await house.ok('CreateGrant', {
      KeyId: one,
      Name: 'n',
      GranteePrincipal: alice.arn,
      Operations: ['Decrypt'],
      Constraints: { EncryptionContextEquals: { a: 'b' } },
    })) as { GrantId: string }
    await house.ok('RevokeGrant', { KeyId: one, GrantId })
    const grants = itemsOf(house, GrantId)
    assert.deepEqual(
      grants.map((item) => item.configurationItemStatus),
      ['ResourceDiscovered', 'ResourceDeleted'],
    )
    const granted = members(grants[0]?.configuration)
    assert.deepEqual(
      [
        granted['granteePrincipal'],
        granted['operations'],
        granted['encryptionContextEquals'],
        granted['keyId'],
      ],
      [alice.arn, ['Decrypt'], { a: 'b' }, one],
    )
    assert.equal(itemsOf(house, one).length, keyItems, 'a grant is no change of its key')
  })

  test('identities by their unique ids, over a new name', async (context) => {
    const house = await open(context)
    const { users } = house.tables.identities
    const alice = await house.addUser({ name: 'alice' })
    const before = users.byId(alice.id)
    assert.ok(before !== undefined)
    const committed = await house.mirror.commit(
      users.rename(before, { ...before, userName: 'bob', inline: { p: '{"Statement":[]}' } }),
      [{ id: 'an-event', record: '{}' }],
    )
    const items = committed
      .filter(({ kind }) => kind === 'item')
      .map(({ record }) => JSON.parse(record) as StoredItem)
    assert.equal(items.length, 1)
    const [item] = items
    assert.deepEqual(
      [
        item?.resourceId,
        item?.resourceName,
        item?.configurationItemStatus,
        item?.awsRegion,
        item?.relatedEvents,
      ],
      [alice.id, 'bob', 'OK', 'global', ['an-event']],
    )
    const { userPolicyList } = members(item?.configuration)
    assert.deepEqual(userPolicyList, [
      { policyName: 'p', policyDocument: encodeURIComponent('{"Statement":[]}') },
    ])
  })

  test('trails', async (context) => {
    const house = await open(context)
    const { trails } = house.tables
    const arn = `arn:aws:cloudtrail:${region}:${account}:trail/t`
    const trail: TrailRecord = {
      arn,
      name: 't',
      account,
      homeRegion: region,
      bucket: 'b',
      multiRegion: false,
      globalServiceEvents: true,
      validation: true,
      logging: false,
      tags: [],
    }
    const row = `${region}/${account}/t`
    const made = await house.mirror.commit([trails.rows.put(row, trail)], [])
    const started = await house.mirror.commit(
      [trails.rows.put(row, { ...trail, logging: true, startedAt: 5 })],
      [],
    )
    const gone = await house.mirror.commit([trails.rows.remove(row)], [])
    assert.deepEqual(
      [...made, ...started, ...gone].map(
        ({ record }) => (JSON.parse(record) as StoredItem).configurationItemStatus,
      ),
      ['ResourceDiscovered', 'OK', 'ResourceDeleted'],
    )
  })

  test('buckets', async (context) => {
    const house = await open(context)
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: (await house.addUser({ name: 'ann' })).arn },
          Action: 's3:GetObject',
          Resource: 'arn:aws:s3:::ledger/*',
        },
      ],
    })
    const rule = '<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>alias/x</KMSMasterKeyID>'
    const encryption =
      '<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule>' +
      `<ApplyServerSideEncryptionByDefault>${rule}</ApplyServerSideEncryptionByDefault>` +
      '<BucketKeyEnabled>true</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>'
    await s3Ok(house, 'PUT', '/ledger')
    await s3Ok(house, 'PUT', '/ledger', { query: { policy: '' }, body: Policy })
    await s3Ok(house, 'PUT', '/ledger', { query: { encryption: '' }, body: encryption })
    await s3Ok(house, 'PUT', '/ledger', {
      query: { versioning: '' },
      body: '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>',
    })
    await s3Ok(house, 'DELETE', '/ledger', { query: { publicAccessBlock: '' } })
    await s3Ok(house, 'PUT', '/ledger/an/object', {
      headers: { 'x-amz-server-side-encryption': 'AES256' },
      body: 'is no item',
    })
    await s3Ok(house, 'DELETE', '/ledger/an/object', { query: { versionId: await only(house) } })
    await s3Ok(house, 'DELETE', '/ledger')
    const items = itemsOf(house, 'ledger')
    assert.deepEqual(
      items.map(({ configurationItemStatus: status }) => status),
      ['ResourceDiscovered', 'OK', 'OK', 'OK', 'OK', 'ResourceDeleted'],
    )
    const [made, ...changed] = items
    assert.deepEqual(
      [made?.resourceType, made?.arn, made?.resourceName, made?.awsRegion],
      ['AWS::S3::Bucket', 'arn:aws:s3:::ledger', 'ledger', region],
    )
    const all = (item: StoredItem | undefined) =>
      Object.fromEntries(
        Object.entries(members(item?.supplementaryConfiguration)).map(([name, text]) => [
          name,
          name === 'PolicySha256' ? text : JSON.parse(String(text)),
        ]),
      )
    const blocked = {
      ...{ blockPublicAcls: true, ignorePublicAcls: true },
      ...{ blockPublicPolicy: true, restrictPublicBuckets: true },
    }
    const [byDefault, key] = ['AES256', 'aws:kms'].map((sseAlgorithm) => ({
      sseAlgorithm,
      kmsMasterKeyID: sseAlgorithm === 'AES256' ? null : 'alias/x',
    }))
    assert.deepEqual(all(made), {
      BucketPolicy: { policyText: null },
      BucketVersioningConfiguration: { status: 'Off', isMfaDeleteEnabled: null },
      ServerSideEncryptionConfiguration: {
        rules: [{ applyServerSideEncryptionByDefault: byDefault, bucketKeyEnabled: false }],
      },
      PublicAccessBlockConfiguration: blocked,
      OwnershipControls: { rules: [{ objectOwnership: 'BucketOwnerEnforced' }] },
    })
    const last = all(changed.at(-2))
    const stored = bindPrincipals(Policy, 'bucket', house.assembly.principals)
    assert.notEqual(stored, Policy)
    assert.deepEqual(last, {
      BucketPolicy: { policyText: Policy },
      PolicySha256: textDigest(stored),
      BucketVersioningConfiguration: { status: 'Enabled', isMfaDeleteEnabled: null },
      ServerSideEncryptionConfiguration: {
        rules: [{ applyServerSideEncryptionByDefault: key, bucketKeyEnabled: true }],
      },
      OwnershipControls: { rules: [{ objectOwnership: 'BucketOwnerEnforced' }] },
    })
    const events = house.journal.events.filter(({ eventID }) =>
      changed[0]?.relatedEvents.includes(eventID),
    )
    assert.deepEqual(
      events.map(({ eventName }) => eventName),
      ['PutBucketPolicy'],
    )
  })
})

/** The id of the one version in the bucket. */
async function only(house: House): Promise<string> {
  const { text } = await s3Ok(house, 'GET', '/ledger', { query: { versions: '' } })
  return /<VersionId>([^<]*)<\/VersionId>/.exec(text)?.[1] ?? assert.fail(text)
}
