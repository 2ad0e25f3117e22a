import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Row, textDigest } from '../port.ts'
import { openDatabase } from './database.ts'
import { migrate, migrations } from './migrations.ts'
import { openSqliteStore } from './store.ts'
import { newStorePath } from './testing/directory.ts'

const put = (id: string, body: string) => ({ kind: 'key', id, body, expected: 0 })

async function fill(file: string, count: number): Promise<void> {
  const store = await openSqliteStore({ file })
  const puts = Array.from({ length: count }, (_, index) => put(`${index}`, 'x'.repeat(700)))
  await store.commit({ puts, events: [] })
  await store.close()
}

test('what is not a SQLite database is refused by name and left as it was', async (context) => {
  const file = newStorePath(context)
  const content = 'not a database '.repeat(100)
  writeFileSync(file, content)
  const message = `The store '${file}' cannot be opened: it is not a SQLite database.`
  await assert.rejects(openSqliteStore({ file }), { message })
  assert.equal(readFileSync(file, 'utf8'), content)
})

test("another application's database is refused", async (context) => {
  const file = newStorePath(context)
  const other = openDatabase(file)
  other.exec('CREATE TABLE theirs (a)')
  other.close()
  await assert.rejects(openSqliteStore({ file }), { message: /belongs to another application/ })
})

test('a store of a newer version is refused', async (context) => {
  const file = newStorePath(context)
  await fill(file, 1)
  const newer = openDatabase(file)
  newer.exec(`PRAGMA user_version = ${migrations.length + 1}`)
  newer.close()
  await assert.rejects(openSqliteStore({ file }), {
    message: /version 4, written by a newer Kagiban; this one knows versions up to 3/,
  })
})

test('a damaged store is refused, naming the file', async (context) => {
  const file = newStorePath(context)
  await fill(file, 200)
  truncateSync(file, 3000)
  await assert.rejects(openSqliteStore({ file }), (error: Error) => {
    assert.match(error.message, /is damaged|malformed/)
    assert.ok(error.message.includes(file))
    return true
  })
})

test('damage inside is found by load, naming the file', async (context) => {
  const file = newStorePath(context)
  await fill(file, 200)
  const bytes = readFileSync(file)
  bytes.fill(0xa5, 20_000, 60_000)
  writeFileSync(file, bytes)
  const store = await openSqliteStore({ file })
  await assert.rejects(
    store.load(() => undefined),
    {
      code: 'internal',
      detail: new RegExp(`${file}.*malformed`),
    },
  )
  assert.equal(store.healthy, false)
  await store.close()
})

test('a log without its store is refused: the commits in it would be lost', async (context) => {
  const file = newStorePath(context)
  writeFileSync(`${file}-wal`, 'frames')
  await assert.rejects(openSqliteStore({ file }), { message: /missing or empty, but its log/ })
  assert.equal(existsSync(file), false)
})

test('a missing directory is refused', async (context) => {
  const file = `${newStorePath(context)}/none/store.db`
  await assert.rejects(openSqliteStore({ file }), { message: /ENOENT/ })
})

test('the file and its companions are for their owner alone', async (context) => {
  const file = newStorePath(context)
  const store = await openSqliteStore({ file })
  await store.commit({ puts: [put('a', '1')], events: [] })
  for (const path of [file, `${file}-wal`, `${file}-shm`]) {
    assert.equal(statSync(path).mode & 0o777, 0o600, path)
  }
  await store.close()
})

test('the connection is as durable and as tidy as the contract says', async (context) => {
  const file = newStorePath(context)
  const seen = new Map<string, unknown>()
  const store = await openSqliteStore({
    file,
    connect: (path) => {
      const database = openDatabase(path)
      return {
        ...database,
        prepare: (sql) => {
          if (sql.startsWith('PRAGMA wal_checkpoint')) {
            for (const name of ['journal_mode', 'synchronous', 'secure_delete', 'foreign_keys']) {
              seen.set(name, database.prepare(`PRAGMA ${name}`).get()?.[0])
            }
          }
          return database.prepare(sql)
        },
      }
    },
  })
  await store.close()
  assert.deepEqual(Object.fromEntries(seen), {
    journal_mode: 'wal',
    synchronous: 2,
    secure_delete: 1,
    foreign_keys: 1,
  })
})

test('migrations run from any version on, each once, and stop at a failure', async (context) => {
  const file = newStorePath(context)
  const database = openDatabase(file)
  const version = () => database.prepare('PRAGMA user_version').get()?.[0]
  const steps = ['CREATE TABLE one (a)', 'INSERT INTO one VALUES (1)', 'CREATE TABLE one (b)']
  migrate(database, steps.slice(0, 1))
  assert.equal(version(), 1)
  migrate(database, steps.slice(0, 2))
  migrate(database, steps.slice(0, 2))
  assert.deepEqual(database.prepare('SELECT count(*) FROM one').get(), [1])
  const failing = [...steps.slice(0, 2), `INSERT INTO one VALUES (2); ${steps[2]}`]
  assert.throws(() => migrate(database, failing), { message: /already exists/ })
  assert.equal(version(), 2)
  assert.deepEqual(database.prepare('SELECT count(*) FROM one').get(), [1])
  database.close()
})

test('a store of version 1 opens with its rows, and what was archived in rows then', async (context) => {
  const file = newStorePath(context)
  const database = openDatabase(file)
  database.exec('PRAGMA page_size = 1024')
  migrate(database, migrations.slice(0, 1))
  database.exec(`
    UPDATE revision SET value = 7;
    INSERT INTO rows VALUES ('key', 'a', 7, zeroblob(230), '{"a":1}');
    INSERT INTO rows VALUES ('superseded-policy', '${textDigest('old')}', 6, zeroblob(230), 'old');
    INSERT INTO outbox (event_id, record) VALUES ('e', '{}')`)
  database.close()
  const store = await openSqliteStore({ file })
  const rows: Row[] = []
  assert.equal(await store.load((row) => rows.push(row)), 7)
  assert.deepEqual(rows, [{ kind: 'key', id: 'a', revision: 7, body: '{"a":1}' }])
  assert.deepEqual(await store.outbox(), [{ id: 'e', record: '{}' }])
  assert.equal(await store.archived(textDigest('old')), 'old')
  await store.close()
  rmSync(file)
})
