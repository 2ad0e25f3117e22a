import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { signatureTypes, verifierKey } from '../note-keys.ts'
import { segmentHeaderBytes } from '../segment.ts'
import {
  appendBatch,
  directory,
  layOut,
  openEngine,
  publicKey,
  writeCheckpoint,
} from '../testing/fixtures.ts'
import { SimulatedDisk } from '../testing/simulated-disk.ts'
import { EventIds } from './event-ids.ts'
import { NotWhole } from './finding.ts'
import { type JournalToVerify, verifyJournal } from './journal-verification.ts'

const origin = 'kagiban/test/00000000-0000-4000-8000-000000000000'
const key = verifierKey(origin, signatureTypes.ed25519, publicKey)
const event = (number: number) =>
  JSON.stringify({ eventTime: '2026-11-24T00:00:00Z', eventID: `e${number}`, pad: 'x'.repeat(300) })

function verify(disk: SimulatedDisk, options: Partial<JournalToVerify> = {}) {
  return verifyJournal({
    ...{ files: disk, directory, keys: [key], held: [], from: 0, thorough: false },
    ...{ checkpoints: undefined, progress: () => {}, wait: () => false },
    ...options,
  })
}

function wrong(disk: SimulatedDisk, options: Partial<JournalToVerify> = {}): NotWhole {
  try {
    verify(disk, options)
  } catch (error) {
    if (error instanceof NotWhole) return error
    throw error
  }
  throw new assert.AssertionError({ message: 'the journal is whole' })
}

/** Three segments, with a checkpoint after every fourth batch and after the last. */
function written(): { disk: SimulatedDisk; records: number } {
  const disk = new SimulatedDisk()
  const engine = openEngine(disk)
  let records = 0
  for (let batch = 0; engine.segment < 3 || batch % 4 !== 0; batch += 1) {
    appendBatch(engine, [event(records), event(records + 1), event(records + 2)])
    records += 3
    if (batch % 4 === 3) writeCheckpoint(engine)
  }
  engine.close()
  return { disk, records }
}

function endOf(content: Buffer): number {
  let end = content.length
  while (content[end - 1] === 0) end -= 1
  return end
}

describe('verifying a journal', () => {
  test('finds any byte that was changed, wherever it is, and names the file', () => {
    const { disk, records } = written()
    const report = verify(disk)
    assert.deepEqual([report.records, report.signed, report.segments], [records, records, 3])
    const files = disk.paths().filter((path) => /\.seg$|\/checkpoint$|\/origin$/.test(path))
    assert.equal(files.length, 5)
    const place = fc.constantFrom(...files).chain((file) => {
      const end = endOf(disk.content(file))
      return fc.record({
        file: fc.constant(file),
        at: fc.integer({ min: 0, max: end - 1 }),
        bit: fc.integer({ min: 0, max: 7 }),
      })
    })
    fc.assert(
      fc.property(place, ({ file, at, bit }) => {
        const changed = disk.copy()
        const content = changed.content(file)
        content.writeUInt8(content.readUInt8(at) ^ (1 << bit), at)
        const found = wrong(changed)
        if (file.endsWith('.seg')) assert.equal(found.place.file, file)
      }),
      { numRuns: 600 },
    )
  })

  test('reads on from a segment, and trusts no header that no signature vouches for', () => {
    const { disk, records } = written()
    const report = verify(disk, { from: records - 1 })
    assert.ok(report.firstRead > 0 && report.firstRead < records)
    assert.equal(report.signed, records)
    const first = disk.content(`${directory}/00000001.seg`)
    first.writeUInt8(first.readUInt8(segmentHeaderBytes + 100) ^ 1, segmentHeaderBytes + 100)
    assert.equal(verify(disk, { from: records - 1 }).records, records)
    assert.equal(wrong(disk).kind, 'altered-record')
    assert.equal(wrong(disk, { from: 1 }).kind, 'altered-record')
  })

  test('takes a torn last batch for no tampering, at whichever byte it was torn', () => {
    const { disk, records } = written()
    const engine = openEngine(disk)
    const before = endOf(disk.content(`${directory}/00000003.seg`))
    appendBatch(engine, [event(1000), event(1001)])
    const after = endOf(disk.content(`${directory}/00000003.seg`))
    for (let at = before + 4; at < after; at += 7) {
      const torn = disk.copy()
      torn.content(`${directory}/00000003.seg`).fill(0, at, after)
      const report = verify(torn)
      assert.deepEqual(report.torn, { file: `${directory}/00000003.seg`, byte: before })
      assert.deepEqual([report.records, report.signed], [records, records])
    }
    assert.equal(verify(disk).torn, undefined)
    assert.equal(verify(disk).records, records + 2)
  })

  test('parses every record and finds an id that stands twice, if told to', () => {
    const { disk } = written()
    const engine = openEngine(disk)
    appendBatch(engine, [event(5)])
    writeCheckpoint(engine)
    assert.ok(verify(disk).records > 0)
    assert.equal(wrong(disk, { thorough: true }).kind, 'duplicate-event')
    const other = written().disk
    const second = openEngine(other)
    appendBatch(second, ['{"eventID":"x", }'])
    writeCheckpoint(second)
    assert.ok(verify(other).records > 0)
    assert.equal(wrong(other, { thorough: true }).kind, 'malformed-entry')
  })

  test('looks at what is rare in any case', () => {
    for (const [text, kind] of [
      ['{"eventID":1}', 'item'],
      ['{}', 'digest'],
      ['[]', 'event'],
      ['{"a":"\ud800', 'event'],
    ] as const) {
      const { disk } = written()
      const engine = openEngine(disk)
      const buffer = layOut([text], kind)
      engine.append(buffer, buffer.length)
      assert.equal(wrong(disk).kind, 'malformed-entry', text)
    }
  })

  test('waits for the first checkpoint of a service that has just begun', () => {
    const disk = new SimulatedDisk()
    const engine = openEngine(disk)
    appendBatch(engine, [event(0)])
    assert.equal(wrong(disk).kind, 'unsigned')
    let waits = 0
    const wait = () => {
      waits += 1
      if (waits === 3) writeCheckpoint(engine)
      return waits < 10
    }
    assert.equal(verify(disk, { wait }).signed, 1)
  })
})

test('an id that was among the last millions is known again, and memory does not grow', () => {
  const ids = new EventIds()
  const id = (number: number) => Buffer.from(`00000000-0000-4000-8000-${number}`)
  for (let number = 0; number < 100_000; number += 1) assert.ok(ids.add(id(number)), `${number}`)
  for (let number = 0; number < 100_000; number += 1001) assert.equal(ids.add(id(number)), false)
})
