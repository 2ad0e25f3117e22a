import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { readRecords } from '../journal/reader.ts'
import { temporaryDirectory } from '../journal/testing/fixtures.ts'
import { createMemoryStore, SharedRows } from '../storage/memory/store.ts'
import { DeliveryFailure } from './bucket.ts'
import { deliveryOf } from './delivery.ts'
import { MemoryBuckets } from './testing/buckets.ts'
import { delivered, faultsOf } from './testing/delivered.ts'
import { TestSigner } from './testing/signer.ts'
import { account, away, bucket, home, other, trailOf, World } from './testing/world.ts'

async function setUp(context: TestContext) {
  const folder = temporaryDirectory(context)
  const buckets = new MemoryBuckets()
  buckets.owners.set(bucket, account)
  const signer = new TestSigner()
  const world = await World.open({ folder, buckets, signer })
  context.after(() => world.close())
  const found = () => delivered(buckets.in(bucket))
  const faults = async (chains = 1) =>
    faultsOf(buckets.in(bucket), await signer.publicKeys(), chains)
  return { world, buckets, signer, folder, found, faults }
}

async function started(world: World, more: Parameters<typeof trailOf>[0] = {}): Promise<string> {
  const trail = trailOf(more)
  await world.change('CreateTrail', trail)
  return world.change('StartLogging', { ...trail, logging: true, startedAt: world.clock.now() })
}

test('from the StartLogging to the StopLogging, each of both included, and nothing else', async (context) => {
  const { world, found, faults } = await setUp(context)
  await world.event()
  const begin = await started(world)
  const one = await world.event()
  await world.event({ recipientAccountId: other })
  await world.event({ eventCategory: 'Data' })
  await world.deliverAfter(1)
  assert.deepEqual(found().events, [], 'nothing before the interval is over')
  await world.deliverAfter(300)
  assert.deepEqual(found().events, [begin, one])
  const two = await world.event()
  const end = await world.change('StopLogging', trailOf())
  await world.event()
  await world.deliverAfter(0)
  assert.deepEqual(found().events, [begin, one, two, end])
  assert.deepEqual(await faults(), [])
  await world.event()
  await world.deliverAfter(10_000)
  assert.equal(found().events.length, 4)
  assert.equal(found().digests.size, 2, 'the last one is written after StopLogging, in each Region')
})

test('names, members and metadata are those of CloudTrail', async (context) => {
  const { world, buckets, signer, found, folder } = await setUp(context)
  await started(world, { prefix: 'logs', kmsKeyArn: 'arn:aws:kms:us-east-1:111122223333:key/k' })
  await world.deliverAfter(300)
  await world.event()
  await world.deliverAfter(3300)
  await world.deliverAfter(3600)
  const names = [...buckets.in(bucket).keys()]
  const top = `logs/AWSLogs/${account}`
  const logs = new RegExp(
    `^${top}/CloudTrail/${home}/2026/01/02/${account}_CloudTrail_${home}_20260102T\\d{4}Z_[A-Za-z0-9]{16}\\.json\\.gz$`,
  )
  assert.match(names[0] ?? '', logs)
  const digestTop = `${top}/CloudTrail-Digest/${home}/2026/01/02/${account}_CloudTrail-Digest`
  const digestKeys = names.filter((name) => name.startsWith(digestTop))
  assert.deepEqual(digestKeys, [
    `${digestTop}_${home}_trail_${home}_20260102T040405Z.json.gz`,
    `${digestTop}_${home}_trail_${home}_20260102T050405Z.json.gz`,
  ])
  const [first, second] = digestKeys.map((key) => found().digests.get(key))
  assert.deepEqual(
    Object.entries(first ?? {}).filter(([name, value]) => /^previous/.test(name) && value !== null),
    [],
    'a starting digest has no digest before it',
  )
  assert.equal(first?.digestStartTime, '2026-01-02T03:04:05Z')
  assert.equal(first?.digestEndTime, '2026-01-02T04:04:05Z')
  assert.equal(first?.oldestEventTime, '2026-01-02T03:04:05Z')
  assert.equal(first?.newestEventTime, '2026-01-02T03:09:05Z')
  assert.equal(first?.logFiles.length, 2)
  assert.deepEqual(second?.logFiles, [])
  assert.equal(second?.newestEventTime, null)
  assert.equal(second?.oldestEventTime, null)
  assert.equal(second?.previousDigestS3Object, digestKeys[0])
  assert.equal(second?.previousDigestHashAlgorithm, 'SHA-256')
  const [key] = await signer.publicKeys()
  for (const file of buckets.files.values()) {
    assert.equal(file.contentEncoding, 'gzip')
    assert.equal(file.kmsKeyArn, 'arn:aws:kms:us-east-1:111122223333:key/k')
    const text = JSON.parse(gunzipSync(file.body).toString()) as Record<string, unknown>
    if (!file.key.includes('-Digest/')) continue
    assert.equal(text['digestPublicKeyFingerprint'], key?.fingerprint)
    assert.equal(file.metadata['signature-algorithm'], 'SHA256withRSA')
    assert.match(file.metadata['signature'] ?? '', /^[0-9a-f]{512}$/)
  }
  const entries = [...readRecords(`${folder}/journal/main`, { kinds: ['digest'] })]
  const said = entries.map(({ record }) => JSON.parse(record) as Record<string, unknown>)
  assert.deepEqual(
    said.filter(({ awsRegion }) => awsRegion === home).map(({ s3Object }) => s3Object),
    digestKeys,
  )
  assert.equal(said[0]?.['trailARN'], trailOf().arn)
})

