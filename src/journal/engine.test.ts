import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JournalEngine } from './engine.ts'
import {
  appendBatch,
  directory,
  openEngine,
  recordsIn,
  segmentBytes,
  writeCheckpoint,
} from './testing/fixtures.ts'
import { type Fault, SimulatedDisk } from './testing/simulated-disk.ts'

const record = (index: number, bytes = 500) => `{"n":${index},"pad":"${'x'.repeat(bytes)}"}`

/** The number of a record that is whole. */
function numberOf(text: string): number {
  const { n, pad } = JSON.parse(text) as { n: number; pad: string }
  assert.equal(text, record(n, pad.length))
  return n
}

/** A repeatable source of chance. */
function chanceFrom(seed: number): () => number {
  let state = seed + 1
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}

type Session = { acknowledged: string[]; inFlight: string[] }

/** Appends, prepares, signs and checks until something fails; then nothing may succeed any more. */
function runSession(disk: SimulatedDisk, first: number, batches: number): Session {
  const session: Session = { acknowledged: [], inFlight: [] }
  let engine: JournalEngine
  try {
    engine = openEngine(disk)
  } catch {
    return session
  }
  let failed = false
  const attempt = (work: () => void) => {
    try {
      work()
    } catch {
      failed = true
      return
    }
    assert.equal(failed, false, 'a call succeeded after a failure')
  }
  let next = first
  for (let batch = 0; batch < batches; batch += 1) {
    const records = Array.from({ length: 1 + (batch % 4) }, () => record(next++))
    if (!failed) session.inFlight = records
    attempt(() => {
      appendBatch(engine, records)
      session.acknowledged.push(...records)
      session.inFlight = []
    })
    if (failed) continue
    if (batch % 5 === 0) attempt(() => void writeCheckpoint(engine))
    if (batch % 3 === 0 && engine.preparation !== 'done') attempt(() => void engine.prepare())
    if (batch % 7 === 0) attempt(() => engine.checkFiles())
  }
  try {
    engine.close()
  } catch {}
  return session
}

/** What a start finds must be what was acknowledged, and at most the batch in flight behind it. */
function assertRecovered(
  disk: SimulatedDisk,
  before: readonly string[],
  session: Session,
): string[] {
  openEngine(disk).close()
  const found = recordsIn(disk)
  const known = [...before, ...session.acknowledged]
  assert.deepEqual(found.slice(0, known.length).map(numberOf), known.map(numberOf))
  const extra = found.slice(known.length)
  assert.deepEqual(extra.map(numberOf), session.inFlight.slice(0, extra.length).map(numberOf))
  return found
}

test('records come back in order, over many segments and starts', () => {
  const disk = new SimulatedDisk()
  const written: string[] = []
  for (let start = 0; start < 3; start += 1) {
    const { acknowledged } = runSession(disk, written.length, 30)
    written.push(...acknowledged)
    assert.deepEqual(recordsIn(disk).map(numberOf), written.map(numberOf))
  }
  assert.equal(written.length, 219)
  assert.ok(disk.paths().filter((path) => path.endsWith('.seg')).length > 8)
})

test('each single call that fails: nothing acknowledged is lost, nothing succeeds afterwards', () => {
  const clean = new SimulatedDisk()
  runSession(clean, 0, 26)
  const calls = clean.calls.length
  assert.ok(calls > 110, `${calls} calls`)
  for (const code of ['EIO', 'crash', 'ENOSPC'] as const) {
    for (let at = 0; at < calls; at += 1) {
      const disk = new SimulatedDisk(chanceFrom(at))
      disk.fault = { at, code }
      const session = runSession(disk, 0, 26)
      disk.fault = undefined
      const context = `${code} at call ${at}: ${disk.calls[at]}`
      const left = code === 'crash' ? disk.afterPowerCut() : disk.copy()
      assert.doesNotThrow(() => assertRecovered(left, [], session), context)
    }
  }
})

