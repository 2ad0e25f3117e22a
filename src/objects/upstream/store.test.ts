import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { describeObjectStore } from '../conformance.ts'
import { openFileStore } from '../files/store.ts'
import { openThread } from '../rows/channel.ts'
import { newObjectsFolder } from '../testing/folder.ts'
import { bytesOf, gather, pattern, plain, read } from '../testing/pieces.ts'
import { UpstreamServer } from '../testing/upstream-server.ts'
import { openOver, optionsFor } from './testing/open.ts'

describeObjectStore('upstream', async () => {
  const server = await new UpstreamServer().start()
  const directory = newObjectsFolder()
  let count = 0
  return {
    open: () => {
      count += 1
      return openOver(server, { directory, node: `node-${count}`, prefix: 'kagiban/' })
    },
    dispose: async () => {
      await server.stop()
      rmSync(directory, { recursive: true })
    },
  }
})

test('large bodies go up in parts, small ones at once, the smallest not at all', async (context) => {
  const server = await new UpstreamServer().start()
  const directory = newObjectsFolder(context)
  const store = await openOver(server, { directory, node: 'main', connect: openThread })
  await store.createBucket('b')
  const part = 5 * 1024 * 1024
  const made = async (size: number) => {
    const before = server.requests.length
    await store.put('b', 'customer-key-name', plain(pattern(size)))
    const found = await read(store, 'b', 'customer-key-name')
    assert.ok(found.bytes.equals(pattern(size)), `${size} bytes`)
    return server.requests
      .slice(before)
      .filter(({ method }) => method === 'PUT' || method === 'POST')
      .map(({ method, query }) => `${method} ${query.get('partNumber') ?? ''}`.trim())
  }
  assert.deepEqual(await made(10), [])
  assert.deepEqual(await made(20_000), ['PUT'])
  // The tags are behind the bytes, and a part of the body.
  const tags = 16 * Math.ceil(part / 65_536)
  assert.deepEqual(await made(part - tags), ['PUT'])
  assert.deepEqual(await made(part), ['POST', 'PUT 1', 'PUT 2', 'POST'])
  assert.deepEqual(await made(2 * part + 1), ['POST', 'PUT 1', 'PUT 2', 'PUT 3', 'POST'])
  assert.equal(server.uploads.size, 0)
  await store.close()
  await server.stop()
})

test('names upstream say nothing, and bodies come one by one from pieces of any size', async (context) => {
  const server = await new UpstreamServer().start()
  const directory = newObjectsFolder(context)
  const store = await openOver(server, { directory, node: 'main', prefix: 'x/y/' })
  await store.createBucket('bucket-of-the-customer')
  const bytes = pattern(100_000)
  async function* single() {
    for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7)
  }
  const put = { ...plain(bytes), data: single() }
  await store.put('bucket-of-the-customer', 'key-of-the-customer', put)
  const names = [...server.objects.keys()]
  assert.equal(names.length, 2)
  for (const name of names)
    assert.match(name, /^x\/y\/(?:[0-9a-f]{16}\/[0-9a-f]{32}|kagiban-objects)$/)
  const object = await store.open('bucket-of-the-customer', 'key-of-the-customer')
  assert.ok((await bytesOf(object)).equals(bytes))
  const [segment] = object.segments
  assert.ok(segment)
  for (const [start, end] of [
    [0, 1],
    [65_535, 65_537],
    [99_999, 100_000],
    [5, 5],
  ] as const) {
    const some = await gather(object.data(segment, start, end))
    assert.ok(some.equals(bytes.subarray(start, end)), `${start} to ${end}`)
  }
  await object.close()
  await store.close()
  await server.stop()
})

