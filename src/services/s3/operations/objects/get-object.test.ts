import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { s3Call, s3Ok, s3Request } from '../../../../testing/s3-calls.ts'
import type { BodyStream, Reply } from '../../../../wire/protocol.ts'
import { openWithBucket, WatchedObjects } from '../../testing/objects.ts'

const megabyte = 1024 * 1024
const modified = 'Wed, 06 May 2026 07:08:09 GMT'
const earlier = 'Wed, 06 May 2026 07:08:08 GMT'

for (const method of ['GET', 'HEAD']) {
  describe(`${method} of an object`, () => {
    const refused: readonly [
      string,
      Readonly<Record<string, string>>,
      Readonly<Record<string, string>>,
      number,
      string,
    ][] = [
      ['behind its end', {}, { range: 'bytes=5-' }, 416, 'InvalidRange'],
      ['of a part that is not there', { partNumber: '2' }, {}, 416, 'InvalidPartNumber'],
      ['of part 0', { partNumber: '0' }, {}, 400, 'InvalidArgument'],
      ['of a part and a range', { partNumber: '1' }, { range: 'bytes=0-' }, 400, 'InvalidRequest'],
      ['of no version', { versionId: '' }, {}, 400, 'InvalidArgument'],
      ['of a version of a form of its own', { versionId: 'a b' }, {}, 400, 'InvalidArgument'],
      ['of a version that is not there', { versionId: 'abc' }, {}, 404, 'NoSuchVersion'],
      ['if its tag is another', {}, { 'if-match': '"abc"' }, 412, 'PreconditionFailed'],
      ['if unchanged since', {}, { 'if-unmodified-since': earlier }, 412, 'PreconditionFailed'],
      ['of another owner', {}, { 'x-amz-expected-bucket-owner': '1' }, 403, 'AccessDenied'],
      [
        'with two headers in one',
        { 'response-content-type': 'a\r\nb: c' },
        {},
        400,
        'InvalidArgument',
      ],
      ['in an unknown mode', {}, { 'x-amz-checksum-mode': 'DISABLED' }, 400, 'InvalidArgument'],
    ]
    for (const [name, query, headers, status, code] of refused) {
      test(`${name} is refused: ${code}`, async (t) => {
        const objects = new WatchedObjects()
        const house = await openWithBucket(t, { objects })
        await s3Ok(house, 'PUT', '/bucket/key', { body: 'hello' })
        const answer = await s3Call(house, method, '/bucket/key', { query, headers })
        assert.deepEqual([answer.error, answer.status], [code, status])
        assert.equal(house.journal.events.at(-1)?.errorCode, code)
        assert.equal(objects.closed, objects.opened)
      })
    }

    test('that has not changed says what has not', async (t) => {
      const house = await openWithBucket(t)
      const headers = { 'cache-control': 'no-cache' }
      await s3Ok(house, 'PUT', '/bucket/key', { body: 'hello', headers })
      for (const asked of [
        { 'if-none-match': '"5d41402abc4b2a76b9719d911017c592"' },
        { 'if-modified-since': modified },
      ] as const) {
        const answer = await s3Call(house, method, '/bucket/key', { headers: asked })
        assert.deepEqual([answer.status, answer.text], [304, ''])
        assert.equal(answer.headers.get('etag'), '"5d41402abc4b2a76b9719d911017c592"')
        assert.equal(answer.headers.get('last-modified'), modified)
        assert.equal(answer.headers.get('cache-control'), 'no-cache')
      }
    })

    test('says what its range is, and its sizes where there is none', async (t) => {
      const house = await openWithBucket(t)
      await s3Ok(house, 'PUT', '/bucket/key', { body: 'hello' })
      const sizes = async (range: string, more = {}) => {
        const headers = { range, ...more }
        const { status, headers: answered } = await s3Call(house, method, '/bucket/key', {
          headers,
        })
        return [status, answered.get('content-range'), answered.get('content-length')]
      }
      assert.deepEqual(await sizes('bytes=1-2'), [206, 'bytes 1-2/5', '2'])
      assert.deepEqual(await sizes('bytes=-2'), [206, 'bytes 3-4/5', '2'])
      assert.deepEqual(await sizes('bytes=0-0,2-2'), [200, undefined, '5'])
      const [status, range] = await sizes('bytes=7-8')
      assert.deepEqual([status, range], [416, 'bytes */5'])
      assert.deepEqual(await sizes('bytes=0-1', { 'if-range': '"abc"' }), [200, undefined, '5'])
      const same = { 'if-range': '"5d41402abc4b2a76b9719d911017c592"' }
      assert.deepEqual(await sizes('bytes=0-1', same), [206, 'bytes 0-1/5', '2'])
      assert.deepEqual(await sizes('bytes=0-1', { 'if-range': modified }), [
        206,
        'bytes 0-1/5',
        '2',
      ])
    })

    test('has the headers that the request would rather have', async (t) => {
      const house = await openWithBucket(t)
      await s3Ok(house, 'PUT', '/bucket/key', { body: 'hello' })
      const { headers } = await s3Ok(house, method, '/bucket/key', {
        query: { 'response-content-type': 'text/x', 'response-cache-control': 'private' },
      })
      assert.equal(headers.get('content-type'), 'text/x')
      assert.equal(headers.get('cache-control'), 'private')
    })

    test('that was deleted: a marker is not found, or not got', async (t) => {
      const house = await openWithBucket(t, { versioning: 'Enabled' })
      await s3Ok(house, 'PUT', '/bucket/key', { body: 'hello' })
      const { headers } = await s3Ok(house, 'DELETE', '/bucket/key')
      const versionId = headers.get('x-amz-version-id') ?? ''
      const gone = await s3Call(house, method, '/bucket/key')
      assert.deepEqual([gone.status, gone.error], [404, 'NoSuchKey'])
      const named = await s3Call(house, method, '/bucket/key', { query: { versionId } })
      assert.deepEqual([named.status, named.error], [405, 'MethodNotAllowed'])
      for (const answer of [gone, named]) {
        assert.equal(answer.headers.get('x-amz-delete-marker'), 'true')
        assert.equal(answer.headers.get('x-amz-version-id'), versionId)
      }
      assert.equal(named.headers.get('last-modified'), modified)
    })
  })
}

