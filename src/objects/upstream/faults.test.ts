import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { ObjectStore } from '../port.ts'
import { newObjectsFolder } from '../testing/folder.ts'
import { completing, newUpload, pattern, plain, plainPart, read } from '../testing/pieces.ts'
import { type UpstreamFault, UpstreamServer } from '../testing/upstream-server.ts'
import { markerName } from './marker.ts'
import { EngineProbe } from './probe.ts'
import { engineFor, openOver } from './testing/open.ts'

async function contentOf(store: ObjectStore, key: string): Promise<Buffer | undefined> {
  try {
    return (await read(store, 'b', key)).bytes
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'no-such-key') return undefined
    throw error
  }
}

const small = { old: pattern(40_000, 1), new: pattern(70_000, 2) }
const large = { old: pattern(40_000, 1), new: pattern(6_000_000, 2) }
type Contents = typeof small

/** One thing each that a caller does, and what it brings upstream. */
const calls: Record<
  string,
  [Contents, (store: ObjectStore, contents: Contents) => Promise<unknown>]
> = {
  'a small put': [small, (store, contents) => store.put('b', 'k', plain(contents.new))],
  'a large put': [large, (store, contents) => store.put('b', 'k', plain(contents.new))],
  'an upload': [
    small,
    async (store, contents) => {
      const name = await newUpload(store, 'b', 'k')
      await store.putPart(name, 1, plainPart(contents.new, 'part'))
      await store.complete(name, completing([[1, 'part']]))
    },
  ],
  'a read': [
    large,
    async (store, contents) => {
      assert.ok((await read(store, 'b', 'source')).bytes.equals(contents.new))
    },
  ],
}

