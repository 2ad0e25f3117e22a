import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { parseRegion, type Region } from '../../base/ids.ts'
import {
  type Answer,
  account,
  House,
  otherAccount,
  region,
  type Sending,
} from '../../testing/house.ts'
import { type SelectableEvent, selects } from './selection.ts'

const elsewhere = parseRegion('eu-west-1') as Region
const arnOf = (name: string, home = region, owner = account) =>
  `arn:aws:cloudtrail:${home}:${owner}:trail/${name}`

async function opened(t: TestContext) {
  const house = await House.open(t, { regions: [region, elsewhere] })
  house.buckets.set('logs', undefined)
  house.buckets.set('closed', 'no-permission')
  const send = (operation: string, input: object, sending: Sending = {}) =>
    house.call(operation, input, {
      service: 'cloudtrail',
      target: `CloudTrail_20131101.${operation}`,
      ...sending,
    })
  const ok = async (operation: string, input: object, sending?: Sending) => {
    const answer = await send(operation, input, sending)
    assert.equal(answer.status, 200, `${operation}: ${answer.reply.body}`)
    return answer.body
  }
  const refused = async (
    [operation, input, sending]: readonly [string, object, (Sending | undefined)?],
    error: string,
    text?: RegExp,
  ): Promise<Answer> => {
    const answer = await send(operation, input, sending)
    assert.equal(answer.error, error, `${operation}: ${answer.reply.body}`)
    assert.equal(answer.status, 400)
    if (text !== undefined) assert.match(answer.message ?? '', text)
    return answer
  }
  const create = (Name = 'main', more: object = {}, sending?: Sending) =>
    ok('CreateTrail', { Name, S3BucketName: 'logs', ...more }, sending)
  const names = async (input: object = {}, sending?: Sending) => {
    const { trailList } = await ok('DescribeTrails', input, sending)
    return (trailList as { Name: string }[]).map(({ Name }) => Name)
  }
  return { house, send, ok, refused, create, names }
}