test('power cuts one after the other, also during recovery, with short writes', () => {
  const cuts = fc.array(fc.record({ at: fc.nat(260), batches: fc.nat(30) }), { maxLength: 5 })
  fc.assert(
    fc.property(cuts, fc.nat(), (sessions, seed) => {
      const chance = chanceFrom(seed)
      let disk = new SimulatedDisk(chance, true)
      let known: string[] = []
      for (const { at, batches } of sessions) {
        disk.fault = { at, code: 'crash' }
        const session = runSession(disk, known.length, batches)
        disk = disk.afterPowerCut()
        known = assertRecovered(disk, known, session)
      }
    }),
    { numRuns: process.env['SLOW'] === '1' ? 2000 : 60 },
  )
})

test('a lack of space for the next segment is a failure only once the segment is needed', () => {
  const disk = new SimulatedDisk()
  const engine = openEngine(disk)
  const noSpace = (): Fault => ({ at: disk.calls.length + 1, code: 'ENOSPC' })
  disk.fault = noSpace()
  assert.equal(engine.prepare(), 'ENOSPC')
  assert.equal(engine.preparation, 'due')
  disk.fault = undefined
  assert.equal(engine.prepare(), undefined)
  assert.equal(engine.preparation, 'done')
  for (let index = 0; engine.segment < 2; index += 1) appendBatch(engine, [record(index)])
  let fullAt = 0
  assert.throws(() => {
    for (; ; fullAt += 1) {
      if (segmentBytes - 4096 - fullAt * 560 < 1200) disk.fault = noSpaceOnOpen(disk)
      appendBatch(engine, [record(1000 + fullAt)])
    }
  }, /ENOSPC/)
  disk.fault = undefined
  assert.throws(() => appendBatch(engine, [record(0)]), /ENOSPC/)
})

/** The next segment is made of one write, which is the first call after those of the roll. */
function noSpaceOnOpen(disk: SimulatedDisk): Fault | undefined {
  return disk.fault ?? { at: disk.calls.length + 4, code: 'ENOSPC' }
}

test('a segment that vanishes, is replaced or shortened fails the journal for good', () => {
  const path = `${directory}/00000001.seg`
  const spoil: Record<string, (disk: SimulatedDisk) => void> = {
    vanished: (disk) => disk.delete(path),
    replaced: (disk) => disk.put(path, Buffer.from(disk.content(path))),
    prepared: (disk) => disk.delete(`${directory}/00000002.seg`),
  }
  for (const [name, change] of Object.entries(spoil)) {
    const disk = new SimulatedDisk()
    const engine = openEngine(disk)
    engine.prepare()
    engine.checkFiles()
    change(disk)
    assert.throws(() => engine.checkFiles(), /cannot be found|was replaced/, name)
    assert.throws(() => appendBatch(engine, ['{}']), /cannot be found|was replaced/, name)
  }
})

test('a sealed segment that vanished is missed when the next one begins', () => {
  const disk = new SimulatedDisk()
  const engine = openEngine(disk)
  for (let index = 0; engine.segment < 3; index += 1) appendBatch(engine, [record(index)])
  disk.delete(`${directory}/00000001.seg`)
  assert.throws(() => {
    for (let index = 0; engine.segment < 4; index += 1) appendBatch(engine, [record(index)])
  }, /00000001.seg cannot be found/)
})

test('a signature that does not verify is refused and nothing is written', () => {
  const disk = new SimulatedDisk()
  const engine = openEngine(disk)
  appendBatch(engine, ['{}'])
  assert.ok(engine.checkpointText())
  const calls = disk.calls.length
  assert.equal(engine.writeCheckpoint(Buffer.alloc(64)), 'the signature does not verify')
  assert.equal(disk.calls.length, calls)
  assert.equal(engine.checkpointSize, 0)
  assert.equal(writeCheckpoint(engine), undefined)
  assert.equal(engine.checkpointSize, 1)
  assert.equal(engine.checkpointText(), undefined, 'the tree did not grow')
})

test('the text of a record stands on a line of its own', () => {
  const disk = new SimulatedDisk()
  const engine = openEngine(disk)
  appendBatch(engine, ['{"eventName":"Decrypt"}', '{"eventName":"Encrypt","who":"Bj\u00f6rk"}'])
  const lines = disk.content(`${directory}/00000001.seg`).toString().split('\n')
  assert.ok(lines.includes('{"eventName":"Decrypt"}'))
  assert.ok(lines.includes('{"eventName":"Encrypt","who":"Bj\u00f6rk"}'))
})