describe('the bytes of an object', () => {
  test('are those of every range of it', async (t) => {
    const house = await openWithBucket(t)
    const body = randomBytes(300_000)
    await s3Ok(house, 'PUT', '/bucket/key', { body })
    for (const [start, end] of [
      [0, 1],
      [0, 65_536],
      [65_535, 65_537],
      [65_536, 131_072],
      [100, 299_999],
      [299_999, 300_000],
    ] as const) {
      const headers = { range: `bytes=${start}-${end - 1}` }
      const answer = await s3Ok(house, 'GET', '/bucket/key', { headers })
      assert.ok(answer.body.equals(body.subarray(start, end)), `${start}-${end}`)
    }
  })

  test('may be none', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', '/bucket/key', { body: '' })
    const answer = await s3Ok(house, 'GET', '/bucket/key', { query: { partNumber: '1' } })
    assert.deepEqual([answer.status, answer.body.length], [200, 0])
    assert.equal(answer.headers.get('etag'), '"d41d8cd98f00b204e9800998ecf8427e"')
    const { headers } = await s3Ok(house, 'HEAD', '/bucket/key')
    assert.equal(headers.get('content-length'), '0')
  })

  test('stream, 20 MB of them, and the object is closed behind them', async (t) => {
    const objects = new WatchedObjects()
    const house = await openWithBucket(t, { objects })
    const body = randomBytes(20 * megabyte)
    await s3Ok(house, 'PUT', '/bucket/key', { body })
    const answer = await s3Ok(house, 'GET', '/bucket/key')
    assert.ok(answer.body.equals(body))
    assert.deepEqual([objects.opened, objects.closed], [1, 1])
  })

  test('are not asked for before the record is made, nor held in whole', async (t) => {
    const objects = new WatchedObjects()
    const house = await openWithBucket(t, { objects })
    await s3Ok(house, 'PUT', '/bucket/key', { body: Buffer.alloc(megabyte) })
    let pieces = 0
    objects.alter = () => {
      pieces += 1
    }
    const reply = await replyTo(house, '/bucket/key')
    assert.equal(pieces, 0)
    assert.equal(house.journal.events.at(-1)?.eventName, 'GetObject')
    const iterator = (reply.body as BodyStream)[Symbol.asyncIterator]()
    await iterator.next()
    assert.ok(pieces <= 2, `${pieces} pieces`)
    assert.equal(objects.closed, 0)
    await iterator.return?.()
    assert.equal(objects.closed, 1)
  })

  test('that nobody takes are let go', async (t) => {
    const objects = new WatchedObjects()
    const house = await openWithBucket(t, { objects })
    await s3Ok(house, 'PUT', '/bucket/key', { body: Buffer.alloc(megabyte) })
    const { body } = await replyTo(house, '/bucket/key')
    const stream = body as BodyStream
    stream.cancel?.()
    assert.deepEqual([objects.opened, objects.closed], [1, 1])
  })
})