test('what nobody needs any more is removed upstream', async (context) => {
  const server = await new UpstreamServer().start()
  const directory = newObjectsFolder(context)
  const store = await openOver(server, { directory, node: 'main' })
  await store.createBucket('b')
  await store.put('b', 'k', plain(pattern(100_000)))
  const object = await store.open('b', 'k')
  await store.delete('b', 'k', { versioning: 'unversioned' })
  await new Promise((resolve) => setTimeout(resolve, 2500))
  assert.equal(server.objects.size, 2)
  assert.ok((await bytesOf(object)).equals(pattern(100_000)))
  await object.close()
  for (let tries = 0; server.objects.size > 1 && tries < 100; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.deepEqual([...server.objects.keys()], ['kagiban-objects'])
  await store.close()
  await server.stop()
})

test("a place that is not this store's, or of another kind, is refused", async (context) => {
  const server = await new UpstreamServer().start()
  const directory = newObjectsFolder(context)
  const store = await openOver(server, { directory, node: 'main' })
  await store.createBucket('b')
  await store.put('b', 'k', plain(pattern(100_000)))
  await store.close()
  const other = newObjectsFolder(context)
  await assert.rejects(openOver(server, { directory: other, node: 'main' }), /belongs to another/)
  const beside = await openOver(server, { directory: other, node: 'main', prefix: 'other/' })
  await beside.close()
  const moved = openOver(server, { directory, node: 'main', prefix: 'elsewhere/' })
  await assert.rejects(moved, /'elsewhere\/kagiban-objects' is not there, and no body/)
  const { clock, random, connect } = optionsFor(server, { directory, node: 'main' })
  const files = openFileStore({ directory, node: 'main', clock, random, connect })
  await assert.rejects(files, /their bodies are in S3, not in files/)
  const third = newObjectsFolder(context)
  await (await openFileStore({ directory: third, node: 'main', clock, random, connect })).close()
  const s3 = openOver(server, { directory: third, node: 'main', prefix: 'third/' })
  await assert.rejects(s3, /their bodies are in files, not in S3/)
  const again = await openOver(server, { directory, node: 'main' })
  assert.ok((await read(again, 'b', 'k')).bytes.equals(pattern(100_000)))
  await again.close()
  await server.stop()
})

test('a store that cannot be opened says why in one sentence', async (context) => {
  const server = await new UpstreamServer().start()
  const directory = newObjectsFolder(context)
  const refused: [Parameters<typeof optionsFor>[1] | object, RegExp][] = [
    [{ bucket: 'nowhere' }, /: the bucket does not exist \(.*NoSuchBucket/],
    [{ accessKeyId: 'SOMEBODY' }, /: the access key is not known there/],
    [{ secretAccessKey: Buffer.from('guessed') }, /: the secret access key is not that of/],
    [{ region: 'there-1' }, /: the region is another one/],
    [{ clock: { now: () => Date.now() - 3_600_000 } }, /: its clock and the one here differ/],
    [{ endpoint: 'http://127.0.0.1:1' }, /: it does not answer: .*ECONNREFUSED/],
    [{ endpoint: 'http://s3.example' }, /is not encrypted: https, or allow it/],
    [{ endpoint: 's3.example' }, /is no URL of an S3 engine/],
    [{ endpoint: 'https://s3.example/path' }, /has more than a host and a port/],
    [{ endpoint: 'https://me:it@s3.example' }, /has a user or a password/],
    [{ prefix: '../x' }, /is no prefix of names/],
    [{ prefix: 'a?b' }, /is no prefix of names/],
    [{ bucket: 'a/b' }, /is no name of a bucket/],
    [{ secretAccessKey: Buffer.alloc(0) }, /the secret access key is empty/],
    [{ caFile: '/nowhere/ca.pem' }, /ENOENT/],
    [{ node: 'No' }, /is no name of a node/],
  ]
  for (const [options, expected] of refused) {
    const attempt = openOver(server, { directory, node: 'main', ...options })
    await assert.rejects(attempt, (error: Error) => {
      assert.match(error.message, expected)
      assert.doesNotMatch(error.message, /secret of the upstream|guessed/)
      return true
    })
  }
  server.fault = () => 'hang'
  const hanging = openOver(server, { directory, node: 'main', deadlineMs: 100 })
  await assert.rejects(hanging, /: it does not answer: nothing came for 0.1 seconds/)
  server.fault = () => 503
  const busy = openOver(server, { directory, node: 'main' })
  await assert.rejects(busy, /: it answered 503 \(Status503, It is "so".\)/)
  await server.stop()
})
