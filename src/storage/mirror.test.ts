import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createMemoryStore, SharedRows } from './memory/store.ts'
import { jsonCodec, Mirror, type Table } from './mirror.ts'
import { type Put, type Row, type Store, StoreConflict } from './port.ts'

type Side = {
  readonly store: Store
  readonly mirror: Mirror
  readonly keys: Table<string>
  /** What the watcher saw, as `id: before -> now`. */
  readonly seen: string[]
}

async function join(
  shared: SharedRows,
  wrap: (store: Store) => Store = (store) => store,
): Promise<Side> {
  const store = wrap(createMemoryStore(shared))
  const mirror = new Mirror(store)
  const keys = mirror.table<string>('key', jsonCodec())
  const seen: string[] = []
  keys.watch((id, now, before) => seen.push(`${id}: ${before} -> ${now}`))
  await mirror.load()
  return { store, mirror, keys, seen }
}

const contents = ({ keys }: Side) => [...keys.values()].sort()

test('a second table of one kind is refused', () => {
  const mirror = new Mirror(createMemoryStore())
  mirror.table('key', jsonCodec())
  assert.throws(() => mirror.table('key', jsonCodec()), { message: /two tables of kind 'key'/ })
})

test('load shows live rows to tables and watchers, and passes kinds that nobody declared', async () => {
  const shared = new SharedRows()
  shared.commit({
    puts: [
      { kind: 'key', id: 'a', body: '"1"', expected: 0 },
      { kind: 'from-a-newer-version', id: 'a', body: 'no JSON', expected: 0 },
    ],
    events: [],
  })
  shared.commit({ puts: [{ kind: 'key', id: 'b', body: '"2"', expected: 0 }], events: [] })
  shared.commit({ puts: [{ kind: 'key', id: 'b', body: null, expected: 2 }], events: [] })
  const side = await join(shared)
  assert.deepEqual(contents(side), ['1'])
  assert.equal(side.keys.size, 1)
  assert.equal(side.keys.get('b'), undefined)
  assert.deepEqual(side.seen, ['a: undefined -> 1'])
})

type Thing = { readonly name: string; readonly size: number }

/** Counts what is decoded; a glance sees the size alone, and nothing where the size comes first. */
async function thingsOf(bodies: Readonly<Record<string, string>>) {
  const shared = new SharedRows()
  const puts = Object.entries(bodies).map(([id, body]) => ({
    kind: 'thing',
    id,
    body,
    expected: 0,
  }))
  shared.commit({ puts, events: [] })
  const mirror = new Mirror(createMemoryStore(shared))
  const decoded: string[] = []
  const things = mirror.table<Thing, Pick<Thing, 'size'>>('thing', {
    ...jsonCodec<Thing>(),
    decode: (body) => {
      decoded.push(body)
      return JSON.parse(body) as Thing
    },
    glance: (body) => {
      const size = /,"size":(\d+)/.exec(body)?.[1]
      return size === undefined ? undefined : { size: Number(size) }
    },
  })
  const glances: unknown[] = []
  things.watchGlances((id, now, before) => glances.push([id, now?.size, before?.size]))
  await mirror.load()
  return { mirror, things, decoded, glances }
}

test('a row is decoded when its value is asked for, once, and until then only glanced at', async () => {
  const a = '{"name":"one","size":1}'
  const b = '{"name":"two","size":2}'
  const { mirror, things, decoded, glances } = await thingsOf({ a, b })
  assert.deepEqual([decoded, things.size], [[], 2])
  assert.deepEqual(glances, [
    ['a', 1, undefined],
    ['b', 2, undefined],
  ])
  assert.deepEqual([...things.values(({ size }) => size > 1)], [{ name: 'two', size: 2 }])
  assert.deepEqual(decoded, [b])
  assert.equal(things.get('b'), things.get('b'))
  await mirror.commit([things.put('b', { name: 'new', size: 3 }), things.remove('a')], [])
  assert.deepEqual(glances.slice(2), [
    ['b', 3, 2],
    ['a', undefined, 1],
  ])
  assert.deepEqual(decoded, [b])
  assert.deepEqual(things.get('b'), { name: 'new', size: 3 })
  assert.equal(things.get('a'), undefined)
})

test('where a glance shows nothing, the whole value is decoded', async () => {
  const { things, decoded, glances } = await thingsOf({ a: '{"size":1,"name":"one"}' })
  assert.equal(decoded.length, 1)
  assert.deepEqual(glances, [['a', 1, undefined]])
  assert.deepEqual(things.get('a'), { size: 1, name: 'one' })
  assert.equal(decoded.length, 1)
})

