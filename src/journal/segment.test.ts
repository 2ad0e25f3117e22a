import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appendLeaf, emptyTree, frontierHashes, leafHash } from './merkle.ts'
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  maxRecordBytes,
  minSegmentBytes,
  segmentName,
  segmentNumber,
} from './segment.ts'

const tree = Array.from({ length: 1023 }, (_, index) => leafHash(Buffer.of(index & 255))).reduce(
  appendLeaf,
  emptyTree,
)
const header = { number: 7, bytes: 2 ** 26, batch: 99, origin: 'kagiban/node-1/x' }

test('a header reads back as it was written', () => {
  const decoded = decodeSegmentHeader(encodeSegmentHeader(header, tree))
  assert.deepEqual(decoded, { ...header, sequence: 1023, frontier: frontierHashes(tree) })
})

test('a change of any byte of a header is seen', () => {
  const encoded = encodeSegmentHeader(header, tree)
  for (let at = 0; at < encoded.length; at += 1) {
    const copy = Buffer.from(encoded)
    copy.writeUInt8(copy.readUInt8(at) ^ 0x10, at)
    assert.equal(typeof decodeSegmentHeader(copy), 'string', `byte ${at}`)
  }
  assert.equal(decodeSegmentHeader(encoded.subarray(0, 100)), '100 bytes')
  assert.equal(decodeSegmentHeader(Buffer.alloc(4096)), 'other first bytes')
})

test('names of segments', () => {
  assert.equal(segmentName(12), '00000012.seg')
  assert.equal(segmentNumber('00000012.seg'), 12)
  for (const other of ['12.seg', '00000012.seg~', '0000001x.seg', 'checkpoint']) {
    assert.equal(segmentNumber(other), undefined, other)
  }
})

test('a segment holds at least one record of the largest size', () => {
  assert.equal(maxRecordBytes(64 * 1024 * 1024), 256 * 1024)
  assert.equal(maxRecordBytes(minSegmentBytes), minSegmentBytes - 4096 - 41)
})
