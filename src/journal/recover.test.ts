import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { test } from 'node:test'
import { checkpointText, signedNote } from './checkpoint.ts'
import { JournalDamage } from './damage.ts'
import { JournalEngine } from './engine.ts'
import { segmentHeaderBytes } from './segment.ts'
import {
  appendBatch,
  directory,
  openEngine,
  privateKey,
  recordsIn,
  segmentBytes,
  writeCheckpoint,
} from './testing/fixtures.ts'
import { SimulatedDisk } from './testing/simulated-disk.ts'

const segment = (number: number) => `${directory}/0000000${number}.seg`
const checkpoint = `${directory}/checkpoint`
const record = (index: number) => JSON.stringify({ n: index, pad: 'x'.repeat(300) })

type Written = { disk: SimulatedDisk; records: string[]; ends: number[] }

/** Three segments of batches with three records each; the offsets where batches of the last segment end. */
function threeSegments(withCheckpoints: boolean): Written {
  const disk = new SimulatedDisk()
  const engine = openEngine(disk)
  const records: string[] = []
  const ends: number[] = []
  for (let batch = 0; engine.segment < 3 || ends.length < 5; batch += 1) {
    const next = [0, 1, 2].map((index) => record(batch * 3 + index))
    appendBatch(engine, next)
    records.push(...next)
    if (engine.segment === 3) ends.push(lastByte(disk.content(segment(3))) + 1)
    if (withCheckpoints && batch % 4 === 0) writeCheckpoint(engine)
  }
  engine.prepare()
  engine.close()
  return { disk, records, ends }
}

function lastByte(content: Buffer): number {
  let at = content.length - 1
  while (content[at] === 0) at -= 1
  return at
}

function damageOf(disk: SimulatedDisk): JournalDamage {
  try {
    openEngine(disk)
  } catch (error) {
    if (error instanceof JournalDamage) return error
    throw error
  }
  throw new assert.AssertionError({ message: 'the journal opened' })
}

test('a last batch torn at any byte is cut, and appending goes on behind what is left', () => {
  const { disk, records, ends } = threeSegments(false)
  const [start = 0, end = 0] = ends.slice(-2)
  assert.ok(end - start > 900)
  for (let at = start; at < end; at += 1) {
    const torn = disk.copy()
    torn.content(segment(3)).fill(0, at, end)
    const engine = openEngine(torn)
    assert.equal(engine.size, records.length - 3, `torn at ${at}`)
    assert.equal(lastByte(torn.content(segment(3))) + 1, start, 'the rest is zero')
    appendBatch(engine, ['{"after":1}'])
    engine.close()
    if (at % 50 === 0) {
      assert.deepEqual(recordsIn(torn), [...records.slice(0, -3), '{"after":1}'])
      openEngine(torn).close()
    }
  }
})

test('a batch whose later parts reached the disk and earlier ones did not is torn, too', () => {
  const { disk, records, ends } = threeSegments(false)
  const [start = 0, end = 0] = ends.slice(-2)
  for (const [from, to] of [
    [start, start + 5],
    [start, start + 400],
    [start + 100, start + 101],
    [start + 500, end - 10],
  ]) {
    const torn = disk.copy()
    torn.content(segment(3)).fill(0, from, to)
    assert.equal(openEngine(torn).size, records.length - 3, `zeros from ${from} to ${to}`)
  }
  const garbage = disk.copy()
  garbage.content(segment(3)).fill(0xa5, end, end + 2000)
  assert.equal(openEngine(garbage).size, records.length)
  assert.equal(lastByte(garbage.content(segment(3))) + 1, end)
})