describe('an object that is not what was put', () => {
  const flip = (place: number) => (piece: Buffer, at: number) => {
    if (place < at || place >= at + piece.length) return
    piece[place - at] = (piece[place - at] ?? 0) ^ 1
  }

  test('breaks off before the first byte that is not', async (t) => {
    const objects = new WatchedObjects()
    const house = await openWithBucket(t, { objects })
    const body = randomBytes(megabyte)
    await s3Ok(house, 'PUT', '/bucket/key', { body })
    objects.alter = flip(200_000)
    const reply = await replyTo(house, '/bucket/key')
    const pieces: Buffer[] = []
    await assert.rejects(async () => {
      for await (const piece of reply.body as BodyStream) pieces.push(Buffer.from(piece))
    }, /a chunk is not what was put/)
    const whole = Buffer.concat(pieces)
    assert.equal(whole.length, 3 * 65_536)
    assert.ok(whole.equals(body.subarray(0, whole.length)))
    assert.equal(objects.closed, 1)
  })

  test('is a failure, where it is small, and recorded as one', async (t) => {
    const objects = new WatchedObjects()
    const house = await openWithBucket(t, { objects })
    await s3Ok(house, 'PUT', '/bucket/key', { body: 'hello' })
    objects.alter = flip(2)
    const { error, status } = await s3Call(house, 'GET', '/bucket/key')
    assert.deepEqual([error, status], ['InternalError', 500])
    assert.equal(house.journal.events.at(-1)?.errorCode, 'InternalError')
    assert.match(house.logged.join(), /a chunk is not what was put/)
    assert.equal(objects.closed, 1)
  })

  test('is a failure, where it is another object', async (t) => {
    const objects = new WatchedObjects()
    const house = await openWithBucket(t, { objects })
    const bucket = house.tables.s3.get('bucket')?.storeId ?? ''
    await s3Ok(house, 'PUT', '/bucket/one', { body: 'hello' })
    const one = await objects.open(bucket, 'one')
    const [segment] = one.segments
    assert.ok(segment)
    const chunkTags = await one.chunkTags(segment, 0, segment.chunkTagsSize)
    const data = one.data(segment, 0, segment.size)
    const finish = () => ({ ...one.version, segmentSidecar: segment.sidecar, chunkTags })
    await objects.put(bucket, 'two', { versioning: 'unversioned', data, finish })
    await one.close()
    objects.closed = 0
    const { error } = await s3Call(house, 'GET', '/bucket/two')
    assert.equal(error, 'InternalError')
    assert.match(house.logged.join(), /these keys are not those of this object/)
    assert.equal(objects.closed, 1)
  })
})

function replyTo(house: Awaited<ReturnType<typeof openWithBucket>>, path: string): Promise<Reply> {
  return new Promise((resolve) => {
    house.pipeline.accept(s3Request(house, 'GET', path, {}), resolve)
  })
}
