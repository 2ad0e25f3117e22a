import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { account, House, otherAccount, region } from '../../testing/house.ts'
import { s3Ok } from '../../testing/s3-calls.ts'

type Body = Readonly<Record<string, unknown>>

function clientOf(house: House, key = house.key) {
  const call = (operation: string, input: object) =>
    house.call(operation, input, {
      ...{ key, service: 'config', target: `StarlingDoveService.${operation}` },
    })
  const ok = async (operation: string, input: object): Promise<Body> => {
    const answer = await call(operation, input)
    assert.equal(answer.status, 200, `${operation}: ${answer.reply.body}`)
    return answer.body
  }
  const fails = async (operation: string, input: object, error: string) => {
    const answer = await call(operation, input)
    assert.deepEqual([answer.status, answer.error], [400, error], operation)
  }
  return { call, ok, fails }
}

async function opened(context: TestContext) {
  const house = await House.open(context)
  return { house, ...clientOf(house), round: () => house.assembly.configuration.compliance.round() }
}

const keyType = 'AWS::KMS::Key'
const managed = (SourceIdentifier: string) => ({ Owner: 'AWS', SourceIdentifier })
const rotationRule = {
  ConfigRuleName: 'rotation',
  Source: managed('CMK_BACKING_KEY_ROTATION_ENABLED'),
}

describe('what cannot be asked', () => {
  test('of the history', async (context) => {
    const { house, fails } = await opened(context)
    const resourceId = await house.newKey()
    const of = { resourceType: keyType, resourceId }
    const history = 'GetResourceConfigHistory'
    await fails(history, { resourceType: keyType }, 'ValidationException')
    await fails(history, { ...of, resourceType: 'no type' }, 'ValidationException')
    await fails(history, { ...of, limit: 101 }, 'InvalidLimitException')
    await fails(history, { ...of, limit: -1 }, 'InvalidLimitException')
    await fails(history, { ...of, nextToken: 'x' }, 'InvalidNextTokenException')
    await fails(history, { ...of, earlierTime: 2, laterTime: 1 }, 'InvalidTimeRangeException')
    await fails(history, { ...of, resourceId: 'gone' }, 'ResourceNotDiscoveredException')
    const listing = 'ListDiscoveredResources'
    const both = { resourceType: keyType, resourceIds: ['a'], resourceName: 'a' }
    await fails(listing, both, 'ValidationException')
    await fails('BatchGetResourceConfig', { resourceKeys: [] }, 'ValidationException')
    const stranger = clientOf(house, house.otherKey)
    await stranger.fails(history, of, 'ResourceNotDiscoveredException')
    const nobody = clientOf(house, await house.addUser({ name: 'nobody' }))
    await nobody.fails(history, of, 'AccessDeniedException')
    await nobody.fails('PutConfigRule', { ConfigRule: rotationRule }, 'AccessDeniedException')
  })

  test('of rules', async (context) => {
    const { ok, fails } = await opened(context)
    const invalid = 'InvalidParameterValueException'
    const put = (rule: object, error = invalid) =>
      fails('PutConfigRule', { ConfigRule: { ConfigRuleName: 'r', ...rule } }, error)
    await put({}, 'ValidationException')
    await put({ Source: managed('ENCRYPTED_VOLUMES') })
    await put({ Source: managed('toString') })
    await put({ Source: { Owner: 'CUSTOM_LAMBDA', SourceIdentifier: 'arn:aws:lambda:x' } })
    await put({ ...rotationRule, InputParameters: '[1]' })
    await put({ ...rotationRule, InputParameters: '{"kmsKeyIds":"x"}' })
    await put({ ...rotationRule, Scope: { TagValue: 'x' } })
    await put({ ...rotationRule, Scope: { ComplianceResourceId: 'x' } })
    await put({ ...rotationRule, EvaluationModes: [{ Mode: 'PROACTIVE' }] })
    await put({ ...rotationRule, ConfigRuleArn: 'arn:aws:config:x' })
    const blocked = managed('IAM_CUSTOMER_POLICY_BLOCKED_KMS_ACTIONS')
    await put({ Source: blocked })
    await put({ Source: blocked, InputParameters: '{"blockedActionsPatterns":"s3:*"}' })
    const frequent = { MaximumExecutionFrequency: 'One_Hour' }
    await put({ Source: managed('KMS_KEY_POLICY_NO_PUBLIC_ACCESS'), ...frequent })
    const none = 'NoSuchConfigRuleException'
    await fails('DeleteConfigRule', { ConfigRuleName: 'r' }, none)
    await fails('DescribeConfigRules', { ConfigRuleNames: ['r'] }, none)
    await fails('StartConfigRulesEvaluation', { ConfigRuleNames: ['r'] }, none)
    await fails('GetComplianceDetailsByConfigRule', { ConfigRuleName: 'r' }, none)
    await fails('ListTagsForResource', { ResourceArn: 'r' }, 'ResourceNotFoundException')
    assert.deepEqual(await ok('DescribeConfigRules', {}), { ConfigRules: [] })
  })
})

