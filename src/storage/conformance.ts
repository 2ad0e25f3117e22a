import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Put, type Store, StoreConflict, textDigest, type Unchanged } from './port.ts'
import { checkInterleavings } from './testing/conform-interleavings.ts'
import {
  conflict,
  event,
  internal,
  liveRows,
  type Over,
  put,
  puts,
  type StoreSite,
  withStores,
} from './testing/stores.ts'

/** What every adapter of `Store` must hold. Durability is the adapter's own test. */
export function describeStore(name: string, makeSite: () => Promise<StoreSite>): void {
  /** A test over `count` stores of one new site. */
  const over = (title: string, count: number, body: (...stores: Store[]) => Promise<void>) =>
    test(title, () => withStores(makeSite, count, body))

  describe(`store: ${name}`, () => {
    describe('conflicts', () => describeConflicts(over))
    describe('what is to be unchanged', () => describeUnchanged(over))
    describe('transactions', () => describeTransactions(over))
    describe('the archive', () => describeArchive(over))
    describe('the outbox', () => describeOutbox(over))
    describe('several processes', () => describeProcesses(over))
    describe('closing', () => describeClosing(makeSite))
    test('any interleaving of two writers is one order of commits', () =>
      checkInterleavings(makeSite))
  })
}

function describeConflicts(over: Over): void {
  over('a put over a live row that was not expected is a conflict', 1, async (store) => {
    const revision = await store.commit(puts(put('a', '1')))
    await assert.rejects(store.commit(puts(put('a', '2'))), conflict)
    await assert.rejects(store.commit(puts(put('a', '2', revision + 1))), conflict)
    assert.deepEqual((await liveRows(store)).rows, [{ kind: 'key', id: 'a', revision, body: '1' }])
  })

  over('a put over a row that is missing or deleted is a conflict', 1, async (store) => {
    await assert.rejects(store.commit(puts(put('a', '1', 7))), conflict)
    const first = await store.commit(puts(put('a', '1')))
    const second = await store.commit(puts(put('a', null, first)))
    await assert.rejects(store.commit(puts(put('a', '2', first))), conflict)
    await assert.rejects(store.commit(puts(put('a', '2', second))), conflict)
    await store.commit(puts(put('a', '2', 0)))
  })

  over('a conflict leaves nothing of its transaction', 1, async (store) => {
    await store.commit(puts(put('a', '1')))
    const transaction = { puts: [put('b', '1'), put('a', '2')], events: [event('e')] }
    await assert.rejects(store.commit(transaction), conflict)
    const { rows } = await liveRows(store)
    assert.deepEqual(
      rows.map(({ id }) => id),
      ['a'],
    )
    assert.deepEqual(await store.outbox(), [])
  })

  over('one row twice in a transaction is a conflict', 1, async (store) => {
    await assert.rejects(store.commit(puts(put('a', '1'), put('a', '2'))), conflict)
    assert.deepEqual((await liveRows(store)).rows, [])
  })
}

function describeUnchanged(over: Over): void {
  const rows = (unchanged: Unchanged, ...changes: Put[]) => ({ ...puts(...changes), unchanged })

  over('a row of a kind that was to be unchanged is a conflict', 2, async (one, two) => {
    const since = await one.commit(puts(put('a', '1'), put('a', '1', 0, 'alias')))
    const other = await two.commit(puts(put('b', '1', 0, 'grant')))
    await one.commit(rows({ kinds: ['key', 'alias'], since }, put('c', '1')))
    await assert.rejects(one.commit(rows({ kinds: ['key'], since }, put('d', '1'))), conflict)
    await assert.rejects(
      two.commit(rows({ kinds: ['alias', 'grant'], since }, put('d', '1'))),
      conflict,
    )
    await two.commit(rows({ kinds: ['alias', 'grant'], since: other }, put('d', '1')))
  })

  over('so is one that was deleted, or is changed in the same turn', 1, async (store) => {
    const since = await store.commit(puts(put('a', '1')))
    const removed = await store.commit(puts(put('a', null, since)))
    await assert.rejects(store.commit(rows({ kinds: ['key'], since }, put('b', '1'))), conflict)
    const unchanged = { kinds: ['key'], since: removed }
    const [first, second] = await Promise.allSettled([
      store.commit(rows(unchanged, put('b', '1'))),
      store.commit(rows(unchanged, put('c', '1'))),
    ])
    assert.equal(first?.status, 'fulfilled')
    assert.equal(second?.status, 'rejected')
    assert.deepEqual(
      (await liveRows(store)).rows.map(({ id }) => id),
      ['b'],
    )
  })
}