describe('what no trail is made of', () => {
  const badNames = [
    ['', /blank/],
    ['ab', /too short\. Minimum allowed length: 3 characters\. Specified name length: 2/],
    ['a'.repeat(129), /too long/],
    ['naïve', /can only contain/],
    ['-abc', /starts with/],
    ['abc-', /ends with/],
    ['a--b', /adjacent/],
    ['a._b', /adjacent/],
    ['192.168.5.4', /IP address/],
  ] as const
  const S3BucketName = 'logs'
  const table: readonly (readonly [object, string, RegExp?])[] = [
    ...badNames.map(
      ([Name, text]) => [{ Name, S3BucketName }, 'InvalidTrailNameException', text] as const,
    ),
    [{ Name: 'main' }, 'ValidationException', /s3BucketName/],
    [{ S3BucketName: 'Logs' }, 'InvalidS3BucketNameException'],
    [{ S3BucketName: 'a..b' }, 'InvalidS3BucketNameException'],
    [{ S3BucketName: 'nowhere' }, 'S3BucketDoesNotExistException', /nowhere does not exist/],
    [
      { S3BucketName: 'closed' },
      'InsufficientS3BucketPolicyException',
      /Incorrect S3 bucket policy/,
    ],
    [{ S3BucketName, S3KeyPrefix: 'x'.repeat(201) }, 'InvalidS3PrefixException'],
    [{ S3BucketName, S3KeyPrefix: 'a\nb' }, 'InvalidS3PrefixException'],
    [{ S3BucketName, S3KeyPrefix: '/a' }, 'InvalidS3PrefixException'],
    [{ S3BucketName, KmsKeyId: 'no such form' }, 'InvalidKmsKeyIdException'],
    [{ S3BucketName, KmsKeyId: 'alias/none' }, 'KmsKeyNotFoundException'],
    [
      { S3BucketName, IsMultiRegionTrail: true, IncludeGlobalServiceEvents: false },
      'InvalidParameterCombinationException',
      /Multi-Region trail must include global service events/,
    ],
    [{ S3BucketName, SnsTopicName: 'news' }, 'InsufficientSnsTopicPolicyException'],
    [
      { S3BucketName, CloudWatchLogsLogGroupArn: 'arn:aws:logs:us-east-1:1:log-group:x' },
      'CloudWatchLogsDeliveryUnavailableException',
    ],
    [
      { S3BucketName, CloudWatchLogsRoleArn: 'arn:aws:iam::1:role/x' },
      'CloudWatchLogsDeliveryUnavailableException',
    ],
    [{ S3BucketName, IsOrganizationTrail: true }, 'OrganizationsNotInUseException'],
    [
      { S3BucketName, TagsList: [{ Key: 'a' }, { Key: 'a', Value: 'b' }] },
      'InvalidTagParameterException',
    ],
    [{ S3BucketName, TagsList: [{ Key: 'AWS:x' }] }, 'InvalidTagParameterException'],
    [
      { S3BucketName, TagsList: Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}` })) },
      'TagsLimitExceededException',
    ],
  ]

  test('each with its own error, and nothing is left of it', async (t) => {
    const { refused, names } = await opened(t)
    for (const [input, error, text] of table) {
      await refused(['CreateTrail', { Name: 'main', ...input }], error, text)
    }
    assert.deepEqual(await names(), [])
  })

  test('a key that is not there, not symmetric, not enabled, of another Region or account', async (t) => {
    const { house, refused, ok } = await opened(t)
    const KeySpec = 'RSA_2048'
    const rsa = await house.newKey({ KeySpec, KeyUsage: 'SIGN_VERIFY' })
    const disabled = await house.newKey()
    await house.ok('DisableKey', { KeyId: disabled })
    const away = await house.newKey({}, { region: elsewhere })
    const foreign = await house.newKey({}, { key: house.otherKey })
    const foreignArn = `arn:aws:kms:${region}:${otherAccount}:key/${foreign}`
    const absent = foreignArn.replace(foreign, '1234abcd-12ab-34cd-56ef-1234567890ab')
    const input = { Name: 'main', S3BucketName: 'logs' }
    const withKey = (KmsKeyId: string) => ['CreateTrail', { ...input, KmsKeyId }] as const
    await refused(withKey(rsa), 'KmsException', /not a symmetric/)
    await refused(withKey(disabled), 'KmsException', /not enabled/)
    await refused(withKey(away), 'KmsKeyNotFoundException')
    const shown = await refused(withKey(foreignArn), 'KmsKeyNotFoundException')
    const none = await refused(withKey(absent), 'KmsKeyNotFoundException')
    assert.equal(shown.message?.replace(foreignArn, ''), none.message?.replace(absent, ''))
    const key = await house.newKey()
    await house.ok('CreateAlias', { AliasName: 'alias/trail', TargetKeyId: key })
    const arn = `arn:aws:kms:${region}:${account}:key/${key}`
    const made = await ok('CreateTrail', { ...input, KmsKeyId: 'alias/trail' })
    assert.equal(made['KmsKeyId'], arn)
    const updated = await ok('UpdateTrail', { Name: 'main', KmsKeyId: '' })
    assert.equal(updated['KmsKeyId'], undefined)
  })
})

describe('a trail', () => {
  test('is answered with its defaults, recorded, and does not log yet', async (t) => {
    const { house, ok, send } = await opened(t)
    const input = { Name: 'main', S3BucketName: 'logs', TagsList: [{ Key: 'team', Value: 'a' }] }
    const answer = await send('CreateTrail', input)
    const made = {
      Name: 'main',
      S3BucketName: 'logs',
      IncludeGlobalServiceEvents: true,
      IsMultiRegionTrail: false,
      TrailARN: arnOf('main'),
      LogFileValidationEnabled: false,
      IsOrganizationTrail: false,
      RecursiveLogging: true,
    }
    assert.deepEqual(answer.body, made)
    const [record] = house.recordsOf(answer)
    assert.equal(record?.readOnly, false)
    assert.deepEqual(record?.requestParameters, {
      name: 'main',
      s3BucketName: 'logs',
      tagsList: [{ key: 'team', value: 'a' }],
    })
    assert.deepEqual(record?.responseElements, {
      name: 'main',
      s3BucketName: 'logs',
      includeGlobalServiceEvents: true,
      isMultiRegionTrail: false,
      trailARN: arnOf('main'),
      logFileValidationEnabled: false,
      isOrganizationTrail: false,
      recursiveLogging: true,
    })
    assert.deepEqual(record?.resources, [
      { accountId: account, type: 'AWS::CloudTrail::Trail', ARN: arnOf('main') },
    ])
    const described = {
      ...made,
      HomeRegion: region,
      HasCustomEventSelectors: false,
      HasInsightSelectors: false,
    }
    assert.deepEqual((await ok('GetTrail', { Name: 'main' }))['Trail'], described)
    assert.deepEqual(await ok('DescribeTrails', {}), { trailList: [described] })
    assert.deepEqual(await ok('ListTrails', {}), {
      Trails: [{ TrailARN: arnOf('main'), Name: 'main', HomeRegion: region }],
    })
    assert.deepEqual(await ok('GetTrailStatus', { Name: arnOf('main') }), { IsLogging: false })
  })

  test('is changed in what is named alone', async (t) => {
    const { ok, create, refused, house } = await opened(t)
    await create('main', { S3KeyPrefix: 'audit', EnableLogFileValidation: true })
    house.buckets.set('more-logs', undefined)
    const updated = await ok('UpdateTrail', { Name: 'main', S3BucketName: 'more-logs' })
    assert.equal(updated['S3BucketName'], 'more-logs')
    assert.equal(updated['S3KeyPrefix'], 'audit')
    assert.equal(updated['LogFileValidationEnabled'], true)
    const cleared = await ok('UpdateTrail', {
      ...{ Name: arnOf('main'), S3KeyPrefix: '', SnsTopicName: '' },
      ...{ EnableLogFileValidation: false, RecursiveLogging: false },
    })
    assert.equal(cleared['S3KeyPrefix'], undefined)
    assert.equal(cleared['LogFileValidationEnabled'], false)
    assert.equal(cleared['RecursiveLogging'], false)
    const Name = 'main'
    await refused(
      ['UpdateTrail', { Name, S3BucketName: 'nowhere' }],
      'S3BucketDoesNotExistException',
    )
    await refused(
      ['UpdateTrail', { Name, SnsTopicName: 'x' }],
      'InsufficientSnsTopicPolicyException',
    )
    await refused(['UpdateTrail', { Name: 'other' }], 'TrailNotFoundException')
    await ok('UpdateTrail', { Name, IncludeGlobalServiceEvents: false })
    await refused(
      ['UpdateTrail', { Name, IsMultiRegionTrail: true }],
      'InvalidParameterCombinationException',
    )
  })

  test('starts, stops, and says since when; both are write events', async (t) => {
    const { house, ok, create, send } = await opened(t)
    await create()
    const status = () => ok('GetTrailStatus', { Name: 'main' })
    const started = house.clock.time
    const answer = await send('StartLogging', { Name: 'main' })
    assert.deepEqual(answer.body, {})
    assert.equal(house.recordsOf(answer)[0]?.readOnly, false)
    house.clock.time += 5000
    await ok('StartLogging', { Name: 'main' })
    assert.deepEqual(await status(), {
      IsLogging: true,
      StartLoggingTime: started / 1000,
      TimeLoggingStarted: '2026-05-06T07:08:09Z',
    })
    house.clock.time += 5000
    await ok('StopLogging', { Name: arnOf('main') })
    house.deliveries.set(arnOf('main'), {
      ...{ latestDelivery: started, latestDeliveryError: 'NoSuchBucket' },
      ...{ latestDigestDelivery: started + 1000, latestDigestDeliveryError: 'AccessDenied' },
    })
    assert.deepEqual(await status(), {
      IsLogging: false,
      LatestDeliveryError: 'NoSuchBucket',
      LatestDeliveryTime: started / 1000,
      StartLoggingTime: started / 1000,
      StopLoggingTime: started / 1000 + 10,
      LatestDigestDeliveryTime: started / 1000 + 1,
      LatestDigestDeliveryError: 'AccessDenied',
      TimeLoggingStarted: '2026-05-06T07:08:09Z',
      TimeLoggingStopped: '2026-05-06T07:08:19Z',
    })
  })

  test('that is not there, or named as none can be', async (t) => {
    const { refused, create, ok } = await opened(t)
    await create()
    await ok('DeleteTrail', { Name: 'main' })
    const readers = ['GetTrail', 'GetTrailStatus', 'DeleteTrail', 'StartLogging', 'StopLogging']
    for (const operation of readers) {
      const text = new RegExp(`^Unknown trail: ${arnOf('main')} for the user: ${account}$`)
      await refused([operation, { Name: 'main' }], 'TrailNotFoundException', text)
      for (const Name of ['arn:aws:cloudtrail:us-east-1:1:trail/x', `${arnOf('main')}/x`]) {
        await refused([operation, { Name }], 'CloudTrailARNInvalidException')
      }
      await refused([operation, { Name: 'x' }], 'InvalidTrailNameException')
    }
    await refused(['GetEventSelectors', { TrailName: 'main' }], 'TrailNotFoundException')
    await refused(['ListTrails', { NextToken: 'abcd' }], 'InvalidTokenException')
    await refused(['DescribeTrails', { trailNameList: ['a'] }], 'InvalidTrailNameException')
  })

  test('there are five in a Region, until the operator says more', async (t) => {
    const { house, create, refused } = await opened(t)
    await create('all', { IsMultiRegionTrail: true })
    for (const name of ['one', 'two', 'three']) await create(name)
    await create('here', {}, { region: elsewhere })
    await create('four')
    const fifth = ['CreateTrail', { Name: 'five', S3BucketName: 'logs' }] as const
    await refused(
      fifth,
      'MaximumNumberOfTrailsExceededException',
      /already has 5 trails in us-east-1/,
    )
    const everywhere = { Name: 'five', S3BucketName: 'logs', IsMultiRegionTrail: true }
    await refused(
      ['CreateTrail', everywhere, { region: elsewhere }],
      'MaximumNumberOfTrailsExceededException',
      /us-east-1/,
    )
    await refused(
      ['UpdateTrail', { Name: 'here', IsMultiRegionTrail: true }, { region: elsewhere }],
      'InvalidParameterCombinationException',
      /5 trails in us-east-1/,
    )
    await refused(
      ['CreateTrail', { Name: 'one', S3BucketName: 'logs' }],
      'TrailAlreadyExistsException',
      /^Trail one already exists for customer: 111122223333$/,
    )
    await house.mirror.commit([house.quotas.set('trails', undefined, 6)], [])
    await create('five')
  })

  test('of two that are made at once one is refused', async (t) => {
    const { send, names } = await opened(t)
    const input = { Name: 'main', S3BucketName: 'logs' }
    const answers = await Promise.all([1, 2].map(() => send('CreateTrail', input)))
    const errors = answers.map(({ error }) => error ?? 'none')
    assert.deepEqual(errors.sort(), ['TrailAlreadyExistsException', 'none'])
    assert.deepEqual(await names(), ['main'])
  })

  test('two changes at once are both made', async (t) => {
    const { send, ok, create, house } = await opened(t)
    await create()
    house.buckets.set('more-logs', undefined)
    const answers = await Promise.all([
      send('UpdateTrail', { Name: 'main', S3BucketName: 'more-logs' }),
      send('StartLogging', { Name: 'main' }),
      send('UpdateTrail', { Name: 'main', EnableLogFileValidation: true }),
    ])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    )
    const { Trail } = await ok('GetTrail', { Name: 'main' })
    const trail = Trail as Record<string, unknown>
    assert.equal(trail['S3BucketName'], 'more-logs')
    assert.equal(trail['LogFileValidationEnabled'], true)
    assert.equal((await ok('GetTrailStatus', { Name: 'main' }))['IsLogging'], true)
  })
})

describe('a trail of all Regions', () => {
  const there = { region: elsewhere }

  test('is seen in each as a shadow, and changed at home alone', async (t) => {
    const { create, names, ok, refused } = await opened(t)
    await create('all', { IsMultiRegionTrail: true })
    await create('one')
    assert.deepEqual(await names({}, there), ['all'])
    assert.deepEqual(await names({ includeShadowTrails: false }, there), [])
    assert.deepEqual(await names({ trailNameList: ['all'] }, there), [])
    assert.deepEqual(await names({ trailNameList: [arnOf('all'), arnOf('one')] }, there), ['all'])
    assert.deepEqual(await names({ trailNameList: ['one', 'none'] }), ['one'])
    const { Trail } = await ok('GetTrail', { Name: arnOf('all') }, there)
    assert.equal((Trail as { HomeRegion: string }).HomeRegion, region)
    await refused(['GetTrail', { Name: 'all' }, there], 'TrailNotFoundException')
    await refused(['GetTrail', { Name: arnOf('one') }, there], 'TrailNotFoundException')
    for (const operation of ['UpdateTrail', 'DeleteTrail', 'StartLogging', 'StopLogging']) {
      for (const Name of ['all', arnOf('all'), arnOf('one')]) {
        await refused([operation, { Name }, there], 'InvalidHomeRegionException', /us-east-1/)
      }
      await refused([operation, { Name: 'one' }, there], 'TrailNotFoundException')
    }
    const put = ['PutEventSelectors', { TrailName: 'all', EventSelectors: [{}] }, there] as const
    await refused(put, 'InvalidHomeRegionException')
    const again = ['CreateTrail', { Name: 'all', S3BucketName: 'logs' }, there] as const
    await refused(again, 'TrailAlreadyExistsException')
    await ok('UpdateTrail', { Name: 'all', IsMultiRegionTrail: false })
    assert.deepEqual(await names({}, there), [])
  })
})

describe('event selectors', () => {
  const management = { Field: 'eventCategory', Equals: ['Management'] }
  const data = { Field: 'eventCategory', Equals: ['Data'] }
  const objects = { Field: 'resources.type', Equals: ['AWS::S3::Object'] }
  const fields = (...FieldSelectors: object[]) => ({ AdvancedEventSelectors: [{ FieldSelectors }] })
  const values = (count: number) => Array.from({ length: count }, (_, i) => `arn:aws:s3:::b${i}/`)
  const dataResource = (Type: string, ...Values: string[]) => ({
    EventSelectors: [{ DataResources: [{ Type, Values }] }],
  })

  const wrong: readonly object[] = [
    {},
    { EventSelectors: [] },
    { EventSelectors: [{}], AdvancedEventSelectors: [{ FieldSelectors: [management] }] },
    { EventSelectors: Array.from({ length: 6 }, () => ({})) },
    { EventSelectors: [{ ExcludeManagementEventSources: ['s3.amazonaws.com'] }] },
    {
      EventSelectors: [
        {
          IncludeManagementEvents: false,
          ExcludeManagementEventSources: ['kms.amazonaws.com'],
        },
      ],
    },
    {
      EventSelectors: [
        { ExcludeManagementEventSources: ['kms.amazonaws.com', 'kms.amazonaws.com'] },
      ],
    },
    {
      EventSelectors: [
        {
          DataResources: Array.from({ length: 251 }, () => ({
            Type: 'AWS::S3::Object',
            Values: [],
          })),
        },
      ],
    },
    dataResource('AWS::S3::Bucket', 'arn:aws:s3'),
    dataResource('AWS::S3::Object', 'arn:aws:lambda'),
    dataResource('AWS::S3::Object', 'arn:aws:s3evil'),
    dataResource('AWS::S3::Object', `arn:aws:s3:::${'x'.repeat(2048)}`),
    dataResource('AWS::S3::Object', ...values(251)),
    { AdvancedEventSelectors: [] },
    fields({ Field: 'readOnly', Equals: ['true'] }),
    fields({ Field: 'eventCategory', Equals: ['Insight'] }),
    fields({ Field: 'eventCategory', Equals: ['constructor'] }),
    fields({ Field: 'eventCategory', NotEquals: ['Data'] }),
    fields({ Field: 'eventCategory', Equals: ['Management', 'Data'] }),
    fields(management, management),
    fields(management, { Field: 'readOnly', Equals: ['yes'] }),
    fields(management, { Field: 'readOnly', NotEquals: ['true'] }),
    fields(management, { Field: 'readOnly' }),
    fields(management, { Field: 'resources.ARN', Equals: ['x'] }),
    fields(management, { Field: 'toString', Equals: ['x'] }),
    fields(management, { Field: 'eventSource', Equals: ['kms.amazonaws.com'] }),
    fields(management, { Field: 'eventSource', NotEquals: ['s3.amazonaws.com'] }),
    fields(data),
    fields(data, { Field: 'resources.type', Equals: ['S3'] }),
    fields(data, { Field: 'resources.type', StartsWith: ['AWS::S3::Object'] }),
    fields(data, objects, objects),
    fields(data, objects, { Field: 'errorCode', Equals: ['VpceAccessDenied'] }),
    fields(data, objects, { Field: 'resources.ARN', StartsWith: values(499) }),
    fields({ Field: 'eventCategory', Equals: ['NetworkActivity'] }),
  ]

  test('that are refused', async (t) => {
    const { create, refused, ok } = await opened(t)
    await create()
    for (const selectors of wrong) {
      await refused(
        ['PutEventSelectors', { TrailName: 'main', ...selectors }],
        'InvalidEventSelectorsException',
      )
    }
    const empty = fields({ Field: 'eventCategory', Equals: [] })
    await refused(['PutEventSelectors', { TrailName: 'main', ...empty }], 'ValidationException')
    const type = { EventSelectors: [{ ReadWriteType: 'Some' }] }
    await refused(['PutEventSelectors', { TrailName: 'main', ...type }], 'ValidationException')
    const { Trail } = await ok('GetTrail', { Name: 'main' })
    assert.equal((Trail as Record<string, unknown>)['HasCustomEventSelectors'], false)
  })

  test('select among the records that are written here', async (t) => {
    const { create, ok, house } = await opened(t)
    await create()
    await house.newKey()
    const selected = async (selectors: object) => {
      await ok('PutEventSelectors', { TrailName: 'main', ...selectors })
      const trail = house.tables.trails.get(region, account, 'main')
      assert.ok(trail)
      const records = house.journal.events as readonly SelectableEvent[]
      return records.filter((each) => selects(trail, each)).map(({ eventName }) => eventName)
    }
    const all = ['CreateTrail', 'CreateKey', 'PutEventSelectors']
    assert.deepEqual(await selected({ EventSelectors: [{}] }), all)
    const readOnly = { Field: 'readOnly', Equals: ['true'] }
    assert.deepEqual(await selected(fields(management, readOnly)), [])
    const withoutKms = { Field: 'eventSource', NotEquals: ['kms.amazonaws.com'] }
    assert.deepEqual(await selected(fields(management, withoutKms)), [
      ...['CreateTrail', 'PutEventSelectors', 'PutEventSelectors', 'PutEventSelectors'],
    ])
  })

  test('that are put are got, the one kind in place of the other', async (t) => {
    const { create, ok, send, house } = await opened(t)
    await create()
    const get = () => ok('GetEventSelectors', { TrailName: arnOf('main') })
    const all = {
      ReadWriteType: 'All',
      IncludeManagementEvents: true,
      DataResources: [],
      ExcludeManagementEventSources: [],
    }
    const TrailARN = arnOf('main')
    assert.deepEqual(await get(), { TrailARN, EventSelectors: [all] })
    const basic = {
      ...{ ...all, ReadWriteType: 'WriteOnly' },
      DataResources: [{ Type: 'AWS::S3::Object', Values: values(250) }],
      ExcludeManagementEventSources: ['kms.amazonaws.com'],
    }
    const put = { TrailName: 'main', EventSelectors: [basic] }
    assert.deepEqual(await ok('PutEventSelectors', put), { TrailARN, EventSelectors: [basic] })
    assert.deepEqual(await get(), { TrailARN, EventSelectors: [basic] })
    const advanced = {
      AdvancedEventSelectors: [
        {
          Name: 'objects',
          FieldSelectors: [
            data,
            objects,
            { Field: 'resources.ARN', StartsWith: values(400), NotEndsWith: ['.tmp'] },
          ],
        },
        { FieldSelectors: [management, { Field: 'readOnly', Equals: ['false'] }] },
      ],
    }
    const answer = await send('PutEventSelectors', { TrailName: 'main', ...advanced })
    assert.deepEqual(answer.body, { TrailARN, ...advanced })
    assert.deepEqual(await get(), { TrailARN, ...advanced })
    const parameters = house.recordsOf(answer)[0]?.requestParameters as {
      readonly advancedEventSelectors: readonly { readonly name?: string }[]
    }
    assert.equal(parameters.advancedEventSelectors[0]?.name, 'objects')
    const { Trail } = await ok('GetTrail', { Name: 'main' })
    assert.equal((Trail as Record<string, unknown>)['HasCustomEventSelectors'], true)
  })
})

describe('tags', () => {
  test('are added, replaced, removed and listed', async (t) => {
    const { create, ok, refused } = await opened(t)
    await create('main', { TagsList: [{ Key: 'b', Value: '1' }] })
    const ResourceId = arnOf('main')
    const listed = async () => {
      const { ResourceTagList } = await ok('ListTags', { ResourceIdList: [ResourceId] })
      return ResourceTagList
    }
    const add = (TagsList: object[]) => ok('AddTags', { ResourceId, TagsList })
    await add([{ Key: 'a' }, { Key: 'b', Value: '2' }])
    const both = [
      { Key: 'a', Value: '' },
      { Key: 'b', Value: '2' },
    ]
    assert.deepEqual(await listed(), [{ ResourceId, TagsList: both }])
    await ok('RemoveTags', { ResourceId, TagsList: [{ Key: 'a' }, { Key: 'b', Value: 'other' }] })
    assert.deepEqual(await listed(), [{ ResourceId, TagsList: [both[1]] }])
    const many = Array.from({ length: 49 }, (_, i) => ({ Key: `k${i}`, Value: 'x' }))
    await add(many)
    await refused(
      ['AddTags', { ResourceId, TagsList: [{ Key: 'one more' }] }],
      'TagsLimitExceededException',
    )
  })

  test('are of trails alone, at home', async (t) => {
    const { create, refused } = await opened(t)
    await create('all', { IsMultiRegionTrail: true })
    const TagsList = [{ Key: 'a' }]
    const cases: readonly (readonly [string, string, Sending?])[] = [
      ['all', 'CloudTrailARNInvalidException'],
      [arnOf('none'), 'ResourceNotFoundException'],
      [arnOf('all'), 'ResourceNotFoundException', { region: elsewhere }],
      [
        `arn:aws:cloudtrail:us-east-1:${account}:eventdatastore/x`,
        'ResourceTypeNotSupportedException',
      ],
      ['arn:aws:kms:us-east-1:111122223333:key/x', 'CloudTrailARNInvalidException'],
    ]
    for (const [ResourceId, error, sending] of cases) {
      await refused(['AddTags', { ResourceId, TagsList }, sending], error)
      await refused(['RemoveTags', { ResourceId, TagsList }, sending], error)
      await refused(['ListTags', { ResourceIdList: [ResourceId] }, sending], error)
    }
    const ResourceIdList = Array.from({ length: 21 }, () => arnOf('all'))
    await refused(['ListTags', { ResourceIdList }], 'ValidationException')
    await refused(['ListTags', { ResourceIdList: [], NextToken: 'abcd' }], 'InvalidTokenException')
    await refused(
      ['AddTags', { ResourceId: arnOf('all'), TagsList: [{ Key: 'aws:x' }] }],
      'InvalidTagParameterException',
    )
  })
})

describe('permission', () => {
  const inputs: Readonly<Record<string, object>> = {
    AddTags: { ResourceId: arnOf('main'), TagsList: [{ Key: 'a' }] },
    CreateTrail: { Name: 'main', S3BucketName: 'logs' },
    DeleteTrail: { Name: 'main' },
    DescribeTrails: {},
    GetEventSelectors: { TrailName: 'main' },
    GetTrail: { Name: 'main' },
    GetTrailStatus: { Name: 'main' },
    ListPublicKeys: {},
    ListTags: { ResourceIdList: [arnOf('main')] },
    ListTrails: {},
    PutEventSelectors: { TrailName: 'main', EventSelectors: [{}] },
    RemoveTags: { ResourceId: arnOf('main'), TagsList: [{ Key: 'a' }] },
    StartLogging: { Name: 'main' },
    StopLogging: { Name: 'main' },
    UpdateTrail: { Name: 'main' },
  }

  test('is asked for before it is told whether there is such a trail', async (t) => {
    const { house, send } = await opened(t)
    const key = await house.addUser({ name: 'alice' })
    for (const [operation, input] of Object.entries(inputs)) {
      const answer = await send(operation, input, { key })
      assert.equal(answer.error, 'AccessDeniedException', operation)
      assert.match(answer.message ?? '', new RegExp(`cloudtrail:${operation} `))
    }
  })

  test('is of one action on one trail', async (t) => {
    const { house, send, create } = await opened(t)
    await create('main')
    await create('other')
    const Statement = [
      { Effect: 'Allow', Action: 'cloudtrail:GetTrail', Resource: arnOf('main') },
      {
        Effect: 'Allow',
        Action: 'cloudtrail:StopLogging',
        Resource: '*',
        Condition: { StringEquals: { 'aws:ResourceTag/stage': 'test' } },
      },
      {
        Effect: 'Allow',
        Action: ['cloudtrail:CreateTrail', 'cloudtrail:AddTags'],
        Resource: '*',
        Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['stage'] } },
      },
    ]
    const policies = [{ Version: '2012-10-17', Statement }]
    const key = await house.addUser({ name: 'alice', policies })
    const error = async (operation: string, input: object) =>
      (await send(operation, input, { key })).error
    assert.equal(await error('GetTrail', { Name: 'main' }), undefined)
    assert.equal(await error('GetTrail', { Name: 'other' }), 'AccessDeniedException')
    assert.equal(await error('GetTrailStatus', { Name: 'main' }), 'AccessDeniedException')
    assert.equal(await error('StopLogging', { Name: 'main' }), 'AccessDeniedException')
    const tagged = {
      Name: 'tagged',
      S3BucketName: 'logs',
      TagsList: [{ Key: 'stage', Value: 'test' }],
    }
    assert.equal(await error('CreateTrail', tagged), undefined)
    assert.equal(await error('StopLogging', { Name: 'tagged' }), undefined)
    const other = { ...tagged, Name: 'again', TagsList: [{ Key: 'team', Value: 'x' }] }
    assert.equal(await error('CreateTrail', other), 'AccessDeniedException')
  })

  test('to make a trail with tags takes the one to tag it as well', async (t) => {
    const { house, send } = await opened(t)
    const Statement = [{ Effect: 'Allow', Action: 'cloudtrail:CreateTrail', Resource: '*' }]
    const policies = [{ Version: '2012-10-17', Statement }]
    const key = await house.addUser({ name: 'alice', policies })
    const input = { Name: 'main', S3BucketName: 'logs', TagsList: [{ Key: 'a', Value: 'b' }] }
    const answer = await send('CreateTrail', input, { key })
    assert.match(answer.message ?? '', /cloudtrail:AddTags/)
  })

  test('there is none on trails of another account', async (t) => {
    const { house, create, refused, ok, names } = await opened(t)
    await create('main', {}, { key: house.otherKey })
    const Name = arnOf('main', region, otherAccount)
    for (const operation of ['GetTrail', 'GetTrailStatus', 'StopLogging', 'DeleteTrail']) {
      await refused([operation, { Name }], 'AccessDeniedException')
    }
    await refused(['ListTags', { ResourceIdList: [Name] }], 'AccessDeniedException')
    assert.deepEqual(await names(), [])
    assert.deepEqual(await names({ trailNameList: [Name] }), [])
    assert.deepEqual(await ok('ListTrails', {}), { Trails: [] })
  })
})

test('features that are not there have operations that are unknown', async (t) => {
  const { refused } = await opened(t)
  for (const operation of ['PutInsightSelectors', 'CreateEventDataStore', 'StartQuery']) {
    await refused([operation, {}], 'UnknownOperationException')
  }
})