test('the history of a key, page by page, and what there is', async (context) => {
  const { house, ok } = await opened(context)
  const resourceId = await house.newKey({ Tags: [{ TagKey: 'a', TagValue: 'b' }] })
  await house.ok('DisableKey', { KeyId: resourceId })
  await house.ok('EnableKeyRotation', { KeyId: await house.newKey() })
  const of = { resourceType: keyType, resourceId }
  const states: string[] = []
  let nextToken: unknown
  do {
    const page = await ok('GetResourceConfigHistory', { ...of, limit: 1, nextToken })
    const [item] = page['configurationItems'] as [Record<string, unknown>]
    assert.equal(typeof item['configuration'], 'string')
    assert.equal(typeof item['configurationItemCaptureTime'], 'number')
    states.push(JSON.parse(item['configuration'] as string).keyState as string)
    nextToken = page['nextToken']
  } while (nextToken !== undefined)
  assert.deepEqual(states, ['Disabled', 'Enabled'])
  const forward = await ok('GetResourceConfigHistory', { ...of, chronologicalOrder: 'Forward' })
  const [first] = forward['configurationItems'] as [Record<string, unknown>]
  assert.equal(first['configurationItemStatus'], 'ResourceDiscovered')
  assert.deepEqual(first['tags'], { a: 'b' })
  const supplementary = first['supplementaryConfiguration'] as Record<string, string>
  assert.equal(supplementary['KeyRotationStatus'], 'false')
  assert.match(supplementary['Policy'] ?? '', /"Version"/)

  const listed = await ok('ListDiscoveredResources', { resourceType: keyType, limit: 1 })
  assert.equal((listed['resourceIdentifiers'] as object[]).length, 1)
  const rest = await ok('ListDiscoveredResources', {
    ...{ resourceType: keyType, limit: 1, nextToken: listed['nextToken'] },
  })
  assert.deepEqual(
    [(rest['resourceIdentifiers'] as object[]).length, rest['nextToken']],
    [1, undefined],
  )
  const batch = await ok('BatchGetResourceConfig', {
    resourceKeys: [of, { resourceType: keyType, resourceId: 'none' }],
  })
  assert.equal((batch['baseConfigurationItems'] as object[]).length, 1)
  assert.deepEqual(await ok('GetDiscoveredResourceCounts', {}), {
    totalDiscoveredResources: 2,
    resourceCounts: [{ resourceType: keyType, count: 2 }],
  })
})

