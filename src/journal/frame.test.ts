import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import {
  checkpointFrame,
  type FrameHeader,
  frameHeaderBytes,
  frameOverhead,
  looksLikeFrame,
  maxBodyBytes,
  readFrame,
  sealFrame,
} from './frame.ts'

const blank = (): FrameHeader => ({ length: 0, sequence: 0, batch: 0, batchEnd: 0, type: 0 })
const count = fc.integer({ min: 0, max: 2 ** 45 })

function frameOf(body: Uint8Array, header: Omit<FrameHeader, 'length'>): Buffer {
  const frame = Buffer.alloc(frameOverhead + body.length, 0xee)
  frame.set(body, frameHeaderBytes)
  sealFrame(frame, 0, { ...header, length: body.length })
  return frame
}

const anyFrame = fc.record({
  body: fc.uint8Array({ minLength: 1, maxLength: 200 }),
  sequence: count,
  batch: count,
  batchEnd: count,
  type: fc.constantFrom(checkpointFrame, ...[1, 3, 4, 5]),
})

test('a frame reads back as it was written, wherever it stands', () => {
  fc.assert(
    fc.property(anyFrame, fc.nat(100), ({ body, ...header }, at) => {
      const frame = frameOf(body, header)
      const buffer = Buffer.concat([Buffer.alloc(at, 0xff), frame, Buffer.alloc(9, 0xff)])
      const read = blank()
      assert.equal(readFrame(buffer, at, at + frame.length, read), undefined)
      assert.deepEqual(read, { ...header, length: body.length })
      assert.ok(looksLikeFrame(buffer, at, at + frame.length))
    }),
  )
})

test('a change of any one bit is seen', () => {
  fc.assert(
    fc.property(anyFrame, fc.nat(), ({ body, ...header }, random) => {
      const frame = frameOf(body, header)
      const bit = random % (frame.length * 8)
      const at = bit >> 3
      frame.writeUInt8(frame.readUInt8(at) ^ (1 << (bit & 7)), at)
      assert.equal(typeof readFrame(frame, 0, frame.length, blank()), 'string')
    }),
    { numRuns: 500 },
  )
})

test('every kind of bad frame is named', () => {
  const frame = frameOf(Buffer.from('{}'), { sequence: 1, batch: 2, batchEnd: 2, type: 1 })
  const broken = (change: (copy: Buffer) => void) => {
    const copy = Buffer.from(frame)
    change(copy)
    return readFrame(copy, 0, copy.length, blank())
  }
  assert.equal(
    broken((copy) => copy.fill(0)),
    'a frame length of 0',
  )
  assert.equal(
    broken((copy) => copy.writeUInt32BE(maxBodyBytes + 1)),
    `a frame length of ${maxBodyBytes + 1}`,
  )
  assert.equal(
    broken((copy) => copy.writeUInt32BE(3)),
    'a frame of 3 bytes beyond its bounds',
  )
  assert.equal(
    broken((copy) => copy.writeUInt8(0x7c, 40)),
    'a wrong checksum',
  )
  assert.equal(readFrame(frame, 0, 41, blank()), '41 bytes')
})

test('the layout is the documented one', () => {
  const frame = frameOf(Buffer.from('{}'), { sequence: 5, batch: 2 ** 33, batchEnd: 7, type: 1 })
  assert.equal(
    frame.toString('hex').replace(/^(.{8}).{8}/, '$1________'),
    '00000002________0000000000000005000000020000000000000000000000070100000000000' + '00a7b7d0a',
  )
  assert.equal(frame.readUInt32BE(4), crc32(frame.subarray(8), 2))
})