async function outcomeOf(attempt: Promise<unknown>): Promise<unknown> {
  try {
    await attempt
    return 'acknowledged'
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}

async function begin(context: TestContext) {
  const server = await new UpstreamServer().start()
  const directory = newObjectsFolder(context)
  const store = await openOver(server, { directory, node: 'main', deadlineMs: 250 })
  context.after(async () => {
    await store.close()
    await server.stop()
  })
  await store.createBucket('b')
  return { server, store, directory }
}

/** Fails the n-th request and, where it is said so, all behind it; answers how many there were. */
function arm(server: UpstreamServer, n: number, fault: UpstreamFault, forGood: boolean) {
  let count = 0
  server.fault = ({ method }) => {
    // Removals come in their own time, whoever else calls.
    if (method === 'DELETE') return forGood && count >= n ? fault : undefined
    count += 1
    return count === n || (forGood && count > n) ? fault : undefined
  }
  return () => {
    server.fault = () => undefined
    return count
  }
}

const passing: readonly UpstreamFault[] = [500, 'reset', 'lost', 'short', 'hang']
const final: readonly UpstreamFault[] = [403, 404, 501]

for (const [name, [contents, call]] of Object.entries(calls)) {
  const after = name === 'a read' ? contents.old : contents.new

  test(`${name}: each request fails once in each way that passes, and is repeated`, async (context) => {
    const { server, store } = await begin(context)
    await store.put('b', 'source', plain(contents.new))
    for (const fault of passing) {
      for (let failing = 1, done = false; !done; failing++) {
        await store.put('b', 'k', plain(contents.old))
        const disarm = arm(server, failing, fault, false)
        const outcome = await outcomeOf(call(store, contents))
        done = disarm() < failing
        assert.equal(outcome, 'acknowledged', `${fault} at request ${failing}`)
        assert.deepEqual(await contentOf(store, 'k'), after, `${fault} at request ${failing}`)
        assert.equal(store.healthy, true)
      }
    }
  })

  test(`${name}: a request that is refused leaves nothing, here and there`, async (context) => {
    const { server, store } = await begin(context)
    await store.put('b', 'source', plain(contents.new))
    for (const fault of final) {
      for (let failing = 1, done = false; !done; failing++) {
        await store.put('b', 'k', plain(contents.old))
        const disarm = arm(server, failing, fault, false)
        const outcome = await outcomeOf(call(store, contents))
        done = disarm() < failing
        assert.ok(outcome === 'acknowledged' || outcome === 'internal', `${failing}: ${outcome}`)
        const content = outcome === 'acknowledged' ? after : contents.old
        assert.deepEqual(await contentOf(store, 'k'), content, `${fault} at request ${failing}`)
        assert.ok(done === (outcome === 'acknowledged') || fault === 404, `${fault} ${failing}`)
      }
    }
    await onlyWhatIsNamed(server, 2)
  })

  test(`${name}: an upstream that fails for good is seen, and nothing is half there`, async (context) => {
    const { server, store } = await begin(context)
    await store.put('b', 'source', plain(contents.new))
    for (const fault of ['reset', 'half'] as const) {
      for (let failing = 1, done = false; !done; failing++) {
        await store.put('b', 'k', plain(contents.old))
        const disarm = arm(server, failing, fault, true)
        const outcome = await outcomeOf(call(store, contents))
        done = disarm() < failing
        assert.ok(outcome === 'acknowledged' || outcome === 'internal', `${failing}: ${outcome}`)
        if (outcome === 'internal' && fault === 'reset') assert.equal(store.healthy, false)
        const content = outcome === 'acknowledged' ? after : contents.old
        assert.deepEqual(await contentOf(store, 'k'), content, `${fault} from ${failing} on`)
        assert.equal(store.healthy, true)
      }
    }
  })
}

/** Beside the marker, once garbage was removed. */
async function onlyWhatIsNamed(server: UpstreamServer, count: number): Promise<void> {
  const bodies = () => [...server.objects.keys()].filter((name) => name !== markerName).length
  for (let tries = 0; bodies() > count && tries < 120; tries++) await pause(50)
  assert.equal(bodies(), count)
  assert.equal(server.uploads.size, 0)
}

test('a failure tells the operator what and the caller nothing', async (context) => {
  const { server, store } = await begin(context)
  server.fault = () => 403
  await assert.rejects(store.put('b', 'k', plain(small.new)), (error: object) => {
    assert.ok('code' in error && 'publicMessage' in error && 'detail' in error)
    assert.equal(error.code, 'internal')
    assert.equal(error.publicMessage, undefined)
    assert.equal(
      error.detail,
      'a body cannot be written: the upstream S3 failed: it answered 403 (Status403, It is "so".)',
    )
    return true
  })
  assert.equal(store.healthy, false)
})

test('an idle store notices that its upstream is away, and that it is back', async (context) => {
  const { server, directory } = await begin(context)
  const engine = engineFor(server, { directory, node: 'main', deadlineMs: 250 })
  const probe = new EngineProbe(engine, 20)
  const until = async (healthy: boolean) => {
    for (let tries = 0; probe.healthy !== healthy && tries < 100; tries++) await pause(20)
    assert.equal(probe.healthy, healthy)
  }
  for (const fault of ['reset', 'hang', 403] as const) {
    server.fault = () => fault
    await until(false)
    server.fault = () => undefined
    await until(true)
  }
  // The marker's absence is an answer, too.
  server.objects.clear()
  await pause(100)
  assert.equal(probe.healthy, true)
  engine.close()
  await probe.stop()
})

test('a body that is not as its row says is never given as if it were', async (context) => {
  const { server, store } = await begin(context)
  await store.put('b', 'k', plain(small.new))
  const [name = ''] = [...server.objects.keys()].filter((each) => each !== markerName)
  const whole = server.objects.get(name) ?? Buffer.alloc(0)
  for (const kept of [whole.subarray(0, 1000), Buffer.alloc(0), undefined]) {
    if (kept === undefined) server.objects.delete(name)
    else server.objects.set(name, kept)
    await assert.rejects(read(store, 'b', 'k'), { code: 'internal' })
  }
  server.objects.set(name, whole)
  assert.deepEqual(await contentOf(store, 'k'), small.new)
})

test('whoever sends waits for an upstream that is slow', async (context) => {
  const server = await new UpstreamServer().start()
  const directory = newObjectsFolder(context)
  const store = await openOver(server, { directory, node: 'main', deadlineMs: 1500 })
  await store.createBucket('b')
  const piece = pattern(100_000)
  let sent = 0
  async function* endless() {
    for (;;) {
      sent += piece.length
      yield piece
    }
  }
  server.fault = ({ query }) => (query.has('partNumber') ? 'hang' : undefined)
  const put = store.put('b', 'k', plain('', { data: endless() }))
  await assert.rejects(put, { code: 'internal' })
  const partBytes = 5 * 1024 * 1024
  assert.ok(sent <= 2 * partBytes + piece.length, `${sent} bytes were taken`)
  server.fault = () => undefined
  await store.close()
  await server.stop()
})

test('closing waits for no upstream, and what was under way is refused', async (context) => {
  const { server, store } = await begin(context)
  await store.put('b', 'k', plain(small.old))
  server.fault = () => 'hang'
  const put = outcomeOf(store.put('b', 'k', plain(small.new)))
  const object = await store.open('b', 'k')
  const reading = outcomeOf(object.chunkTags(object.segments[0] ?? assert.fail(), 0, 16))
  await pause(50)
  await store.close()
  assert.equal(await put, 'internal')
  assert.equal(await reading, 'internal')
})