describe('rules', () => {
  async function complianceOf(
    { ok }: Pick<Awaited<ReturnType<typeof opened>>, 'ok'>,
    rule: string,
  ) {
    const body = await ok('GetComplianceDetailsByConfigRule', { ConfigRuleName: rule, Limit: 100 })
    return (body['EvaluationResults'] as Record<string, unknown>[]).map((result) => {
      const { EvaluationResultQualifier: of } = result['EvaluationResultIdentifier'] as {
        EvaluationResultQualifier: { ResourceId: string }
      }
      return [of.ResourceId, result['ComplianceType']]
    })
  }

  test('are put, described, tagged and deleted', async (context) => {
    const { ok, fails } = await opened(context)
    const Tags = [{ Key: 'a', Value: 'b' }]
    await ok('PutConfigRule', { ConfigRule: rotationRule, Tags })
    const { ConfigRules } = await ok('DescribeConfigRules', {})
    const [rule] = ConfigRules as [Record<string, string>]
    assert.equal(rule['ConfigRuleName'], 'rotation')
    const prefix = `arn:aws:config:${region}:${account}:config-rule/config-rule-`
    const ResourceArn = rule['ConfigRuleArn'] ?? ''
    assert.ok(ResourceArn.startsWith(prefix))
    await ok('PutConfigRule', { ConfigRule: { ...rotationRule, Description: 'd' } })
    const again = (await ok('DescribeConfigRules', {}))['ConfigRules'] as Record<string, string>[]
    assert.deepEqual(
      again.map((each) => [each['ConfigRuleArn'], each['Description']]),
      [[ResourceArn, 'd']],
    )
    assert.deepEqual(await ok('ListTagsForResource', { ResourceArn }), { Tags })
    await ok('TagResource', { ResourceArn, Tags: [{ Key: 'c', Value: 'd' }] })
    await ok('UntagResource', { ResourceArn, TagKeys: ['a'] })
    assert.deepEqual(await ok('ListTagsForResource', { ResourceArn }), {
      Tags: [{ Key: 'c', Value: 'd' }],
    })
    await fails(
      'TagResource',
      { ResourceArn, Tags: [{ Key: 'AWS:x', Value: '' }] },
      'ValidationException',
    )
    await ok('DeleteConfigRule', { ConfigRuleName: 'rotation' })
    assert.deepEqual(await ok('DescribeConfigRules', {}), { ConfigRules: [] })
  })

  test('look at buckets', async (context) => {
    const { house, ok, round } = await opened(context)
    const Source = { Owner: 'AWS', SourceIdentifier: 'S3_DEFAULT_ENCRYPTION_KMS' }
    await ok('PutConfigRule', { ConfigRule: { ConfigRuleName: 'under-kms', Source } })
    const any = { Owner: 'AWS', SourceIdentifier: 'S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED' }
    await ok('PutConfigRule', { ConfigRule: { ConfigRuleName: 'encrypted', Source: any } })
    await s3Ok(house, 'PUT', '/ledger')
    await round()
    assert.deepEqual(await complianceOf({ ok }, 'under-kms'), [['ledger', 'NON_COMPLIANT']])
    assert.deepEqual(await complianceOf({ ok }, 'encrypted'), [['ledger', 'COMPLIANT']])
    const body =
      '<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule>' +
      '<ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>' +
      '</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>'
    await s3Ok(house, 'PUT', '/ledger', { query: { encryption: '' }, body })
    await round()
    assert.deepEqual(await complianceOf({ ok }, 'under-kms'), [['ledger', 'COMPLIANT']])
    await s3Ok(house, 'DELETE', '/ledger')
    await round()
    assert.deepEqual(await complianceOf({ ok }, 'under-kms'), [])
  })

  test('follow changes, without a trigger', async (context) => {
    const { house, ok, round } = await opened(context)
    const KeyId = await house.newKey()
    const signing = await house.newKey({ KeyUsage: 'SIGN_VERIFY', KeySpec: 'ECC_NIST_P256' })
    await ok('PutConfigRule', { ConfigRule: rotationRule })
    const before = await ok('DescribeComplianceByConfigRule', {})
    const [unknown] = before['ComplianceByConfigRules'] as [{ Compliance: object }]
    assert.deepEqual(unknown.Compliance, { ComplianceType: 'INSUFFICIENT_DATA' })
    await round()
    assert.deepEqual(await complianceOf({ ok }, 'rotation'), [[KeyId, 'NON_COMPLIANT']])
    const counted = await ok('DescribeComplianceByConfigRule', {
      ComplianceTypes: ['NON_COMPLIANT'],
    })
    assert.deepEqual(counted['ComplianceByConfigRules'], [
      {
        ConfigRuleName: 'rotation',
        Compliance: {
          ComplianceType: 'NON_COMPLIANT',
          ComplianceContributorCount: { CappedCount: 1, CapExceeded: false },
        },
      },
    ])
    await house.ok('EnableKeyRotation', { KeyId })
    await round()
    assert.deepEqual(await complianceOf({ ok }, 'rotation'), [[KeyId, 'COMPLIANT']])
    const byResource = await ok('DescribeComplianceByResource', {
      ResourceType: keyType,
      ResourceId: KeyId,
    })
    assert.deepEqual(byResource['ComplianceByResources'], [
      { ResourceType: keyType, ResourceId: KeyId, Compliance: { ComplianceType: 'COMPLIANT' } },
    ])
    const details = await ok('GetComplianceDetailsByResource', {
      ResourceType: keyType,
      ResourceId: signing,
    })
    assert.deepEqual(details['EvaluationResults'], [])
    await ok('StartConfigRulesEvaluation', { ConfigRuleNames: ['rotation'] })
    const [status] = (await ok('DescribeConfigRuleEvaluationStatus', {}))[
      'ConfigRulesEvaluationStatus'
    ] as [Body]
    assert.equal(status['FirstEvaluationStarted'], true)
    // Of another account nothing is seen.
    assert.equal(house.accounts.exists(otherAccount), true)
    assert.deepEqual(await clientOf(house, house.otherKey).ok('DescribeConfigRules', {}), {
      ConfigRules: [],
    })
  })

  test('a scope narrows what they look at', async (context) => {
    const { house, ok, round } = await opened(context)
    const one = await house.newKey({ Tags: [{ TagKey: 'team', TagValue: 'a' }] })
    const two = await house.newKey({ Tags: [{ TagKey: 'team', TagValue: 'b' }] })
    for (const [ConfigRuleName, Scope] of [
      ['by-tag', { TagKey: 'team', TagValue: 'a' }],
      ['by-id', { ComplianceResourceTypes: [keyType], ComplianceResourceId: two }],
      ['by-type', { ComplianceResourceTypes: ['AWS::IAM::User'] }],
    ] as const) {
      await ok('PutConfigRule', { ConfigRule: { ...rotationRule, ConfigRuleName, Scope } })
    }
    await round()
    assert.deepEqual(await complianceOf({ ok }, 'by-tag'), [[one, 'NON_COMPLIANT']])
    assert.deepEqual(await complianceOf({ ok }, 'by-id'), [[two, 'NON_COMPLIANT']])
    assert.deepEqual(await complianceOf({ ok }, 'by-type'), [])
    await house.ok('UntagResource', { KeyId: one, TagKeys: ['team'] })
    await round()
    assert.deepEqual(await complianceOf({ ok }, 'by-tag'), [])
  })

  test('about policies and deletion', async (context) => {
    const { house, ok, round } = await opened(context)
    const KeyId = await house.newKey()
    const statement = (Resource: string) => ({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'kms:Decrypt', Resource }],
    })
    const wide = await house.addPolicy('wide', statement('*'))
    const narrow = await house.addPolicy(
      'narrow',
      statement(`arn:aws:kms:${region}:${account}:key/${KeyId}`),
    )
    const accountWide = await house.addPolicy(
      'account',
      statement(`arn:aws:kms:*:${account}:key/*`),
    )
    const InputParameters = JSON.stringify({
      blockedActionsPatterns: 'kms:Decrypt, kms:ReEncryptFrom',
    })
    for (const [ConfigRuleName, identifier, more] of [
      ['customer', 'IAM_CUSTOMER_POLICY_BLOCKED_KMS_ACTIONS', { InputParameters }],
      ['inline', 'IAM_INLINE_POLICY_BLOCKED_KMS_ACTIONS', { InputParameters }],
      ['public', 'KMS_KEY_POLICY_NO_PUBLIC_ACCESS', {}],
      ['deletion', 'KMS_CMK_NOT_SCHEDULED_FOR_DELETION', {}],
    ] as const) {
      await ok('PutConfigRule', {
        ConfigRule: { ConfigRuleName, Source: managed(identifier), ...more },
      })
    }
    await round()
    const verdicts = new Map((await complianceOf({ ok }, 'customer')) as [string, string][])
    assert.deepEqual(
      [wide, narrow, accountWide].map(({ id }) => verdicts.get(id)),
      ['NON_COMPLIANT', 'COMPLIANT', 'NON_COMPLIANT'],
    )
    assert.deepEqual(await complianceOf({ ok }, 'public'), [[KeyId, 'COMPLIANT']])
    assert.deepEqual(await complianceOf({ ok }, 'deletion'), [[KeyId, 'COMPLIANT']])
    const user = await house.addUser({ name: 'u', policies: [statement('*')] })
    const root = { Effect: 'Allow', Principal: { AWS: account }, Action: 'kms:*', Resource: '*' }
    const open = { Effect: 'Allow', Principal: '*', Action: 'kms:Encrypt', Resource: '*' }
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [root, open] })
    await house.ok('PutKeyPolicy', { KeyId, Policy })
    await house.ok('ScheduleKeyDeletion', { KeyId })
    await round()
    assert.deepEqual(await complianceOf({ ok }, 'public'), [[KeyId, 'NON_COMPLIANT']])
    assert.deepEqual(await complianceOf({ ok }, 'deletion'), [[KeyId, 'NON_COMPLIANT']])
    assert.ok((await complianceOf({ ok }, 'inline')).some(([id]) => id === user.id))
  })

  test('KMS_KEY_SEPARATION_OF_DUTIES: the policy, an identity policy or a grant mix them', async (context) => {
    const { house, ok, round } = await opened(context)
    const [admin, user] = [
      await house.addUser({ name: 'admin' }),
      await house.addUser({ name: 'user' }),
    ]
    const allow = (arn: string, ...Action: string[]) => ({
      ...{ Effect: 'Allow', Principal: { AWS: arn }, Action, Resource: '*' },
    })
    const rootArn = `arn:aws:iam::${account}:root`
    const apart = [
      allow(rootArn, 'kms:PutKeyPolicy', 'kms:GetKeyPolicy', 'kms:CreateGrant', 'kms:RevokeGrant'),
      allow(admin.arn, 'kms:ScheduleKeyDeletion', 'kms:DisableKey'),
      allow(user.arn, 'kms:Decrypt', 'kms:Encrypt'),
    ]
    const policyOf = (statements: object[]) =>
      JSON.stringify({ Version: '2012-10-17', Statement: statements })
    const KeyId = await house.newKey({ Policy: policyOf(apart) })
    const plain = await house.newKey()
    const Source = managed('KMS_KEY_SEPARATION_OF_DUTIES')
    await ok('PutConfigRule', { ConfigRule: { ConfigRuleName: 'duties', Source } })
    const verdict = async () => {
      await round()
      return new Map((await complianceOf({ ok }, 'duties')) as [string, string][]).get(KeyId)
    }
    assert.equal(await verdict(), 'COMPLIANT')
    const verdicts = new Map((await complianceOf({ ok }, 'duties')) as [string, string][])
    assert.equal(verdicts.get(plain), 'NON_COMPLIANT', 'root has both')
    const granted = { KeyId, GranteePrincipal: admin.arn, Operations: ['Decrypt'] }
    const { GrantId } = await house.ok('CreateGrant', granted)
    assert.equal(await verdict(), 'NON_COMPLIANT')
    await house.ok('RevokeGrant', { KeyId, GrantId })
    assert.equal(await verdict(), 'COMPLIANT')
    await house.ok('PutKeyPolicy', {
      KeyId,
      Policy: policyOf([...apart, allow(admin.arn, 'kms:Decrypt')]),
    })
    assert.equal(await verdict(), 'NON_COMPLIANT')
    await house.ok('PutKeyPolicy', { KeyId, Policy: policyOf(apart) })
    assert.equal(await verdict(), 'COMPLIANT')
    // Disabling is left to the account's identity policies, and then one of them is given to the user.
    const delegated = [...apart, allow(rootArn, 'kms:DisableKey')]
    await house.ok('PutKeyPolicy', { KeyId, Policy: policyOf(delegated) })
    assert.equal(await verdict(), 'COMPLIANT')
    const { users } = house.tables.identities
    const before = users.byId(user.id)
    assert.ok(before !== undefined)
    const inline = { p: policyOf([{ Effect: 'Allow', Action: 'kms:DisableKey', Resource: '*' }]) }
    await house.mirror.commit([users.replace(before, { ...before, inline })], [])
    assert.equal(await verdict(), 'NON_COMPLIANT')
  })
})

