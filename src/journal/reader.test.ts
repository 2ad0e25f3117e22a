import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCheckpoint } from './checkpoint.ts'
import { JournalDamage } from './damage.ts'
import { JournalReader } from './journal-reader.ts'
import { appendLeaf, emptyTree, entryLeafHash, rootHash } from './merkle.ts'
import { everyKind, journalPosition, lastCheckpoint, readRecords } from './reader.ts'
import {
  appendBatch,
  directory,
  layOut,
  openEngine,
  recordsIn,
  segmentBytes,
  writeCheckpoint,
} from './testing/fixtures.ts'
import { SimulatedDisk } from './testing/simulated-disk.ts'

const record = (index: number) =>
  JSON.stringify({ n: index, name: '\u65e5\u672c', pad: 'x'.repeat(200) })
const segment = (number: number) => `${directory}/0000000${number}.seg`

function written(count: number): { disk: SimulatedDisk; engine: ReturnType<typeof openEngine> } {
  const disk = new SimulatedDisk()
  const engine = openEngine(disk)
  for (let index = 0; index < count; index += 3) {
    appendBatch(engine, [record(index), record(index + 1), record(index + 2)])
    if (index % 30 === 0) writeCheckpoint(engine)
  }
  return { disk, engine }
}

test('records are read from any index on, with where they stand', () => {
  const { disk } = written(120)
  for (const from of [0, 1, 2, 3, 50, 118, 119, 120, 999]) {
    const read = [...readRecords(directory, { from, files: disk })]
    assert.equal(read.length, Math.max(0, 120 - from))
    assert.equal(read[0]?.record, from < 120 ? record(from) : undefined)
    assert.equal(read[0]?.index, from < 120 ? from : undefined)
  }
  for (const { record: text, segment: number, offset } of readRecords(directory, { files: disk })) {
    const content = disk.content(segment(number))
    assert.equal(content.toString('utf8', offset + 40, offset + 40 + Buffer.byteLength(text)), text)
  }
})

test('each kind of entry is a leaf of its own type, and comes back as what it is', () => {
  const disk = new SimulatedDisk()
  const engine = openEngine(disk)
  let tree = emptyTree
  for (const [kind, leaf] of [
    ['item', 4],
    ['event', 1],
    ['digest', 2],
    ['checkpoint', 3],
  ] as const) {
    const buffer = layOut([kind, `${kind} 2`], kind)
    engine.append(buffer, buffer.length)
    tree = appendLeaf(tree, entryLeafHash(leaf, Buffer.from(kind)))
    tree = appendLeaf(tree, entryLeafHash(leaf, Buffer.from(`${kind} 2`)))
  }
  engine.settle()
  writeCheckpoint(engine)
  const signed = parseCheckpoint(disk.content(`${directory}/checkpoint`).toString())
  assert.equal(typeof signed === 'string' ? signed : signed.root, rootHash(tree))
  const events = [...readRecords(directory, { files: disk })]
  assert.deepEqual(
    events.map(({ index, record: text }) => [index, text]),
    [
      [2, 'event'],
      [3, 'event 2'],
    ],
  )
  const all = [...readRecords(directory, { files: disk, kinds: everyKind })]
  assert.deepEqual(
    all.map(({ kind }) => kind),
    ['item', 'item', 'event', 'event', 'digest', 'digest', 'checkpoint', 'checkpoint'],
  )
  engine.close()
  assert.equal(openEngine(disk).size, 8)
})

test('a reader follows the writer, over segments, and never sees a part of a batch', () => {
  const { disk, engine } = written(3)
  const reader = new JournalReader(directory, undefined, disk)
  let next = 0
  const readAll = () => {
    while (reader.next(false)) {
      for (const found of reader.records()) assert.equal(found.index, next++)
    }
  }
  readAll()
  for (let index = 3; index < 200; index += 1) {
    appendBatch(engine, [record(index)])
    engine.prepare()
    readAll()
    assert.equal(next, index + 1)
  }
  assert.ok(reader.position.segment > 3)
  const { offset } = reader.position
  appendBatch(engine, [record(200), record(201)])
  const content = disk.content(segment(reader.position.segment))
  const whole = Buffer.from(content.subarray(offset))
  for (const part of [1, 39, 100, 270, 400]) {
    content.fill(0, offset + part)
    assert.equal(reader.next(false), false, `${part} bytes`)
    assert.equal(reader.next(true), false, `${part} bytes`)
  }
  whole.copy(content, offset)
  assert.equal(reader.next(false), true)
  assert.deepEqual(
    reader.records().map(({ record: text }) => text),
    [record(200), record(201)],
  )
})

test('an empty directory, a journal without records, an unknown directory', () => {
  assert.deepEqual(recordsIn(new SimulatedDisk()), [])
  const { disk } = written(0)
  assert.deepEqual(recordsIn(disk), [])
  assert.deepEqual(journalPosition(directory, disk), { records: 0, segment: 1, offset: 4096 })
  assert.throws(() => [...readRecords('/nonexistent')], { code: 'ENOENT' })
})

test('the position is where the writer goes on', () => {
  const { disk, engine } = written(90)
  const before = journalPosition(directory, disk)
  assert.equal(before.records, 90)
  assert.equal(before.segment, engine.segment)
  appendBatch(engine, ['{"last":1}'])
  const [last] = readRecords(directory, { from: 90, files: disk })
  assert.deepEqual(last, {
    index: 90,
    kind: 'event',
    record: '{"last":1}',
    segment: before.segment,
    offset: before.offset,
  })
})

test('the last checkpoint before a record', () => {
  const { disk } = written(90)
  assert.equal(lastCheckpoint(directory, 2, disk), undefined)
  assert.match(lastCheckpoint(directory, 3, disk) ?? '', /^kagiban\/test\/.*\n3\n/)
  assert.match(lastCheckpoint(directory, 32, disk) ?? '', /\n3\n/)
  assert.match(lastCheckpoint(directory, 90, disk) ?? '', /\n63\n/)
})

test('damage before the tail stops the reader, after what is sound before it', () => {
  const { disk } = written(120)
  const spoil: [string, (copy: SimulatedDisk) => void][] = [
    ['flip in the first segment', (copy) => flip(copy, 1, 9000)],
    ['flip in the last segment', (copy) => flip(copy, 3, 4200)],
    ['zeros in the last segment', (copy) => copy.content(segment(3)).fill(0, 4096, 4900)],
    ['a segment is missing', (copy) => copy.delete(segment(2))],
    ['a header is spoilt', (copy) => flip(copy, 2, 30)],
    ['a sealed segment is empty', (copy) => copy.content(segment(2)).fill(0, 4096)],
    [
      'a sealed segment is short',
      (copy) => copy.put(segment(1), copy.content(segment(1)).subarray(0, 8000)),
    ],
  ]
  for (const [name, change] of spoil) {
    const copy = disk.copy()
    change(copy)
    const read: string[] = []
    assert.throws(
      () => {
        for (const { record: text } of readRecords(directory, { files: copy })) read.push(text)
      },
      JournalDamage,
      name,
    )
    assert.ok(read.length < 120, name)
    read.forEach((text, index) => {
      assert.equal(text, record(index))
    })
  }
})

function flip(disk: SimulatedDisk, number: number, at: number): void {
  const content = disk.content(segment(number))
  assert.equal(content.length, segmentBytes)
  content.writeUInt8(content.readUInt8(at) ^ 1, at)
}