test('a row that cannot be decoded fails whoever asks for it, and nobody else', async () => {
  const { things } = await thingsOf({ a: '{"name":"one","size":1}', b: '{"name":"two,"size":2}' })
  const failure = { code: 'internal', detail: "the thing 'b' of the store cannot be read" }
  for (let attempt = 0; attempt < 2; attempt++) assert.throws(() => things.get('b'), failure)
  assert.deepEqual([...things.values(({ size }) => size === 1)], [{ name: 'one', size: 1 }])
  await assert.rejects(thingsOf({ c: 'neither JSON nor a size' }), {
    code: 'internal',
    detail: "the thing 'c' of the store cannot be read",
  })
})

test('a commit is shown once it is durable, and not before', async () => {
  const side = await join(new SharedRows())
  const commit = side.mirror.commit([side.keys.put('a', '1')], [])
  assert.equal(side.keys.get('a'), undefined)
  await commit
  assert.equal(side.keys.get('a'), '1')
  await side.mirror.commit([side.keys.put('a', '2')], [])
  await side.mirror.commit([side.keys.remove('a')], [])
  assert.equal(side.keys.get('a'), undefined)
  assert.equal(side.keys.size, 0)
  assert.deepEqual(side.seen, ['a: undefined -> 1', 'a: 1 -> 2', 'a: 2 -> undefined'])
})

test('texts of a row are archived by the commit that takes them from it, and by no other', async () => {
  const shared = new SharedRows()
  const { mirror, keys } = await join(shared)
  keys.archive((value) => value.split(' '))
  assert.throws(() => keys.archive(() => []), { message: "'key' is archived already" })
  const archived = () => [...shared.archive.values()]
  await mirror.commit([keys.put('a', 'one two'), keys.put('b', 'two three')], [])
  assert.deepEqual(archived(), [])
  await mirror.commit([keys.put('a', 'two one four')], [])
  assert.deepEqual(archived(), [])
  await mirror.commit([keys.put('a', 'four'), keys.put('b', 'two three')], [])
  assert.deepEqual(archived(), ['two', 'one'])
  await mirror.commit([keys.remove('b'), keys.remove('a')], [])
  assert.deepEqual(archived(), ['two', 'one', 'three', 'four'])
})

test('a conflict is thrown after the row of the other process is shown', async () => {
  const shared = new SharedRows()
  const [one, two] = [await join(shared), await join(shared)]
  const stale = two.keys.put('a', 'mine')
  await one.mirror.commit([one.keys.put('a', 'theirs')], [])
  await assert.rejects(two.mirror.commit([stale], []), StoreConflict)
  assert.equal(two.keys.get('a'), 'theirs')
  await two.mirror.commit([two.keys.put('a', 'mine')], [])
  await one.mirror.refresh()
  assert.equal(one.keys.get('a'), 'mine')
})

test('a failure of the store is thrown as it is, though the store cannot be read either', async () => {
  const failure = new Error('the disk is gone')
  const fail = () => Promise.reject(failure)
  const side = await join(new SharedRows(), (store) =>
    override(store, { commit: fail, changesSince: () => Promise.reject(new Error('unreadable')) }),
  )
  await assert.rejects(side.mirror.commit([side.keys.put('a', '1')], []), failure)
  assert.equal(side.keys.get('a'), undefined)
})

test('refresh shows puts and tombstones of others, and reads only when there are any', async () => {
  const shared = new SharedRows()
  let reads = 0
  const one = await join(shared)
  const two = await join(shared, (store) =>
    override(store, {
      changesSince: (revision) => {
        reads += 1
        return store.changesSince(revision)
      },
    }),
  )
  await one.mirror.commit([one.keys.put('a', '1'), one.keys.put('b', '2')], [])
  await two.mirror.refresh()
  assert.deepEqual(contents(two), ['1', '2'])
  await one.mirror.commit([one.keys.remove('a')], [])
  await one.mirror.commit([one.keys.put('c', '3')], [])
  await one.mirror.commit([one.keys.remove('c')], [])
  await two.mirror.refresh()
  assert.deepEqual(contents(two), ['2'])
  await two.mirror.refresh()
  await two.mirror.commit([two.keys.put('d', '4')], [])
  await two.mirror.refresh()
  assert.equal(reads, 2)
  // A row that came and went between two refreshes was never there.
  assert.deepEqual(two.seen, [
    'a: undefined -> 1',
    'b: undefined -> 2',
    'a: 1 -> undefined',
    'd: undefined -> 4',
  ])
})