test('a recorder and a channel are kept, and recording goes on without them', async (context) => {
  const { house, ok, fails } = await opened(context)
  const none = 'NoSuchConfigurationRecorderException'
  await fails('StartConfigurationRecorder', { ConfigurationRecorderName: 'default' }, none)
  const DeliveryChannel = { name: 'default', s3BucketName: 'b' }
  await fails(
    'PutDeliveryChannel',
    { DeliveryChannel },
    'NoAvailableConfigurationRecorderException',
  )
  const roleARN = `arn:aws:iam::${account}:role/config`
  const put = (ConfigurationRecorder: object) =>
    ['PutConfigurationRecorder', { ConfigurationRecorder }] as const
  await fails(...put({ roleARN: 'x' }), 'InvalidRoleException')
  const narrow = { allSupported: false, resourceTypes: [keyType] }
  await fails(...put({ roleARN, recordingGroup: narrow }), 'InvalidRecordingGroupException')
  await ok(...put({ roleARN, recordingGroup: { allSupported: true } }))
  await fails(
    ...put({ name: 'other', roleARN }),
    'MaxNumberOfConfigurationRecordersExceededException',
  )
  const named = { ConfigurationRecorderName: 'default' }
  await fails('StartConfigurationRecorder', named, 'NoAvailableDeliveryChannelException')
  const sns = { ...DeliveryChannel, snsTopicARN: 'arn:aws:sns:x' }
  await fails('PutDeliveryChannel', { DeliveryChannel: sns }, 'InvalidSNSTopicARNException')
  await ok('PutDeliveryChannel', { DeliveryChannel })
  await ok('StartConfigurationRecorder', named)
  const status = async () => {
    const body = await ok('DescribeConfigurationRecorderStatus', {})
    return (body['ConfigurationRecordersStatus'] as { recording: boolean }[])[0]?.recording
  }
  assert.equal(await status(), true)
  await fails(
    'DeleteDeliveryChannel',
    { DeliveryChannelName: 'default' },
    'LastDeliveryChannelDeleteFailedException',
  )
  await ok('StopConfigurationRecorder', named)
  assert.equal(await status(), false)
  const resourceId = await house.newKey()
  const history = await ok('GetResourceConfigHistory', { resourceType: keyType, resourceId })
  assert.equal((history['configurationItems'] as object[]).length, 1)
  assert.deepEqual((await ok('DescribeDeliveryChannels', {}))['DeliveryChannels'], [
    DeliveryChannel,
  ])
  await ok('DeleteDeliveryChannel', { DeliveryChannelName: 'default' })
  await ok('DeleteConfigurationRecorder', named)
  await fails('DescribeConfigurationRecorders', { ConfigurationRecorderNames: ['default'] }, none)
})