function describeTransactions(over: Over): void {
  over('every commit has a greater revision, even one of nothing', 1, async (store) => {
    const first = await store.commit(puts())
    const second = await store.commit(puts())
    assert.ok(first > 0 && second > first)
    assert.equal((await liveRows(store)).revision, second)
  })

  over('an event that is in the outbox already is refused, and nothing else', 1, async (store) => {
    await store.commit({ puts: [], events: [event('e')] })
    const repeated = store.commit({ puts: [put('a', '1')], events: [event('e')] })
    const other = store.commit({ puts: [put('b', '1')], events: [event('f')] })
    await assert.rejects(repeated, internal)
    await other
    assert.equal(store.healthy, true)
    const { rows } = await liveRows(store)
    assert.deepEqual(
      rows.map(({ id }) => id),
      ['b'],
    )
  })

  over('all rows of a transaction have the revision that it resolves with', 1, async (store) => {
    const revision = await store.commit(puts(put('a', '1'), put('a', '2', 0, 'alias')))
    assert.deepEqual(await liveRows(store), {
      rows: [
        { kind: 'alias', id: 'a', revision, body: '2' },
        { kind: 'key', id: 'a', revision, body: '1' },
      ],
      revision,
    })
  })

  over('commits of one turn succeed or fail alone, in their order', 1, async (store) => {
    const outcomes = await Promise.allSettled([
      store.commit(puts(put('a', '1'))),
      store.commit(puts(put('a', '2'))),
      store.commit(puts(put('b', '3'))),
      store.commit({ puts: [], events: [event('e')] }),
    ])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    )
    const revisions = outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    assert.deepEqual(
      revisions,
      [...new Set(revisions)].sort((a, b) => a - b),
    )
    const { rows } = await liveRows(store)
    assert.deepEqual(
      rows.map(({ body }) => body),
      ['1', '3'],
    )
  })

  over('text of any kind and size comes back as it was', 1, async (store) => {
    const bodies = ['', '{}', 'é 鍵 𝄞', 'a\u0000b', 'x'.repeat(100_000), `'"\\;--`]
    await store.commit(puts(...bodies.map((body, index) => put(`${index}'"鍵`, body))))
    const { rows } = await liveRows(store)
    assert.deepEqual(
      rows.map(({ body }) => body),
      bodies,
    )
  })
}

function describeArchive(over: Over): void {
  const archiving = (archive: string[], ...changes: Put[]) => ({ ...puts(...changes), archive })

  over('a text comes back by its digest, of any kind and size', 1, async (store) => {
    const texts = ['', '{}', 'é 鍵 𝄞', 'a\u0000b', 'x'.repeat(100_000), `'"\\;--`]
    await store.commit(archiving(texts))
    for (const text of texts) assert.equal(await store.archived(textDigest(text)), text)
    assert.equal(
      await store.archived('2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881'),
      undefined,
    )
    await store.commit(archiving(['x']))
    assert.equal(
      await store.archived('2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881'),
      'x',
    )
  })

  over('a text may be archived again, by whomever, and is no conflict', 2, async (one, two) => {
    const outcomes = await Promise.allSettled([
      one.commit(archiving(['t', 'u', 't'], put('a', '1'))),
      one.commit(archiving(['t'], put('b', '1'))),
      two.commit(archiving(['t', 'v'], put('c', '1'))),
    ])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'fulfilled'],
    )
    for (const text of ['t', 'u', 'v']) {
      for (const store of [one, two]) assert.equal(await store.archived(textDigest(text)), text)
    }
  })

  over('a transaction that fails archives nothing', 1, async (store) => {
    await store.commit({ puts: [put('a', '1')], events: [event('e')] })
    await assert.rejects(store.commit(archiving(['t'], put('a', '2'))), conflict)
    const repeated = { ...archiving(['t']), events: [event('e')] }
    await assert.rejects(store.commit(repeated), internal)
    assert.equal(await store.archived(textDigest('t')), undefined)
  })

  over('neither load nor changesSince shows a text', 2, async (one, two) => {
    const revision = await one.commit(archiving(['t', 'u'], put('a', '1')))
    const rows = [{ kind: 'key', id: 'a', revision, body: '1' }]
    assert.deepEqual(await liveRows(two), { rows, revision })
    assert.deepEqual(await two.changesSince(0), { rows, revision })
  })
}

