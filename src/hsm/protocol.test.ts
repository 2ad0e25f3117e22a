import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  decodeFrame,
  encodeFrames,
  FrameReader,
  frameBytesMax,
  type Item,
  itemBytes,
  ProtocolError,
} from './protocol.ts'

const items: fc.Arbitrary<Item[]> = fc.array(
  fc.record({
    code: fc.integer({ min: 0, max: 255 }),
    id: fc.integer({ min: 0, max: 0xffff_ffff }),
    fields: fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
        fc.string({ unit: 'grapheme', maxLength: 20 }),
      ),
      { maxLength: 5 },
    ),
  }),
  { minLength: 1, maxLength: 8 },
)

type Plain = { code: number; id: number; fields: string[] }

function plain(list: readonly Item[]): Plain[] {
  return list.map(({ code, id, fields }) => ({
    code,
    id,
    fields: fields.map((field) => Buffer.from(field as Buffer).toString('hex')),
  }))
}

/** Reads a stream cut at `sizes`; fields are copied, because they do not outlive the call. */
function readInPieces(stream: Buffer, sizes: readonly number[]): Plain[] {
  const received: Plain[] = []
  const reader = new FrameReader((list) => received.push(...plain(list)))
  let at = 0
  for (const size of [...sizes, stream.length]) {
    const chunk = Buffer.from(stream.subarray(at, at + size))
    reader.push(chunk)
    assert.deepEqual(chunk, Buffer.alloc(chunk.length))
    at += chunk.length
  }
  return received
}

test('the layout is as documented', () => {
  const [frame] = encodeFrames([{ code: 4, id: 258, fields: [Buffer.of(9), 'é'] }])
  assert.equal(frame?.toString('hex'), '00000011040000010202000000010900000002c3a9')
})

test('items arrive as they were sent, however the stream is cut', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 40 })
  fc.assert(
    fc.property(fc.array(items, { minLength: 1, maxLength: 3 }), cuts, (batches, sizes) => {
      const stream = Buffer.concat(batches.flatMap(encodeFrames))
      assert.deepEqual(readInPieces(stream, sizes), batches.flatMap(plain))
    }),
  )
})

test('many items take several frames, none above the limit; too long an item takes none', () => {
  const big = Buffer.alloc(300_000, 1)
  const list = Array.from({ length: 10 }, (_, id) => ({ code: 1, id, fields: [big] }))
  const frames = encodeFrames(list)
  assert.equal(frames.length, 4)
  for (const frame of frames) assert.ok(frame.length <= frameBytesMax + 4)
  assert.deepEqual(readInPieces(Buffer.concat(frames), [70_000, 70_000]).length, 10)
  const tooLong = { code: 1, id: 1, fields: [Buffer.alloc(frameBytesMax - 9)] }
  assert.throws(() => encodeFrames([tooLong]), ProtocolError)
  const longest = { code: 1, id: 1, fields: [Buffer.alloc(frameBytesMax - 10)] }
  assert.equal(itemBytes(longest), frameBytesMax)
  assert.equal(encodeFrames([longest])[0]?.length, frameBytesMax + 4)
})

test('a frame of impossible length ends the reading before a byte of it is kept', () => {
  for (const size of [0, frameBytesMax + 1, 0xffff_ffff]) {
    const prefix = Buffer.alloc(4)
    prefix.writeUInt32BE(size)
    const reader = new FrameReader(() => assert.fail('nothing is received'))
    assert.throws(() => reader.push(prefix), ProtocolError)
  }
})

test('a payload that is cut short or has a field too long is refused as a whole', () => {
  const [frame] = encodeFrames([
    { code: 1, id: 1, fields: [] },
    { code: 1, id: 2, fields: [Buffer.alloc(5)] },
  ])
  const payload = (frame ?? Buffer.alloc(0)).subarray(4)
  for (let length = 1; length < payload.length; length++) {
    if (length === 6) continue
    assert.throws(() => decodeFrame(payload.subarray(0, length)), ProtocolError, String(length))
  }
  const overlong = Buffer.from(payload)
  overlong[15] = 6
  assert.throws(() => decodeFrame(overlong), ProtocolError)
})

test('no payload makes the decoder fail in another way', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), (bytes) => {
      try {
        decodeFrame(Buffer.from(bytes))
      } catch (error) {
        assert.ok(error instanceof ProtocolError)
      }
    }),
  )
})