test('a log file has the records byte for byte', async (context) => {
  const { world, buckets, folder } = await setUp(context)
  await started(world)
  const odd = `{"eventID" : "x", "z":1.0, "recipientAccountId":"${account}","awsRegion":"${home}","eventCategory":"Management","eventTime":"2026-01-01T00:00:00Z", "t":"\\u00e9é"}`
  await world.journal.append(odd)
  await world.deliverAfter(300)
  const [file] = buckets.in(bucket).values()
  const records = [...readRecords(`${folder}/journal/main`)].map(({ record }) => record).slice(1)
  assert.equal(
    gunzipSync(file?.body ?? Buffer.alloc(0)).toString(),
    `{"Records":[${records.join(',')}]}`,
  )
})

test('each Region has files of its own, and a trail of one Region its own alone', async (context) => {
  const { world, found, faults } = await setUp(context)
  await started(world)
  await started(world, { name: 'narrow', multiRegion: false, prefix: 'narrow' })
  const here = await world.event()
  const there = await world.event({ awsRegion: away })
  await world.deliverAfter(300)
  await world.deliverAfter(3600)
  const keysOf = (id: string) =>
    [...found().logs].flatMap(([key, records]) =>
      records.some(({ eventID }) => eventID === id) ? [key.replace(/_.*/, '')] : [],
    )
  const top = `AWSLogs/${account}/CloudTrail`
  const day = `2026/01/02/${account}`
  assert.deepEqual(keysOf(there), [`${top}/${away}/${day}`])
  assert.deepEqual(keysOf(here).sort(), [`${top}/${home}/${day}`, `narrow/${top}/${home}/${day}`])
  assert.deepEqual(
    (await faults()).filter((fault) => !/two places|chains begin/.test(fault)),
    [],
  )
})

test('a change of selectors acts on what comes after it', async (context) => {
  const { world, found } = await setUp(context)
  await started(world)
  const before = await world.event()
  const none = {
    readWriteType: 'All' as const,
    includeManagementEvents: true,
    dataResources: [],
    excludeManagementEventSources: ['kms.amazonaws.com'],
  }
  const selectors = { kind: 'basic' as const, selectors: [none] }
  const change = await world.change('PutEventSelectors', trailOf({ logging: true, selectors }))
  await world.event()
  await world.deliverAfter(300)
  assert.deepEqual(found().events.slice(1), [before, change])
})

test('a trail may stop and start before anything is delivered', async (context) => {
  const { world, found, faults } = await setUp(context)
  const expected = [await started(world), await world.event()]
  for (let round = 0; round < 5; round++) {
    expected.push(await world.change('StopLogging', trailOf()))
    await world.event()
    expected.push(await world.change('StartLogging', trailOf({ logging: true })))
    expected.push(await world.event())
  }
  await world.deliverAfter(300)
  // No two digests have one end: those of one second were put off by a second each.
  await world.deliverAfter(3610)
  assert.deepEqual(found().events, expected)
  assert.deepEqual(await faults(6), [])
})

test('a trail that is deleted is delivered up to its end, and then forgotten', async (context) => {
  const { world, found, faults } = await setUp(context)
  const expected = [await started(world), await world.event()]
  expected.push(await world.change('DeleteTrail', trailOf(), true))
  await world.event()
  await world.deliverAfter(0)
  assert.deepEqual(found().events, expected)
  assert.deepEqual(await faults(), [])
  await world.delivery.settle()
  assert.deepEqual([...world.spans.rows.values(), ...world.states.rows.values()], [])
})

test('a bucket that fails holds up no other trail, is shown, and loses nothing', async (context) => {
  const { world, buckets, found, faults } = await setUp(context)
  buckets.owners.set('foreign', other)
  buckets.closed.add('foreign')
  const begin = await started(world)
  await started(world, { name: 'second', bucket: 'missing' })
  await started(world, { name: 'third', bucket: 'foreign' })
  const one = await world.event()
  await world.deliverAfter(300)
  assert.equal(found().events.filter((id) => id === begin || id === one).length, 2)
  const statusOf = (name: string) =>
    deliveryOf(world.states, () => buckets, [home, away]).status(trailOf({ name }).arn)
  assert.deepEqual(statusOf('trail'), { latestDelivery: world.clock.now() })
  assert.equal(statusOf('second').latestDeliveryError, 'NoSuchBucket')
  assert.equal(statusOf('third').latestDeliveryError, 'AccessDenied')
  assert.deepEqual(
    world.delivery.report().failures.map(({ reason }) => reason),
    ['NoSuchBucket', 'AccessDenied'],
  )
  const puts = buckets.puts.length
  await world.deliverAfter(0)
  assert.equal(buckets.puts.length, puts, 'it is not tried again at once')
  const two = await world.event()
  buckets.owners.set('missing', account)
  await world.deliverAfter(300)
  await world.deliverAfter(300)
  const later = delivered(buckets.in('missing')).events
  assert.ok(later.includes(one) && later.includes(two), later.join())
  assert.equal(new Set(later).size, later.length)
  assert.equal(statusOf('second').latestDeliveryError, undefined)
  await world.deliverAfter(3600)
  assert.deepEqual(await faults(), [])
})

