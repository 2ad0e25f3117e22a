import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Event, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import { CreateKeyCommand, DescribeKeyCommand, EncryptCommand } from '@aws-sdk/client-kms'
import type { AuditEvent } from '../support/cli.ts'
import { type Clients, clientsOf } from '../support/clients.ts'
import { fails, present } from '../support/expect.ts'
import { addRole, addUser, assumeRole, trusting } from '../support/iam-people.ts'
import { TestServer } from '../support/server.ts'

/** CloudTrail LookupEvents shows what has just happened. */
describe('LookupEvents', () => {
  let server: TestServer
  let clients: Clients
  let key: { id: string; arn: string }
  let encryptId: string
  let failedId: string

  before(async () => {
    server = await TestServer.start()
    clients = clientsOf(server)
    const { KeyMetadata } = await clients.kms.send(new CreateKeyCommand({}))
    key = { id: present(KeyMetadata?.KeyId), arn: present(KeyMetadata?.Arn) }
    const encrypted = await clients.kms.send(
      new EncryptCommand({
        KeyId: key.id,
        Plaintext: Buffer.from('unseen'),
        EncryptionContext: { table: 'orders' },
      }),
    )
    encryptId = present(encrypted.$metadata.requestId)
    failedId = await clients.kms.send(new DescribeKeyCommand({ KeyId: 'nowhere' })).then(
      () => assert.fail('the call must fail'),
      (error: { $metadata: { requestId?: string } }) => present(error.$metadata.requestId),
    )
  })
  after(async () => {
    clients.destroy()
    await server.discard()
  })

  async function lookup(
    attribute?: [key: string, value: string],
    more: object = {},
  ): Promise<Event[]> {
    const [AttributeKey, AttributeValue] = attribute ?? []
    const page = await clients.cloudtrail.send(
      new LookupEventsCommand({
        ...(attribute === undefined
          ? {}
          : { LookupAttributes: [{ AttributeKey, AttributeValue } as never] }),
        ...more,
      }),
    )
    return present(page.Events)
  }
  const recordOf = (event: Event | undefined) =>
    JSON.parse(present(present(event).CloudTrailEvent)) as AuditEvent

  test('finds a call by each of its attributes, the moment it is answered', async () => {
    const [event] = await lookup(['EventName', 'Encrypt'])
    const record = recordOf(event)
    assert.equal(record.requestID, encryptId)
    const { accessKeyId } = server.credentials
    const attributes: [string, string][] = [
      ['ResourceName', key.arn],
      ['ResourceType', 'AWS::KMS::Key'],
      ['EventId', record.eventID],
      ['EventSource', 'kms.amazonaws.com'],
      ['AccessKeyId', accessKeyId],
      ['ReadOnly', 'true'],
    ]
    for (const attribute of attributes) {
      const found = await lookup(attribute)
      assert.ok(
        found.some((candidate) => candidate.EventId === record.eventID),
        `not found by ${attribute[0]}`,
      )
    }
    assert.deepEqual(await lookup(['EventName', 'Decrypt']), [])
    assert.deepEqual(await lookup(['ResourceName', `${key.arn}0`]), [])
  })

  test('shows the event as AWS does, and no plaintext', async () => {
    const [event] = await lookup(['EventName', 'Encrypt'])
    const found = present(event)
    assert.equal(found.EventName, 'Encrypt')
    assert.equal(found.ReadOnly, 'true')
    assert.equal(found.EventSource, 'kms.amazonaws.com')
    assert.equal(found.AccessKeyId, server.credentials.accessKeyId)
    assert.ok(present(found.EventTime).getTime() > Date.now() - 120_000)
    assert.ok(found.Resources?.some((resource) => resource.ResourceName === key.arn))
    const record = recordOf(found)
    assert.deepEqual(record.requestParameters, {
      keyId: key.id,
      encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      encryptionContext: { table: 'orders' },
    })
    assert.equal(record.eventType, 'AwsApiCall')
    const plaintext = Buffer.from('unseen')
    for (const form of [plaintext.toString('utf8'), plaintext.toString('base64')]) {
      assert.ok(!present(found.CloudTrailEvent).includes(form))
    }
  })

  test('shows failures too, with their code', async () => {
    const events = await lookup(['EventName', 'DescribeKey'])
    const records = events.map((event) => recordOf(event))
    const failed = present(records.find((record) => record.requestID === failedId))
    assert.equal(failed.errorCode, 'NotFoundException')
  })

  test('shows the newest first, in pages, each event once', async () => {
    for (let i = 0; i < 7; i++) {
      await clients.kms.send(new DescribeKeyCommand({ KeyId: key.id }))
    }
    const attribute = { AttributeKey: 'EventName', AttributeValue: 'DescribeKey' } as const
    const seen: Event[] = []
    let NextToken: string | undefined
    do {
      const page = await clients.cloudtrail.send(
        new LookupEventsCommand({
          LookupAttributes: [attribute],
          MaxResults: 3,
          ...(NextToken === undefined ? {} : { NextToken }),
        }),
      )
      assert.ok(present(page.Events).length <= 3)
      seen.push(...present(page.Events))
      NextToken = page.NextToken
    } while (NextToken !== undefined)
    assert.equal(seen.length, 8)
    assert.equal(new Set(seen.map((event) => event.EventId)).size, 8)
    const times = seen.map((event) => present(event.EventTime).getTime())
    assert.deepEqual(
      times,
      times.toSorted((a, b) => b - a),
    )
  })

  test('keeps to the asked span of time', async () => {
    const hour = 3_600_000
    const StartTime = new Date(Date.now() - 2 * hour)
    assert.deepEqual(
      await lookup(undefined, { StartTime, EndTime: new Date(Date.now() - hour) }),
      [],
    )
    const found = await lookup(undefined, { StartTime, EndTime: new Date(Date.now() + hour) })
    assert.ok(found.length > 0)
  })

  test('finds a role session by its name, and every call of it by its access key', async () => {
    const { credentials, arn } = await addUser(clients.iam, 'alice')
    const role = await addRole(clients.iam, 'auditor', trusting(arn))
    const people = clientsOf(server, credentials)
    const issued = await assumeRole(people.sts, role.arn, { RoleSessionName: 'night-shift' })
    const session = clientsOf(server, issued)
    await fails(
      session.kms.send(new DescribeKeyCommand({ KeyId: key.id })),
      'AccessDeniedException',
    )
    const [event, ...others] = await lookup(['Username', 'night-shift'])
    assert.deepEqual(others, [])
    assert.equal(present(event).EventName, 'DescribeKey')
    assert.equal(recordOf(event).errorCode, 'AccessDenied')
    const byKey = await lookup(['AccessKeyId', issued.accessKeyId])
    assert.deepEqual(
      byKey.map(({ EventId }) => EventId),
      [present(event).EventId],
    )
    people.destroy()
    session.destroy()
  })

  test('records its own calls', async () => {
    await lookup()
    const [event] = await lookup(['EventName', 'LookupEvents'])
    assert.equal(recordOf(event).eventSource, 'cloudtrail.amazonaws.com')
  })

  test('refuses what CloudTrail refuses, in its names', async () => {
    const send = (input: object) => clients.cloudtrail.send(new LookupEventsCommand(input))
    await fails(send({ MaxResults: 51 }), 'InvalidMaxResultsException')
    await fails(send({ NextToken: 'made-up' }), 'InvalidNextTokenException')
    const [StartTime, EndTime] = [new Date(), new Date(Date.now() - 1000)]
    await fails(send({ StartTime, EndTime }), 'InvalidTimeRangeException')
    await fails(
      send({ LookupAttributes: [{ AttributeKey: 'Colour', AttributeValue: 'red' }] }),
      'InvalidLookupAttributesException',
    )
  })
})