test('a flipped bit in any acknowledged batch before the last stops the start, with file and offset', () => {
  const { disk, ends } = threeSegments(false)
  const lastBatch = ends.at(-2) ?? 0
  for (const number of [1, 2, 3]) {
    const end = number === 3 ? lastBatch : segmentBytes
    for (let at = 0; at < end; at += 37) {
      const changed = disk.copy()
      const content = changed.content(segment(number))
      content.writeUInt8(content.readUInt8(at) ^ (1 << (at % 8)), at)
      const damage = damageOf(changed)
      assert.equal(damage.file, segment(number), `byte ${at}`)
      if (at < segmentHeaderBytes) assert.equal(damage.offset, 0)
      else assert.ok(damage.offset <= at && damage.offset > at - 1100, `${damage.offset} for ${at}`)
      assert.match(damage.message, /expected .*, found /)
    }
  }
})

test('a zeroed stretch in an acknowledged batch is no tail', () => {
  const { disk, ends } = threeSegments(false)
  const [start = 0, end = 0] = ends
  const changed = disk.copy()
  changed.content(segment(3)).fill(0, start, end)
  const damage = damageOf(changed)
  assert.equal(damage.offset, start)
  assert.match(damage.message, /batch \d+ follows at byte/)
  const inBatch = disk.copy()
  inBatch.content(segment(2)).fill(0, 9000)
  assert.equal(damageOf(inBatch).file, segment(2))
  const betweenBatches = disk.copy()
  betweenBatches.content(segment(2)).fill(0, segmentHeaderBytes)
  assert.equal(damageOf(betweenBatches).file, segment(3))
  assert.match(
    damageOf(betweenBatches).message,
    /expected a segment from sequence \d+, batch \d+, found one/,
  )
})

test('missing, shortened, strange and exchanged files are damage', () => {
  const { disk } = threeSegments(true)
  const cases: [string, RegExp, (copy: SimulatedDisk) => void][] = [
    [segment(1), /expected a segment, found none/, (copy) => copy.delete(segment(1))],
    [segment(2), /expected a segment, found none/, (copy) => copy.delete(segment(2))],
    [
      segment(2),
      /expected a file of 16384 bytes, found 16000/,
      (copy) => copy.put(segment(2), copy.content(segment(2)).subarray(0, 16000)),
    ],
    [
      segment(3),
      /expected a file of 16384 bytes, found 16000/,
      (copy) => copy.put(segment(3), copy.content(segment(3)).subarray(0, 16000)),
    ],
    [
      segment(2),
      /expected segment 2, found segment 1/,
      (copy) => copy.put(segment(2), copy.content(segment(1))),
    ],
    [
      `${directory}/notes.txt`,
      /no such file/,
      (copy) => copy.put(`${directory}/notes.txt`, Buffer.alloc(0)),
    ],
    [
      `${directory}/origin`,
      /the origin of the journal, found no file/,
      (copy) => copy.delete(`${directory}/origin`),
    ],
    [
      segment(1),
      /expected origin kagiban\/other, found origin kagiban\/test/,
      (copy) => copy.put(`${directory}/origin`, Buffer.from('kagiban/other\n')),
    ],
    [
      checkpoint,
      /a signed checkpoint, found no blank line/,
      (copy) => copy.put(checkpoint, Buffer.from('x\n')),
    ],
    [
      checkpoint,
      /signed by the checkpoint key, found no valid signature/,
      (copy) => {
        const note = copy.content(checkpoint).toString()
        copy.put(checkpoint, Buffer.from(note.replace(/.{8}\n$/, 'AAAAAAA=\n')))
      },
    ],
  ]
  for (const [file, message, change] of cases) {
    const changed = disk.copy()
    change(changed)
    const damage = damageOf(changed)
    assert.equal(damage.file, file)
    assert.match(damage.message, message)
  }
  const without = disk.copy()
  without.delete(checkpoint)
  assert.match(damageOf(without).message, /the checkpoint file beside \d+ checkpoints/)
})

