import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import {
  AddTagsCommand,
  CloudTrailClient,
  CreateTrailCommand,
  DeleteTrailCommand,
  DescribeTrailsCommand,
  GetEventSelectorsCommand,
  GetTrailCommand,
  GetTrailStatusCommand,
  ListPublicKeysCommand,
  ListTagsCommand,
  ListTrailsCommand,
  PutEventSelectorsCommand,
  RemoveTagsCommand,
  S3BucketDoesNotExistException,
  StartLoggingCommand,
  StopLoggingCommand,
  TrailNotFoundException,
  UpdateTrailCommand,
} from '@aws-sdk/client-cloudtrail'
import { startListener } from '../../src/listener/listener.ts'
import { account, House, region } from '../../src/testing/house.ts'
import { run } from '../support/cli.ts'
import { present } from '../support/expect.ts'
import { awsCliMissing, awsEnvironment } from './environment.ts'

const missing = await awsCliMissing()
const skip =
  missing === undefined ? false : `NOT TESTED HERE: the AWS CLI is not installed (${missing})`

const arn = (name: string) => `arn:aws:cloudtrail:${region}:${account}:trail/${name}`

/** A service in this process, whose buckets a test can hold. */
async function served(t: TestContext) {
  const house = await House.open(t)
  house.clock.time = Date.now()
  house.buckets.set('audit-logs', undefined)
  const listener = await startListener({
    ...{ host: '127.0.0.1', port: 0, insecurePlaintext: false, clock: house.clock },
    onRequest: (request, reply) => house.pipeline.accept(request, reply),
    health: () => ({ status: 200, body: '{}' }),
    log: () => {},
  })
  t.after(() => listener.drain())
  return { house, endpoint: listener.endpoint, credentials: house.key, region }
}

test('trails through the SDK', async (t) => {
  const server = await served(t)
  const { endpoint, credentials, house } = server
  const client = new CloudTrailClient({ endpoint, credentials, region, maxAttempts: 1 })
  t.after(() => client.destroy())
  const Name = 'main'

  await assert.rejects(client.send(new GetTrailCommand({ Name })), TrailNotFoundException)
  await assert.rejects(
    client.send(new CreateTrailCommand({ Name, S3BucketName: 'nowhere' })),
    S3BucketDoesNotExistException,
  )
  const made = await client.send(
    new CreateTrailCommand({
      Name,
      S3BucketName: 'audit-logs',
      EnableLogFileValidation: true,
      TagsList: [{ Key: 'team', Value: 'audit' }],
    }),
  )
  assert.equal(made.TrailARN, arn(Name))
  assert.equal(made.LogFileValidationEnabled, true)
  const updated = await client.send(new UpdateTrailCommand({ Name, IsMultiRegionTrail: true }))
  assert.equal(updated.IsMultiRegionTrail, true)
  const described = await client.send(new DescribeTrailsCommand({ trailNameList: [Name] }))
  assert.equal(described.trailList?.[0]?.HomeRegion, region)
  const { Trails } = await client.send(new ListTrailsCommand({}))
  assert.deepEqual(Trails, [{ TrailARN: arn(Name), Name, HomeRegion: region }])

  await client.send(new StartLoggingCommand({ Name }))
  const status = await client.send(new GetTrailStatusCommand({ Name }))
  assert.equal(status.IsLogging, true)
  assert.equal(status.StartLoggingTime?.getTime(), house.clock.time)
  await client.send(new StopLoggingCommand({ Name: arn(Name) }))

  const FieldSelectors = [
    { Field: 'eventCategory', Equals: ['Data'] },
    { Field: 'resources.type', Equals: ['AWS::S3::Object'] },
    { Field: 'resources.ARN', StartsWith: ['arn:aws:s3:::ledger/'] },
  ]
  const AdvancedEventSelectors = [{ Name: 'ledger', FieldSelectors }]
  await client.send(new PutEventSelectorsCommand({ TrailName: Name, AdvancedEventSelectors }))
  const selectors = await client.send(new GetEventSelectorsCommand({ TrailName: Name }))
  assert.deepEqual(selectors.AdvancedEventSelectors, AdvancedEventSelectors)

  const ResourceId = arn(Name)
  await client.send(new AddTagsCommand({ ResourceId, TagsList: [{ Key: 'a', Value: 'b' }] }))
  await client.send(new RemoveTagsCommand({ ResourceId, TagsList: [{ Key: 'team' }] }))
  const tags = await client.send(new ListTagsCommand({ ResourceIdList: [ResourceId] }))
  assert.deepEqual(tags.ResourceTagList, [{ ResourceId, TagsList: [{ Key: 'a', Value: 'b' }] }])

  const text = Buffer.from('a digest')
  const { signature, fingerprint } = await house.digests.sign(region, text)
  const keys = await client.send(new ListPublicKeysCommand({}))
  const published = present(keys.PublicKeyList?.find((key) => key.Fingerprint === fingerprint))
  const der = Buffer.from(present(published.Value))
  const key = createPublicKey({ key: der, format: 'der', type: 'pkcs1' })
  assert.ok(verify('sha256', text, key, signature))

  await client.send(new DeleteTrailCommand({ Name }))
  assert.deepEqual((await client.send(new DescribeTrailsCommand({}))).trailList, [])
})

test('trails through the AWS CLI, told only where', { skip }, async (t) => {
  const server = await served(t)
  const env = awsEnvironment(server)
  const aws = async (...args: string[]) => {
    const { code, stdout, stderr } = await run('aws', ['cloudtrail', ...args], { env })
    const output = stdout.trim() === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>)
    return { code, stderr, output }
  }
  const named = ['--name', 'main']
  const create = ['create-trail', ...named, '--s3-bucket-name']
  const refused = await aws(...create, 'nowhere')
  assert.notEqual(refused.code, 0)
  assert.match(refused.stderr, /S3BucketDoesNotExistException.*nowhere/)
  const made = await aws(
    ...create,
    'audit-logs',
    '--enable-log-file-validation',
    '--is-multi-region-trail',
  )
  assert.equal(made.code, 0, made.stderr)
  assert.equal(made.output['TrailARN'], arn('main'))
  assert.deepEqual(await aws('start-logging', ...named), { code: 0, stderr: '', output: {} })
  const status = await aws('get-trail-status', ...named)
  assert.equal(status.output['IsLogging'], true)
  const selector = '[{"ReadWriteType":"WriteOnly","IncludeManagementEvents":true}]'
  const put = await aws(
    'put-event-selectors',
    '--trail-name',
    'main',
    '--event-selectors',
    selector,
  )
  assert.equal(put.code, 0, put.stderr)
  const { output } = await aws('describe-trails')
  const [trail] = output['trailList'] as Record<string, unknown>[]
  assert.equal(trail?.['HasCustomEventSelectors'], true)
  assert.equal(trail?.['LogFileValidationEnabled'], true)
  assert.equal((await aws('list-public-keys')).code, 0)
  assert.equal((await aws('delete-trail', ...named)).code, 0)
  assert.match((await aws('get-trail', ...named)).stderr, /TrailNotFoundException.*Unknown trail/)
})
