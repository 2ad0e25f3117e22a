import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { internalError } from '../base/errors.ts'
import { SharedRows } from '../storage/memory/store.ts'
import { jsonCodec, Mirror } from '../storage/mirror.ts'
import { type OutboxEvent, StoreConflict } from '../storage/port.ts'
import { faultyStore } from '../testing/faulty-store.ts'
import { HeldJournal } from '../testing/held-journal.ts'
import { commitRecorded, replayOutbox } from './commit.ts'

const eventOf = (id: string): OutboxEvent => ({
  id,
  record: JSON.stringify({ requestID: 'not this one', eventID: id, note: { eventID: 'nor this' } }),
})

/** Reads these as a journal is read, from an index on. */
const reader = (records: readonly string[]) => (from: number) => [...records].slice(from)

async function opened() {
  const { store, faults } = faultyStore(new SharedRows())
  const mirror = new Mirror(store)
  const table = mirror.table<string>('thing', jsonCodec())
  await mirror.load()
  const journal = new HeldJournal()
  return { store, faults, mirror, table, journal, recorder: { store, mirror, journal } }
}

describe('a recorded commit', () => {
  test('resolves when the change and its events are on disk, and leaves nothing in the outbox', async () => {
    const { store, table, journal, recorder } = await opened()
    journal.hold()
    let done = false
    const committed = commitRecorded(
      recorder,
      [table.put('a', '1')],
      ['one', 'two'].map(eventOf),
    ).then(() => {
      done = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(done, false)
    assert.equal(table.get('a'), '1')
    assert.deepEqual(await store.outbox(), ['one', 'two'].map(eventOf))
    journal.release()
    await committed
    assert.deepEqual(
      journal.events.map(({ eventID }) => eventID),
      ['one', 'two'],
    )
    assert.deepEqual(await store.outbox(), [])
  })

  test('that conflicts journals nothing', async () => {
    const { table, mirror, journal, recorder } = await opened()
    const put = table.put('a', '1')
    await mirror.commit([table.put('a', '0')], [])
    await assert.rejects(commitRecorded(recorder, [put], [eventOf('one')]), StoreConflict)
    assert.equal(journal.size, 0)
  })

  test('that cannot be journalled rejects, and stays in the outbox', async () => {
    const { store, table, journal, recorder } = await opened()
    journal.break('EIO')
    await assert.rejects(commitRecorded(recorder, [table.put('a', '1')], [eventOf('one')]), {
      code: 'internal',
    })
    assert.deepEqual(await store.outbox(), [eventOf('one')])
  })

  test('that cannot be settled is done all the same', async () => {
    const { faults, journal, recorder } = await opened()
    faults.settle = () => {
      throw internalError('the store failed')
    }
    await commitRecorded(recorder, [], [eventOf('one')])
    assert.equal(journal.size, 1)
    faults.settle = () => {
      throw new TypeError('a defect')
    }
    await assert.rejects(commitRecorded(recorder, [], [eventOf('two')]), TypeError)
  })
})

describe('a replay', () => {
  test('journals what is missing, in its order, and nothing else', async () => {
    const { store, journal } = await opened()
    const ids = ['one', 'two', 'three', 'four']
    await store.commit({ puts: [], events: ids.map(eventOf) })
    const journalled = ['zero', 'two', 'four'].map((id) => eventOf(id).record)
    assert.equal(await replayOutbox(store, journal, reader(journalled)), 2)
    assert.deepEqual(
      journal.events.map(({ eventID }) => eventID),
      ['one', 'three'],
    )
    assert.deepEqual(await store.outbox(), [])
    assert.equal(await replayOutbox(store, journal, reader([])), 0)
  })

  test('of an empty outbox does not read the journal', async () => {
    const { store, journal } = await opened()
    const unread = () => assert.fail('it was read')
    assert.equal(await replayOutbox(store, journal, unread), 0)
  })

  test('finds an event however long ago it was journalled, and reads no further back than it has to', async () => {
    const { store, journal } = await opened()
    for (let index = 0; index < 250_000; index += 1) {
      journal.records.push(index === 10 ? eventOf('old').record : `{"eventID":"${index}"}`)
    }
    journal.records.push(eventOf('new').record)
    const begun: number[] = []
    const read = function* (from: number) {
      begun.push(from)
      yield* reader(journal.records)(from)
    }
    await store.commit({ puts: [], events: ['old', 'new'].map(eventOf) })
    assert.equal(await replayOutbox(store, journal, read), 0)
    assert.deepEqual(begun, [150_001, 0])
    assert.deepEqual(await store.outbox(), [])
    await store.commit({ puts: [], events: [eventOf('new')] })
    assert.equal(await replayOutbox(store, journal, read), 0)
    assert.deepEqual(begun, [150_001, 0, 150_001])
  })

  test('is not misled by an eventID that is somebody’s input', async () => {
    const { store, journal } = await opened()
    await store.commit({ puts: [], events: [eventOf('one')] })
    const others = [
      JSON.stringify({ requestParameters: { eventID: 'one' }, eventID: 'other' }),
      JSON.stringify({ requestParameters: { text: '"eventID":"one"' }, eventID: 'another' }),
      JSON.stringify(['eventID', 'one']),
      'null',
      JSON.stringify({ eventID: 1 }),
    ]
    assert.equal(await replayOutbox(store, journal, reader(others)), 1)
  })

  test('that is interrupted is taken up where it ended', async () => {
    const { store, faults, journal } = await opened()
    const events = ['one', 'two'].map(eventOf)
    await store.commit({ puts: [], events })
    faults.settle = () => {
      throw internalError('killed')
    }
    await assert.rejects(replayOutbox(store, journal, reader([])), { code: 'internal' })
    assert.equal(journal.size, 2)
    faults.settle = () => {}
    assert.equal(await replayOutbox(store, journal, reader(journal.records)), 0)
    assert.equal(journal.size, 2)
    assert.deepEqual(await store.outbox(), [])
  })

  test('that cannot journal rejects and settles nothing', async () => {
    const { store, journal } = await opened()
    await store.commit({ puts: [], events: [eventOf('one')] })
    journal.break('EIO')
    await assert.rejects(replayOutbox(store, journal, reader([])), { code: 'internal' })
    assert.equal((await store.outbox()).length, 1)
  })
})

/** Where a process may die: after the commit, among the appends, before or after it has settled. */
type Life = { readonly commits: number; readonly journalled: number; readonly settled: number }

test('over any number of crashes, at any place, each event is journalled once', async () => {
  const count = fc.nat({ max: 4 })
  const lives = fc.array(fc.record({ commits: count, journalled: count, settled: count }), {
    maxLength: 6,
  })
  await fc.assert(
    fc.asyncProperty(lives, async (crashes: readonly Life[]) => {
      const { store, journal } = await opened()
      const committed: string[] = []
      for (const [index, life] of crashes.entries()) {
        await replayOutbox(store, journal, reader(journal.records))
        const ids = Array.from({ length: life.commits }, (_, n) => `${index}.${n}`)
        const events = ids.map(eventOf)
        committed.push(...ids)
        if (events.length > 0) await store.commit({ puts: [], events })
        const done = events.slice(0, life.journalled)
        await Promise.all(done.map(({ record }) => journal.append(record)))
        await store.settle(done.slice(0, life.settled).map(({ id }) => id))
      }
      await replayOutbox(store, journal, reader(journal.records))
      const found = journal.events.map(({ eventID }) => eventID)
      assert.deepEqual(found.toSorted(), committed.toSorted())
      assert.deepEqual(await store.outbox(), [])
    }),
  )
})
