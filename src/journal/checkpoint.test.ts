import assert from 'node:assert/strict'
import { createHash, createPublicKey, sign, verify } from 'node:crypto'
import { test } from 'node:test'
import {
  checkpointKeyId,
  checkpointText,
  parseCheckpoint,
  signedNote,
  verifyCheckpoint,
} from './checkpoint.ts'
import { appendLeaf, emptyTree, entryLeafHash, rootHash } from './merkle.ts'
import {
  appendBatch,
  directory,
  openEngine,
  privateKey,
  publicKey,
  writeCheckpoint,
} from './testing/fixtures.ts'
import { SimulatedDisk } from './testing/simulated-disk.ts'

const origin = 'kagiban/test/1'
const root = '\xff'.repeat(32)
const text = checkpointText(origin, 12, root)
const note = signedNote(text, origin, publicKey, sign(null, Buffer.from(text), privateKey))

test('the text is origin, size and root, each on its line', () => {
  assert.equal(text, `kagiban/test/1\n12\n${'/'.repeat(42)}8=\n`)
})

test('the key id of the published C2SP signed-note rule', () => {
  const id = createHash('sha256').update(`${origin}\n`).update(Buffer.of(1)).update(publicKey)
  assert.deepEqual(checkpointKeyId(origin, publicKey), id.digest().subarray(0, 4))
})

test('the key id and signature of the Go checksum database note', () => {
  // golang.org/x/mod/sumdb/note, package example: the verifier key of PeterNeumann.
  const key = Buffer.from('ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'base64')
  assert.equal(key[0], 1)
  assert.equal(checkpointKeyId('PeterNeumann', key.subarray(1)).toString('hex'), 'c74f20a3')
})

test('a note reads back and verifies with the right key alone', () => {
  const checkpoint = parseCheckpoint(note)
  if (typeof checkpoint === 'string') return assert.fail(checkpoint)
  assert.equal(checkpoint.origin, origin)
  assert.equal(checkpoint.size, 12)
  assert.equal(checkpoint.root, root)
  assert.equal(verifyCheckpoint(checkpoint, publicKey), true)
  assert.equal(verifyCheckpoint(checkpoint, Buffer.alloc(32, 1)), false)
  for (const change of [
    note.replace('\n12\n', '\n13\n'),
    note.replace('test/1\n', 'test/2\n'),
    note.replace('8=\n', '4=\n'),
  ]) {
    const changed = parseCheckpoint(change)
    if (typeof changed !== 'string') assert.equal(verifyCheckpoint(changed, publicKey), false)
  }
})

test('notes that are none', () => {
  for (const [bad, reason] of [
    ['', 'no blank line'],
    [note.replace('\n\n', '\n'), 'no blank line'],
    [note.replace('\n12\n', '\n012\n'), 'no tree size'],
    [note.replace('\n12\n', '\n-1\n'), 'no tree size'],
    [note.replace('8=\n', '9=\n'), 'no root hash'],
    [note.replace('/8=', '8='), 'no root hash'],
    [note.replace('\u2014', '-'), 'a malformed signature line'],
    [note.slice(0, -1), 'a malformed signature line'],
    [`\n${note}`, 'no origin'],
  ] as const) {
    assert.equal(parseCheckpoint(bad), reason, JSON.stringify(bad))
  }
})

test('the checkpoint of a journal verifies by hand, and its root is the root of the records', () => {
  const disk = new SimulatedDisk()
  const engine = openEngine(disk)
  const records = ['{"n":1}', '{"n":2}', '{"n":3}']
  appendBatch(engine, records)
  assert.equal(writeCheckpoint(engine), undefined)
  const file = disk.content(`${directory}/checkpoint`).toString()
  const [body = '', signatures = ''] = file.split('\n\n')
  const [name, size, base64Root] = body.split('\n')
  const tree = records.reduce(
    (grown, record) => appendLeaf(grown, entryLeafHash(1, Buffer.from(record))),
    emptyTree,
  )
  assert.equal(name, engine.origin)
  assert.equal(size, '3')
  assert.equal(base64Root, Buffer.from(rootHash(tree), 'latin1').toString('base64'))
  const blob = Buffer.from(signatures.trim().split(' ')[2] ?? '', 'base64')
  const key = createPublicKey(privateKey)
  assert.equal(verify(null, Buffer.from(`${body}\n`), key, blob.subarray(4)), true)
  const inStream = disk.content(`${directory}/00000001.seg`).indexOf(file)
  assert.ok(inStream > 4096, 'the same note stands in the segment')
})