test('who gives a trail another bucket need not mend the old one', async (context) => {
  const { world, buckets, found, faults } = await setUp(context)
  const expected = [await started(world, { bucket: 'missing' }), await world.event()]
  await world.deliverAfter(300)
  assert.equal(world.delivery.report().failures.length, 1)
  expected.push(await world.change('UpdateTrail', trailOf({ logging: true })))
  expected.push(await world.event())
  await world.deliverAfter(300)
  await world.deliverAfter(300)
  await world.deliverAfter(3600)
  assert.deepEqual(found().events, expected)
  assert.deepEqual(await faults(), [])
  assert.equal(buckets.in('missing').size, 0)
})

test('the journals of all processes are delivered, by one of them', async (context) => {
  const folder = temporaryDirectory(context)
  const rows = new SharedRows()
  const buckets = new MemoryBuckets()
  buckets.owners.set(bucket, account)
  const clock = { time: Date.UTC(2026, 0, 2), now: () => clock.time }
  const shared = { folder, rows, buckets, clock, signer: new TestSigner() }
  const one = await World.open({ ...shared, node: 'one' })
  const two = await World.open({ ...shared, node: 'two' })
  context.after(() => two.close())
  await one.event()
  await two.event()
  const expected = [await started(one), await two.event(), await one.event()]
  await one.delivery.tick()
  await two.deliverAfter(300)
  assert.deepEqual(
    [one, two].map(({ delivery }) => delivery.report().delivers),
    [true, false],
  )
  await one.deliverAfter(0)
  expected.push(await two.event(), await one.event())
  // The lock goes with the process, and the other goes on where that one was.
  await one.close()
  expected.push(await two.change('StopLogging', trailOf()))
  await two.event()
  await two.deliverAfter(0)
  assert.equal(two.delivery.report().delivers, true)
  assert.deepEqual(delivered(buckets.in(bucket)).events.toSorted(), expected.sort())
  assert.deepEqual(faultsOf(buckets.in(bucket), await shared.signer.publicKeys()), [])
})

test('each call failing once, before or after it took place', async (context) => {
  const signer = new TestSigner()
  const kinds = ['put', 'sign', 'positions', 'find', 'collect', 'checkpoint', 'commit'] as const
  for (const kind of kinds) {
    for (const when of ['before', 'after'] as const) {
      const calls = kind === 'commit' ? 6 : 2
      for (let nth = 1; nth <= calls; nth++) await failing(context, signer, [kind, when, nth])
    }
  }
})

async function failing(
  context: TestContext,
  signer: TestSigner,
  [kind, when, nth]: readonly [string, 'before' | 'after', number],
) {
  const title = `call ${nth} of ${kind} fails ${when} it took place`
  let count = 0
  let armed = false
  const faulty = <T extends object>(target: T, named: (name: string) => boolean): T =>
    new Proxy(target, {
      get(object, name) {
        const value: unknown = Reflect.get(object, name)
        if (typeof value !== 'function' || typeof name !== 'string') return value
        if (!named(name)) return value.bind(object)
        return async (...args: unknown[]) => {
          const fails = armed && ++count === nth
          if (fails && when === 'before') throw new DeliveryFailure('Injected', title)
          const answer: unknown = await value.apply(object, args)
          if (fails) throw new DeliveryFailure('Injected', title)
          return answer
        }
      },
    })
  const buckets = new MemoryBuckets()
  buckets.owners.set(bucket, account)
  const is = (name: string) => name === kind
  const world = await World.open({
    folder: temporaryDirectory(context),
    buckets: faulty(buckets, is),
    signer: faulty(signer, is),
    store: faulty(createMemoryStore(new SharedRows()), is),
    journals: (journals) => faulty(journals, is),
  })
  const expected = [await started(world), await world.event()]
  armed = true
  await world.deliverAfter(300)
  armed = false
  expected.push(await world.event())
  armed = true
  await world.deliverAfter(3600)
  armed = false
  expected.push(await world.change('StopLogging', trailOf()))
  armed = true
  for (let round = 0; round < 6; round++) await world.deliverAfter(301)
  armed = false
  const files = buckets.in(bucket)
  assert.deepEqual(delivered(files).events, expected, title)
  assert.deepEqual(faultsOf(files, await signer.publicKeys()), [], title)
  await world.close()
}