test('a commit above unread rows of others does not hide them', async () => {
  const shared = new SharedRows()
  const [one, two] = [await join(shared), await join(shared)]
  await one.mirror.commit([one.keys.put('a', '1')], [])
  await two.mirror.commit([two.keys.put('b', '2')], [])
  assert.equal(two.keys.get('a'), undefined)
  await two.mirror.refresh()
  assert.deepEqual(contents(two), ['1', '2'])
  assert.equal(two.seen.filter((line) => line.startsWith('b')).length, 1)
})

test('a read that was under way does not undo a later commit', async () => {
  const shared = new SharedRows()
  const one = await join(shared)
  const gate = Promise.withResolvers<void>()
  const two = await join(shared, (store) =>
    override(store, {
      changesSince: async (revision) => {
        const changes = await store.changesSince(revision)
        await gate.promise
        return changes
      },
    }),
  )
  // The read begins with 'a' at the first revision; 'a' and 'b' are deleted and made before it ends.
  await two.mirror.commit([two.keys.put('a', 'old')], [])
  await one.mirror.refresh()
  await one.mirror.commit([one.keys.put('other', 'x')], [])
  const refresh = two.mirror.refresh()
  await two.mirror.commit([two.keys.remove('a')], [])
  await two.mirror.commit([two.keys.put('b', 'new')], [])
  gate.resolve()
  await refresh
  assert.deepEqual(contents(two), ['new', 'x'])
  assert.deepEqual(two.seen, [
    'a: undefined -> old',
    'a: old -> undefined',
    'b: undefined -> new',
    'other: undefined -> x',
  ])
})

test('refreshes of one turn all wait for the change that the first has begun to read', async () => {
  const shared = new SharedRows()
  const one = await join(shared)
  const gate = Promise.withResolvers<void>()
  const two = await join(shared, (store) =>
    override(store, {
      changesSince: async (revision) => {
        await gate.promise
        return store.changesSince(revision)
      },
    }),
  )
  await one.mirror.commit([one.keys.put('a', '1')], [])
  const seen: unknown[] = []
  const refreshes = [1, 2].map(() => two.mirror.refresh().then(() => seen.push(two.keys.get('a'))))
  gate.resolve()
  await Promise.all(refreshes)
  assert.deepEqual(seen, ['1', '1'])
})

test('a refresh that failed is made up for by the next', async () => {
  const shared = new SharedRows()
  const one = await join(shared)
  let failing = true
  const two = await join(shared, (store) =>
    override(store, {
      changesSince: (revision) =>
        failing ? Promise.reject(new Error('busy')) : store.changesSince(revision),
    }),
  )
  await one.mirror.commit([one.keys.put('a', '1')], [])
  await assert.rejects(two.mirror.refresh(), { message: 'busy' })
  failing = false
  await two.mirror.refresh()
  assert.equal(two.keys.get('a'), '1')
})

test('rows that arrive twice or out of order leave the newest', async () => {
  let arriving: Row[] = []
  const revision = () => Math.max(0, ...arriving.map((row) => row.revision))
  const side = await join(new SharedRows(), (store) =>
    override(store, {
      changed: () => true,
      changesSince: async () => ({ rows: arriving, revision: revision() }),
    }),
  )
  const row = (revision: number, body: string | null): Row => ({
    kind: 'key',
    id: 'a',
    revision,
    body,
  })
  arriving = [row(5, '"five"'), row(3, '"three"'), row(5, '"five"')]
  await side.mirror.refresh()
  assert.equal(side.keys.get('a'), 'five')
  arriving = [row(7, null), row(6, '"six"')]
  await side.mirror.refresh()
  assert.equal(side.keys.get('a'), undefined)
  arriving = [row(8, '"eight"')]
  await side.mirror.refresh()
  assert.deepEqual(side.seen, [
    'a: undefined -> five',
    'a: five -> undefined',
    'a: undefined -> eight',
  ])
})

test('any history of two mirrors: after a refresh each shows what is stored', async () => {
  const step = fc.record({
    by: fc.constantFrom(0, 1),
    id: fc.constantFrom('a', 'b', 'c'),
    action: fc.constantFrom('put', 'remove', 'refresh'),
  })
  const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
    const shared = new SharedRows()
    const sides = [await join(shared), await join(shared)] as const
    const stored = () =>
      [...shared.rows.values()]
        .flatMap(({ body }) => (body === null ? [] : [JSON.parse(body)]))
        .sort()
    for (const [index, { by, id, action }] of steps.entries()) {
      const side = sides[by as 0 | 1]
      if (action === 'refresh') {
        await side.mirror.refresh()
        assert.deepEqual(contents(side), stored())
        continue
      }
      const put: Put = action === 'put' ? side.keys.put(id, `${index}`) : side.keys.remove(id)
      try {
        await side.mirror.commit([put], [])
      } catch (error) {
        assert.ok(error instanceof StoreConflict)
        assert.deepEqual(contents(side), stored())
      }
    }
    for (const side of sides) {
      await side.mirror.refresh()
      assert.deepEqual(contents(side), stored())
      assertIndexed(side)
    }
  })
  await fc.assert(property, { numRuns: 200 })
})

