import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { ServiceError } from '../../base/errors.ts'
import { systemRandom } from '../../base/random.ts'
import { JournalEngine } from '../engine.ts'
import { openJournal } from '../journal.ts'
import { nodeFiles } from '../node-files.ts'
import type { LookupAttribute, LookupQuery } from '../port.ts'
import { appendBatch, publicKey, signWithKey, temporaryDirectory } from '../testing/fixtures.ts'
import { attributeHash, eventAttributes } from './attributes.ts'
import { openLookup } from './lookup.ts'
import { LookupIndex } from './lookup-index.ts'

const account = '111122223333'
const region = 'us-east-1'
const start = Date.UTC(2026, 0, 1)
const keyArn = (name: string) => `arn:aws:kms:${region}:${account}:key/${name}`

type EventOptions = {
  second?: number
  account?: string
  region?: string
  category?: string
  name?: string
  source?: string
  readOnly?: boolean
  identity?: object
  keys?: string[]
  id?: string
  failed?: boolean
}

function event(options: EventOptions = {}): string {
  const { second = 0, name = 'Decrypt', keys = ['one'] } = options
  return JSON.stringify({
    eventVersion: '1.11',
    userIdentity: options.identity ?? {
      type: 'IAMUser',
      userName: 'alice',
      accessKeyId: 'AKIAALICE',
    },
    eventTime: new Date(start + second * 1000).toISOString().replace('.000Z', 'Z'),
    eventSource: options.source ?? 'kms.amazonaws.com',
    eventName: name,
    awsRegion: options.region ?? region,
    readOnly: options.readOnly ?? true,
    resources: keys.map((key) => ({ type: 'AWS::KMS::Key', ARN: keyArn(key), accountId: account })),
    eventID: options.id ?? randomUUID(),
    requestID: options.id === undefined ? undefined : `request ${options.id}`,
    errorCode: options.failed === true ? 'DisabledException' : undefined,
    recipientAccountId: options.account ?? account,
    eventCategory: options.category ?? 'Management',
  })
}

function writer(journals: string, node = 'main'): JournalEngine {
  return new JournalEngine(nodeFiles, {
    directory: join(journals, node),
    newOrigin: `kagiban/${node}/${randomUUID()}`,
    publicKey,
    segmentBytes: 16 * 1024,
  })
}

function setUp(context: TestContext) {
  const data = temporaryDirectory(context)
  const journals = join(data, 'journal')
  const file = join(data, 'index', 'main.db')
  const clock = { time: start + 3_600_000, now: () => clock.time }
  const open = () => {
    const made = new LookupIndex({
      journals,
      file,
      clock,
      retentionDays: 90,
      shownDays: 90,
      files: nodeFiles,
    })
    context.after(() => made.close())
    return made
  }
  return { journals, file, clock, open, engine: writer(journals) }
}

function query(more: Partial<LookupQuery> = {}): LookupQuery {
  return { account, region, from: 0, to: Number.MAX_SAFE_INTEGER, limit: 50, ...more }
}

const by = (key: LookupAttribute, value: string) => query({ attribute: { key, value } })

test('what was just recorded is found, newest first', (context) => {
  const { engine, open } = setUp(context)
  const index = open()
  assert.deepEqual(index.find(query()), { records: [], next: undefined })
  const written: string[] = []
  for (let second = 0; second < 30; second += 1) {
    const record = event({ second })
    appendBatch(engine, [record])
    written.unshift(record)
    assert.deepEqual(index.find(query()).records, written)
  }
})