function describeOutbox(over: Over): void {
  over('events stand in the outbox until they are settled, oldest first', 1, async (store) => {
    await store.commit({ puts: [put('a', '1')], events: [event('z'), event('b')] })
    await store.commit({ puts: [], events: [event('a')] })
    assert.deepEqual(await store.outbox(), [event('z'), event('b'), event('a')])
    await store.settle(['b', 'unknown'])
    assert.deepEqual(await store.outbox(), [event('z'), event('a')])
    await store.settle(['z', 'a'])
    assert.deepEqual(await store.outbox(), [])
  })

  over('a record comes back exactly', 1, async (store) => {
    const record = '{"b":"é\\u0000","a":1.0e3 }'
    await store.commit({ puts: [], events: [{ id: 'e', record }] })
    assert.deepEqual(await store.outbox(), [{ id: 'e', record }])
  })

  over('it comes back as what it is', 1, async (store) => {
    const events = [event('a'), { ...event('b'), kind: 'item' as const }]
    await store.commit({ puts: [], events })
    assert.deepEqual(await store.outbox(), events)
  })
}

function describeProcesses(over: Over): void {
  over('changed reports each commit of others once, and none of our own', 2, async (one, two) => {
    one.changed()
    two.changed()
    await one.commit(puts(put('a', '1')))
    assert.equal(one.changed(), false)
    assert.equal(two.changed(), true)
    assert.equal(two.changed(), false)
    await two.commit(puts(put('b', '1')))
    await one.commit(puts(put('c', '1')))
    assert.equal(one.changed(), true)
    assert.equal(two.changed(), true)
    assert.equal(one.changed(), false)
  })

  over('changesSince brings what is newer, tombstones too, in order', 2, async (one, two) => {
    const first = await one.commit(puts(put('a', '1'), put('b', '1')))
    const second = await two.commit(puts(put('c', '1')))
    const third = await one.commit(puts(put('a', null, first)))
    const expected = [
      { kind: 'key', id: 'c', revision: second, body: '1' },
      { kind: 'key', id: 'a', revision: third, body: null },
    ]
    assert.deepEqual(await two.changesSince(first), { rows: expected, revision: third })
    assert.deepEqual(await two.changesSince(third), { rows: [], revision: third })
    const { rows } = await liveRows(two)
    assert.deepEqual(
      rows.map(({ id }) => id),
      ['b', 'c'],
    )
  })

  over('the second of two processes that change one row has a conflict', 2, async (one, two) => {
    const revision = await one.commit(puts(put('a', '0')))
    const outcomes = await Promise.allSettled([
      one.commit(puts(put('a', '1', revision))),
      two.commit(puts(put('a', '2', revision))),
    ])
    const winners = outcomes.filter(({ status }) => status === 'fulfilled')
    assert.equal(winners.length, 1)
    const [lost] = outcomes.filter((each) => each.status === 'rejected')
    assert.ok(lost?.reason instanceof StoreConflict)
  })

  over('an event settled by one process is settled for all', 2, async (one, two) => {
    await one.commit({ puts: [], events: [event('e'), event('f')] })
    await two.settle(['e'])
    // Settling rides with the next commit.
    await two.commit(puts(put('a', '1')))
    assert.deepEqual(await one.outbox(), [event('f')])
  })
}

function describeClosing(makeSite: () => Promise<StoreSite>): void {
  const onSite = async (body: (site: StoreSite) => Promise<void>) => {
    const site = await makeSite()
    await body(site).finally(() => site.dispose())
  }

  test('close waits for what was asked for; another store finds it, and nothing settled', () =>
    onSite(async (site) => {
      const store = await site.open()
      await store.commit({ puts: [], events: [event('e'), event('f')] })
      await store.settle(['e'])
      const pending = store.commit({ ...puts(put('a', '1')), archive: ['t'] })
      await store.close()
      const revision = await pending
      const next = await site.open()
      const rows = [{ kind: 'key', id: 'a', revision, body: '1' }]
      assert.deepEqual(await liveRows(next), { rows, revision })
      assert.deepEqual(await next.outbox(), [event('f')])
      assert.equal(await next.archived(textDigest('t')), 't')
      assert.ok((await next.commit(puts(put('b', '1')))) > revision)
      await next.close()
    }))

  test('a closed store refuses everything with internal, and may be closed again', () =>
    onSite(async (site) => {
      const store = await site.open()
      await store.close()
      await store.close()
      await assert.rejects(store.commit(puts(put('a', '1'))), internal)
      await assert.rejects(store.settle(['e']), internal)
      await assert.rejects(store.changesSince(0), internal)
      await assert.rejects(store.archived('t'), internal)
      await assert.rejects(store.outbox(), internal)
      await assert.rejects(
        store.load(() => undefined),
        internal,
      )
      assert.throws(() => store.changed(), internal)
    }))
}