/** A watcher that keeps an index by what it is told ends with the table's own contents. */
function assertIndexed(side: Side): void {
  const index = new Map<string, string>()
  for (const line of side.seen) {
    const [id = '', change = ''] = line.split(': ')
    const [before, now = ''] = change.split(' -> ')
    assert.equal(index.get(id) ?? 'undefined', before)
    if (now === 'undefined') index.delete(id)
    else index.set(id, now)
  }
  assert.deepEqual([...index.values()].sort(), contents(side))
}

function override(store: Store, changes: Partial<Store>): Store {
  return {
    load: (visit) => store.load(visit),
    changed: () => store.changed(),
    changesSince: (revision) => store.changesSince(revision),
    commit: (transaction) => store.commit(transaction),
    archived: (digest) => store.archived(digest),
    outbox: () => store.outbox(),
    settle: (ids) => store.settle(ids),
    backup: (file, progress) => store.backup(file, progress),
    close: () => store.close(),
    healthy: store.healthy,
    ...changes,
  }
}

test('what is supposed is shown while it is read, and gone then', async () => {
  const side = await join(new SharedRows())
  const { mirror, keys, seen } = side
  await mirror.commit([keys.put('a', '1'), keys.put('b', '1')], [])
  const before = keys.get('a')
  seen.length = 0
  const puts = [keys.put('a', '2'), keys.remove('b'), keys.put('c', '3')]
  assert.deepEqual(
    mirror.supposing(puts, () => contents(side)),
    ['2', '3'],
  )
  assert.deepEqual(contents(side), ['1', '1'])
  assert.equal(keys.get('a'), before)
  assert.deepEqual(seen, [
    ...['a: 1 -> 2', 'b: 1 -> undefined', 'c: undefined -> 3'],
    ...['c: 3 -> undefined', 'b: undefined -> 1', 'a: 2 -> 1'],
  ])
  await mirror.commit(puts, [])
  assert.deepEqual(contents(side), ['2', '3'])
})

test('of what fails to be supposed or read nothing is left', async () => {
  const side = await join(new SharedRows())
  const { mirror, keys } = side
  const stale = keys.put('a', 'stale')
  await mirror.commit([keys.put('a', '1')], [])
  assert.throws(() => mirror.supposing([keys.put('b', '2'), stale], () => 'read'), StoreConflict)
  assert.deepEqual(contents(side), ['1'])
  const failing = () => {
    throw new RangeError('while it is read')
  }
  assert.throws(() => mirror.supposing([keys.put('b', '2')], failing), RangeError)
  assert.deepEqual(contents(side), ['1'])
})

test('a row alters when another value takes its place', async () => {
  const shared = new SharedRows()
  const one = await join(shared)
  await one.mirror.commit([one.keys.put('a', '1')], [])
  const two = await join(shared)
  for (const { mirror, keys } of [one, two]) {
    assert.equal(mirror.alters(keys.put('a', '1')), false)
    assert.equal(mirror.alters(keys.put('a', '2')), true)
    assert.equal(mirror.alters(keys.remove('a')), true)
    assert.equal(mirror.alters(keys.put('b', '1')), true)
  }
})

test('the guard sees every commit, refuses it, and adds to it', async () => {
  const side = await join(new SharedRows())
  const { mirror, keys } = side
  mirror.guard(async (puts, commit) => {
    if (puts.some(({ id }) => id === 'no')) throw new RangeError('refused')
    await commit({
      also: [keys.put('mark', 'm')],
      unchanged: { kinds: ['key'], since: mirror.revision },
    })
  })
  assert.throws(() => mirror.guard(async () => {}), { message: 'there is a guard' })
  await assert.rejects(mirror.commit([keys.put('no', '1')], []), RangeError)
  await assert.rejects(mirror.admit([keys.put('no', '1')]), RangeError)
  await mirror.admit([keys.put('a', '1')])
  assert.deepEqual(contents(side), [])
  await mirror.commit([keys.put('a', '1')], [])
  assert.deepEqual(contents(side), ['1', 'm'])
  const two = [mirror.commit([keys.put('b', '2')], []), mirror.commit([keys.put('c', '3')], [])]
  const [first, second] = await Promise.allSettled(two)
  assert.equal(first?.status, 'fulfilled')
  assert.ok(second?.status === 'rejected' && second.reason instanceof StoreConflict)
})