test('every attribute finds its events and no others', (context) => {
  const { engine, open } = setUp(context)
  const role = {
    type: 'AssumedRole',
    principalId: 'AROAX:session-1',
    accessKeyId: 'ASIAX',
    sessionContext: { sessionIssuer: { userName: 'role' } },
  }
  const records = {
    user: event({ second: 1 }),
    root: event({ second: 2, identity: { type: 'Root', accessKeyId: 'AKIAROOT' } }),
    role: event({ second: 3, identity: role, name: 'CreateKey', readOnly: false }),
    both: event({ second: 4, name: 'ReEncrypt', keys: ['one', 'two'] }),
    sts: event({ second: 5, source: 'sts.amazonaws.com', name: 'AssumeRole', keys: [] }),
    service: event({ second: 6, identity: { invokedBy: 'AWS Internal' }, name: 'RotateKey' }),
  }
  appendBatch(engine, Object.values(records))
  const index = open()
  const { user, root, role: roleEvent, both, sts, service } = records
  const eventId = eventAttributes(both)?.eventId ?? ''
  const expected: [LookupAttribute, string, string[]][] = [
    ['AccessKeyId', 'AKIAROOT', [root]],
    ['AccessKeyId', 'ASIAX', [roleEvent]],
    ['AccessKeyId', 'AKIANOBODY', []],
    ['EventId', eventId, [both]],
    ['EventId', randomUUID(), []],
    ['EventName', 'CreateKey', [roleEvent]],
    ['EventName', 'createkey', []],
    ['EventSource', 'sts.amazonaws.com', [sts]],
    ['EventSource', 'kms.amazonaws.com', [service, both, roleEvent, root, user]],
    ['ReadOnly', 'false', [roleEvent]],
    ['ReadOnly', 'true', [service, sts, both, root, user]],
    ['ReadOnly', 'no', []],
    ['ResourceName', keyArn('two'), [both]],
    ['ResourceName', keyArn('one'), [service, both, roleEvent, root, user]],
    ['ResourceType', 'AWS::KMS::Key', [service, both, roleEvent, root, user]],
    ['ResourceType', 'AWS::S3::Object', []],
    ['Username', 'alice', [sts, both, user]],
    ['Username', 'root', [root]],
    ['Username', 'session-1', [roleEvent]],
    ['Username', 'role', []],
    ['Username', 'AWS Internal', [service]],
  ]
  for (const [key, value, found] of expected) {
    assert.deepEqual(index.find(by(key, value)).records, found, `${key} ${value}`)
  }
})

test('accounts, Regions, other categories and texts that are no events stay apart', (context) => {
  const { engine, open } = setUp(context)
  const other = event({ account: '999999999999' })
  const abroad = event({ region: 'eu-west-1' })
  const own = event()
  appendBatch(engine, [
    other,
    abroad,
    event({ category: 'Data' }),
    'no JSON',
    '[]',
    '{}',
    'null',
    own,
  ])
  const index = open()
  assert.deepEqual(index.find(query()).records, [own])
  assert.deepEqual(index.find(by('Username', 'alice')).records, [own])
  assert.deepEqual(index.find(query({ account: '999999999999' })).records, [other])
  assert.deepEqual(index.find(query({ region: 'eu-west-1' })).records, [abroad])
})

test('times are inclusive on both ends, to the second', (context) => {
  const { engine, open } = setUp(context)
  const records = [10, 11, 12, 13].map((second) => event({ second }))
  appendBatch(engine, records)
  const index = open()
  const between = (from: number, to: number) =>
    index.find(query({ from: start + from, to: start + to })).records
  assert.deepEqual(between(11_000, 12_000), [records[2], records[1]])
  assert.deepEqual(between(10_001, 12_999), [records[2], records[1]])
  assert.deepEqual(between(13_001, 20_000), [])
  assert.deepEqual(between(20_000, 10_000), [])
})

test('pages go through everything once, also while more is recorded', (context) => {
  const { engine, open } = setUp(context)
  const records = Array.from({ length: 47 }, (_, count) => event({ second: count >> 2 }))
  for (let at = 0; at < records.length; at += 5) appendBatch(engine, records.slice(at, at + 5))
  let index = open()
  for (const attribute of [undefined, { key: 'ResourceName', value: keyArn('one') }] as const) {
    const seen: string[] = []
    let after: number | undefined
    do {
      const page = index.find(query({ limit: 10, after, attribute }))
      assert.ok(page.records.length === 10 || page.next === undefined)
      seen.push(...page.records)
      after = page.next
      appendBatch(engine, [event({ second: 100, name: 'Later' })])
      index.close()
      index = open()
    } while (after !== undefined)
    assert.deepEqual(
      seen.filter((text) => records.includes(text)),
      records.toReversed(),
    )
  }
  assert.deepEqual(index.find(query({ limit: 47, from: 0, to: start + 50_000 })).next, undefined)
})