test('what a signed checkpoint covers cannot be cut as a torn tail', () => {
  const { disk, records } = threeSegments(true)
  const engine = openEngine(disk)
  writeCheckpoint(engine)
  engine.close()
  const content = disk.content(segment(3))
  const note = content.indexOf('kagiban/', segmentHeaderBytes + 5000)
  const damaged = disk.copy()
  damaged.content(segment(3)).fill(0, lastByte(content) - 200)
  const damage = damageOf(damaged)
  assert.ok(note > 0)
  assert.equal(damage.file, checkpoint)
  assert.match(damage.message, /the checkpoint of tree size \d+ in the segments too, found none/)
  const more = disk.copy()
  more.content(segment(3)).fill(0, lastByte(content) - 700)
  assert.match(
    damageOf(more).message,
    new RegExp(
      `expected ${records.length} records, as the signed checkpoint says, found ${records.length - 3}`,
    ),
  )
})

test('a journal rewritten with sound checksums fails at the signed root', () => {
  const origin = 'kagiban/test/00000000-0000-4000-8000-000000000000'
  const write = (last: string) => {
    const disk = new SimulatedDisk()
    const engine = openEngine(disk)
    appendBatch(engine, ['{"n":1}', last])
    return { disk, engine }
  }
  const honest = write('{"n":2}')
  writeCheckpoint(honest.engine)
  const forged = write('{"n":3}')
  forged.disk.put(checkpoint, honest.disk.content(checkpoint))
  assert.match(damageOf(forged.disk).message, /in the segments too, found none with the same root/)
  const lying = write('{"n":2}')
  const text = checkpointText(origin, 2, '\x00'.repeat(32))
  // A key holder that signs another root than the tree has.
  Object.defineProperty(lying.engine, 'checkpointText', { value: () => text })
  const note = signedNote(text, origin, Buffer.alloc(32), sign(null, Buffer.from(text), privateKey))
  lying.disk.put(checkpoint, Buffer.from(note))
  assert.equal(damageOf(lying.disk).file, checkpoint)
})

test('what a dying writer leaves is no damage', () => {
  const { disk, records } = threeSegments(true)
  const leave: Record<string, (copy: SimulatedDisk) => void> = {
    preparation: (copy) => {
      copy.delete(segment(4))
      copy.put(`${directory}/prepare.tmp`, Buffer.alloc(999))
    },
    'torn header': (copy) => copy.content(segment(4)).fill(0x77, 0, 1024),
    'temporary checkpoint': (copy) => copy.put(`${checkpoint}.tmp`, Buffer.from('half')),
    lock: (copy) => copy.put(`${directory}/lock.db-journal`, Buffer.alloc(3)),
    'no prepared segment': (copy) => copy.delete(segment(4)),
    'prepared in another size': (copy) => copy.put(segment(4), Buffer.alloc(999)),
  }
  for (const [name, change] of Object.entries(leave)) {
    const changed = disk.copy()
    change(changed)
    const engine = openEngine(changed)
    assert.equal(engine.size, records.length, name)
    while (engine.segment < 4) appendBatch(engine, ['{"more":1}'])
    engine.close()
    assert.equal(openEngine(changed).size, recordsIn(changed).length, name)
    assert.ok(!changed.paths().some((path) => path.endsWith('.tmp')), name)
  }
  const used = disk.copy()
  used.content(segment(4)).fill(0x77, 5000, 6000)
  assert.equal(damageOf(used).file, segment(4))
})

test('the size of new segments may change from one start to the next', () => {
  const { disk, records } = threeSegments(false)
  const engine = openEngine(disk, 32 * 1024)
  for (let index = 0; engine.segment < 6; index += 1) appendBatch(engine, [record(index)])
  engine.close()
  assert.equal(disk.content(segment(5)).length, 32 * 1024)
  assert.ok(openEngine(disk).size > records.length)
})

test('another checkpoint key than the one that signed is refused', () => {
  const { disk } = threeSegments(true)
  const options = { directory, newOrigin: 'x', publicKey: Buffer.alloc(32, 9), segmentBytes }
  assert.throws(() => new JournalEngine(disk, options), /signed by the checkpoint key/)
})