test('several nodes are followed, and one that appears later', (context) => {
  const { engine, journals, open } = setUp(context)
  const index = open()
  const first = event({ second: 1 })
  appendBatch(engine, [first])
  assert.deepEqual(index.find(query()).records, [first])
  const second = event({ second: 0 })
  const third = event({ second: 2 })
  appendBatch(writer(journals, 'other'), [second, third])
  mkdirSync(join(journals, 'not-a-journal'))
  assert.deepEqual(index.find(query()).records, [third, first, second])
})

test('events older than the retention are not found and go from the index', (context) => {
  const { engine, open, clock, file } = setUp(context)
  const records = Array.from({ length: 500 }, (_, second) => event({ second }))
  for (let at = 0; at < 500; at += 20) appendBatch(engine, records.slice(at, at + 20))
  const index = open()
  assert.equal(index.find(query({ limit: 500 })).records.length, 500)
  clock.time = start + 90 * 86_400_000 + 400_000
  assert.deepEqual(index.find(query({ limit: 500 })).records, records.slice(400).toReversed())
  const count = (table: string) => {
    const database = new DatabaseSync(file, { readOnly: true })
    const { n } = database.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }
    database.close()
    return n
  }
  for (let turn = 0; index.work(5); turn += 1) assert.ok(turn < 20)
  // What is of the day that is partly too old goes with the last of it.
  assert.deepEqual([count('event'), count('event_id')], [500, 500])
  assert.ok(count('posting') > 5)
  clock.time += 86_400_000
  assert.deepEqual(index.find(query({ limit: 500 })).records, [])
  for (let turn = 0; index.work(5); turn += 1) assert.ok(turn < 20)
  assert.deepEqual([count('event'), count('event_id'), count('posting')], [0, 0, 0])
  clock.time -= 86_400_000
  rmSync(file)
  rmSync(`${file}-wal`, { force: true })
  assert.equal(open().find(query({ limit: 500 })).records.length, 100)
})

test('the index goes on where it was, and is made anew when it is lost or broken', (context) => {
  const { engine, open, file, journals } = setUp(context)
  const records = Array.from({ length: 200 }, (_, second) => event({ second }))
  for (let at = 0; at < 200; at += 20) appendBatch(engine, records.slice(at, at + 20))
  const newest = () => {
    const index = open()
    const { records: found } = index.find(query({ limit: 200 }))
    index.close()
    return found
  }
  assert.deepEqual(newest(), records.toReversed())
  const spoil: Record<string, () => void> = {
    missing: () => rmSync(file),
    empty: () => writeFileSync(file, ''),
    'no database': () => writeFileSync(file, 'x'.repeat(5000)),
    'damaged pages': () => writeFileSync(file, readFileSync(file).fill(0xee, 4096)),
    'another version': () => {
      const database = new DatabaseSync(file)
      database.exec('PRAGMA user_version=77')
      database.close()
    },
    'another schema': () => {
      const database = new DatabaseSync(file)
      database.exec('DROP TABLE posting')
      database.close()
    },
    'another journal': () => {
      const database = new DatabaseSync(file)
      database.exec("UPDATE journal SET origin = 'other'")
      database.close()
    },
    'a journal that went back': () => {
      const database = new DatabaseSync(file)
      database.exec('UPDATE journal SET last_checksum = 1, sequence = 3')
      database.close()
    },
    'a journal that is gone': () => {
      const database = new DatabaseSync(file)
      database.exec("UPDATE journal SET node = 'gone'")
      database.close()
    },
  }
  for (const [name, change] of Object.entries(spoil)) {
    change()
    assert.deepEqual(newest(), records.toReversed(), name)
  }
  const before = statSync(file).mtimeMs
  assert.deepEqual(newest(), records.toReversed())
  assert.equal(statSync(file).mtimeMs, before, 'a sound index is not written again')
  assert.deepEqual(readdirSync(journals), ['main'])
})

test('damage in a journal is an error of find, not of the index', (context) => {
  const { engine, open, journals } = setUp(context)
  for (let second = 0; second < 60; second += 1) appendBatch(engine, [event({ second })])
  const path = join(journals, 'main', '00000001.seg')
  const whole = readFileSync(path)
  const broken = Buffer.from(whole)
  broken.writeUInt8(broken.readUInt8(9000) ^ 1, 9000)
  writeFileSync(path, broken)
  const index = open()
  assert.throws(() => index.find(query()), { name: 'JournalDamage', file: path })
  assert.throws(() => index.work(5), { name: 'JournalDamage', file: path })
  writeFileSync(path, whole)
  assert.equal(index.find(query({ limit: 100 })).records.length, 60)
})

test('events that share a hash are told apart', (context) => {
  const { engine, open, file } = setUp(context)
  appendBatch(engine, [event({ name: 'Decrypt' }), event({ name: 'Encrypt' })])
  open().find(query())
  const database = new DatabaseSync(file)
  const all = attributeHash(account, region, '')
  const hash = attributeHash(account, region, 'EventName', 'Decrypt')
  database.exec(`DELETE FROM posting WHERE value = ${hash}`)
  database.exec(`UPDATE posting SET value = ${hash} WHERE value = ${all}`)
  database.close()
  const { records, next } = open().find({ ...by('EventName', 'Decrypt'), limit: 1 })
  assert.equal(records.length, 1)
  assert.equal(next, undefined)
})

test('in its own thread, over a journal that is being written', async (context) => {
  const data = temporaryDirectory(context)
  const clock = { now: () => start + 60_000 }
  const journal = await openJournal({
    directory: join(data, 'journal', 'main'),
    node: 'main',
    sign: signWithKey,
    publicKey,
    clock,
    random: systemRandom,
    segmentBytes: 64 * 1024,
  })
  const file = join(data, 'index', 'main.db')
  const lookup = await openLookup({ journals: join(data, 'journal'), file, clock })
  for (let turn = 0; turn < 20; turn += 1) {
    const records = Array.from({ length: 20 }, () => event({ second: turn }))
    await Promise.all(records.map((record) => journal.append(record)))
    const page = await lookup.find(query({ limit: 20 }))
    assert.deepEqual(page.records, records.toReversed())
  }
  await journal.close()
  await lookup.close()
  await assert.rejects(lookup.find(query()), (error) => {
    assert.ok(error instanceof ServiceError)
    return error.code === 'internal' && error.detail === 'the event index is closed'
  })
  const spoilt = join(data, 'journal', 'main', '00000002.seg')
  writeFileSync(spoilt, readFileSync(spoilt).fill(7, 5000, 5010))
  const again = await openLookup({
    journals: join(data, 'journal'),
    file: join(data, 'b.db'),
    clock,
  })
  await assert.rejects(again.find(query()), (error) => {
    assert.ok(error instanceof ServiceError)
    return error.code === 'internal' && /journal damage in .*00000002.seg/.test(error.detail ?? '')
  })
  await again.close()
})

test('the last success on a resource is known however old it is, and survives a new start', (context) => {
  const data = temporaryDirectory(context)
  const journals = join(data, 'journal')
  const file = join(data, 'index.db')
  const engine = writer(journals)
  context.after(() => engine.close())
  const clock = { now: () => start + 60_000 }
  const day = 86_400
  appendBatch(engine, [
    event({ second: -200 * day, name: 'Decrypt', id: 'first' }),
    event({ second: -190 * day, name: 'Encrypt', id: 'second', keys: ['one', 'two'] }),
    event({ second: -180 * day, name: 'Decrypt', id: 'failed', failed: true }),
    event({ second: -170 * day, name: 'DescribeKey', id: 'described' }),
    event({ second: -160 * day, name: 'Decrypt', id: 'foreign', account: '444455556666' }),
  ])
  const open = () => {
    const index = new LookupIndex({
      journals,
      file,
      clock,
      retentionDays: 90,
      shownDays: 90,
      files: nodeFiles,
    })
    context.after(() => index.close())
    return index
  }
  const names = ['Encrypt', 'Decrypt']
  for (let starts = 0; starts < 2; starts += 1) {
    const index = open()
    const last = (resource: string) => index.last({ account, resource: keyArn(resource), names })
    assert.deepEqual(last('one'), {
      name: 'Encrypt',
      time: start - 190 * day * 1000,
      eventId: 'second',
      requestId: 'request second',
    })
    assert.equal(last('two')?.eventId, 'second')
    assert.equal(last('three'), undefined)
    index.close()
  }
  appendBatch(engine, [event({ second: 0, name: 'Decrypt', id: 'newest' })])
  assert.equal(open().last({ account, resource: keyArn('one'), names })?.eventId, 'newest')
})
