import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { openDatabase } from '../src/storage/sqlite/database.ts'
import { migrate } from '../src/storage/sqlite/migrations.ts'
import { ArchiveReader, ArchiveWriter, stripArchive } from './archive.ts'

/** The path of a file that is a store, with a row. */
function newStore(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'kagiban-archive-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'copy.db')
  const store = openDatabase(file)
  migrate(store)
  store.close()
  change(file, "INSERT INTO rows VALUES ('key', 'kept', 1, zeroblob(230), '{}')")
  return file
}

function change(file: string, sql: string, ...values: (string | Uint8Array)[]): void {
  const database = new DatabaseSync(file)
  if (values.length === 0) database.exec(sql)
  else database.prepare(sql).run(...values)
  database.close()
}

const hierarchy = 'hsm/hierarchy.json'
const segment = 'journal/main/00000001.seg'
const origin = 'journal/main/origin'
const records = { main: 7 }

/** With what no backup can be without. */
function archived(t: TestContext, files: Readonly<Record<string, Buffer>> = {}, of = records) {
  const file = newStore(t)
  const archive = new ArchiveWriter(file)
  const all = { [hierarchy]: Buffer.from('{}'), [origin]: Buffer.from('origin\n'), ...files }
  for (const [path, content] of Object.entries(all)) archive.add(path, content)
  archive.finish('2026-05-06T07:08:09.000Z', of)
  archive.close()
  return file
}

/** A backup with another manifest. */
function described(t: TestContext, json: string): string {
  const file = archived(t)
  change(file, 'UPDATE manifest SET json = ?', json)
  return file
}

const read = (archive: ArchiveReader, path: string) => Buffer.concat([...archive.content(path)])
const damaged = (path: string) => ({
  name: 'OperatorError',
  message: `The backup is damaged: ${path} is not what its manifest says.`,
})

describe('an archive', () => {
  test('gives back what it was given: nothing, a little, and more than a chunk', (t) => {
    const large = Buffer.concat([randomBytes(5 * 1024 * 1024), Buffer.alloc(4 * 1024 * 1024)])
    const files = {
      [hierarchy]: Buffer.from('{}'),
      [segment]: large,
      [origin]: Buffer.alloc(0),
      'journal/node-2/origin': Buffer.alloc(1),
      'journal/node-2/checkpoint': Buffer.alloc(4 * 1024 * 1024, 1),
    }
    const of = { main: 7, 'node-2': 0 }
    const archive = new ArchiveReader(archived(t, files, of))
    const { createdAt, format } = archive.manifest
    assert.deepEqual([format, createdAt], [1, '2026-05-06T07:08:09.000Z'])
    assert.deepEqual(archive.manifest.records, of)
    const sizes = new Map(archive.manifest.files.map(({ path, bytes }) => [path, bytes]))
    assert.equal(sizes.size, Object.keys(files).length)
    for (const [path, content] of Object.entries(files)) {
      assert.equal(sizes.get(path), content.length)
      assert.ok(read(archive, path).equals(content), path)
    }
    archive.checkPages()
    archive.close()
  })

  test('is a plain store again once it is stripped', (t) => {
    const file = archived(t, { [hierarchy]: randomBytes(100_000) })
    stripArchive(file)
    const database = new DatabaseSync(file)
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    assert.deepEqual(tables.map(({ name }) => name).sort(), ['outbox', 'revision', 'rows', 'texts'])
    assert.equal(database.prepare('SELECT id FROM rows').get()?.['id'], 'kept')
    database.close()
  })

  test('finds every damage to what it holds', (t) => {
    const faults: readonly [string, ...(string | Uint8Array)[]][] = [
      ['UPDATE archive SET bytes = ? WHERE chunk = 0', new Uint8Array([1, 2, 3])],
      ['UPDATE archive SET bytes = ? WHERE chunk = 0', 'text'],
      ['DELETE FROM archive WHERE chunk = 1'],
      ['UPDATE archive SET chunk = 9 WHERE chunk = 0'],
      ['INSERT INTO archive SELECT path, 2, bytes FROM archive WHERE chunk = 0'],
      ['DELETE FROM archive'],
    ]
    for (const [sql, ...values] of faults) {
      const file = archived(t, { [segment]: randomBytes(5 * 1024 * 1024) })
      change(file, sql, ...values)
      const archive = new ArchiveReader(file)
      assert.throws(() => read(archive, segment), damaged(segment), sql)
      archive.close()
    }
    const archive = new ArchiveReader(archived(t))
    assert.throws(() => read(archive, segment), damaged(segment), 'it is not in there')
    archive.close()
  })

  test('inflates no chunk beyond its size, though the whole is what the manifest says', (t) => {
    const content = Buffer.alloc(5 * 1024 * 1024)
    const file = archived(t, { [segment]: content })
    change(file, 'DELETE FROM archive WHERE chunk = 1')
    change(file, 'UPDATE archive SET bytes = ? WHERE path = ?', deflateSync(content), segment)
    const archive = new ArchiveReader(file)
    assert.throws(() => read(archive, segment), damaged(segment))
    archive.close()
  })
})

describe('what is no backup is refused', () => {
  const refused = (file: string, reason: string | RegExp) =>
    assert.throws(
      () => new ArchiveReader(file),
      (error: Error) => {
        assert.equal(error.name, 'OperatorError')
        assert.ok(error.message.startsWith(`${file} is no Kagiban backup: `), error.message)
        assert.ok(
          typeof reason === 'string' ? error.message.includes(reason) : reason.test(error.message),
          error.message,
        )
        return true
      },
    )

  test('a file of another kind, and a store without an archive', (t) => {
    const file = newStore(t)
    refused(file, 'its tables are not those of a backup')
    writeFileSync(file, 'nonsense')
    refused(file, 'file is not a database')
    refused(join(file, 'nowhere'), 'unable to open database file')
  })

  test("another application's, or a newer version's", (t) => {
    const store = newStore(t)
    change(store, 'PRAGMA application_id = 7')
    refused(store, 'it holds no store')
    for (const version of [0, -1]) {
      const file = archived(t)
      change(file, `PRAGMA user_version = ${version}`)
      refused(file, 'it holds no store')
    }
    const newer = archived(t)
    change(newer, 'PRAGMA user_version = 99')
    refused(newer, 'a newer Kagiban wrote its store')
  })

  test('one whose store has another schema than the migrations make', (t) => {
    const changes = [
      'CREATE TRIGGER t AFTER INSERT ON outbox BEGIN DELETE FROM outbox; END',
      'CREATE VIEW v AS SELECT * FROM rows',
      'CREATE TABLE more (id TEXT)',
      'CREATE INDEX more ON rows (id)',
      'DROP INDEX rows_by_revision',
      'ALTER TABLE outbox ADD COLUMN more TEXT',
      "DROP TABLE outbox; CREATE VIEW outbox AS SELECT 1 AS sequence, '' AS event_id, '' AS record",
      'DROP TABLE manifest; CREATE VIEW manifest AS SELECT 1 AS json',
      'ANALYZE',
    ]
    for (const sql of changes) {
      const file = archived(t)
      change(file, sql)
      refused(file, 'its tables are not those of a backup')
    }
  })

  test('a manifest that is none', (t) => {
    const whole = JSON.stringify(new ArchiveReader(archived(t)).manifest)
    const files = /"files":(\[.*?\])/.exec(whole)?.[1] ?? ''
    const without = (path: string) =>
      whole.replace(new RegExp(`\\{"path":"${path}".*?\\},?`), '').replace(',]', ']')
    const bad: readonly [string, string | RegExp][] = [
      ['', /JSON/],
      ['null', 'its format is undefined; this Kagiban knows 1'],
      ['{"format":2,"files":[]}', 'its format is 2; this Kagiban knows 1'],
      ['{"format":1}', 'its manifest names no files'],
      ['{"format":1,"files":{}}', 'its manifest names no files'],
      ['{"format":1,"files":[{}]}', 'its manifest names undefined'],
      ['{"format":1,"files":[]}', 'its manifest names no records'],
      [whole.replace('"main":7', '"main":-1'), "its manifest names -1 records of 'main'"],
      [whole.replace('"main":7', '"../x":7'), "its manifest names 7 records of '../x'"],
      [whole.replace('"main":7', '"main":7,"two":0'), 'it lacks journal/two/origin'],
      [whole.replace('"main":7', ''), 'does not know the journal of journal/main/origin'],
      [whole.replace('2026-', '\\u001b[2J'), 'its manifest names no time'],
      [whole.replace(files, `${files.slice(0, -1)},${files.slice(1)}`), 'names a file twice'],
      [whole.replace('"bytes":2', '"bytes":2e9'), 'says nothing sound of hsm/hierarchy.json'],
      [whole.replace(/"sha256":"../, '"sha256":"'), 'says nothing sound of '],
      [without(hierarchy), 'it lacks hsm/hierarchy.json'],
      [without(origin), 'it lacks journal/main/origin'],
    ]
    for (const [json, reason] of bad) {
      assert.notEqual(json, whole)
      refused(described(t, json), reason)
    }
    const twice = archived(t)
    change(twice, 'INSERT INTO manifest SELECT json FROM manifest')
    refused(twice, 'it has no manifest')
    const none = archived(t)
    change(none, 'DELETE FROM manifest')
    refused(none, 'it has no manifest')
  })

  test('one that would write elsewhere, or what no backup holds', (t) => {
    const file = archived(t)
    const whole = JSON.stringify(new ArchiveReader(file).manifest)
    const paths = [
      ...['../evil', '/etc/evil', 'hsm/../../evil.json', 'journal/../../evil/origin', ''],
      ...['hsm/root.key', 'hsm/other.json', 'hsm/lock', 'hsm/hierarchy.json.tmp', 'hsm//root.json'],
      ...['run/control-main.sock', 'store/store.db', 'index/main.db', 'restore.ready'],
      ...['journal/main/lock.db', 'journal/main/00000001.seg/x', 'journal/Main/origin'],
      ...['journal/main/1.seg', 'journal/main/00000001.segx', 'journal/origin', 'journal/./origin'],
      ...[`journal/${'a'.repeat(33)}/origin`, 'hsm/root.json\n', '\nhsm/root.json'],
    ]
    const archive = new ArchiveWriter(newStore(t))
    for (const path of paths) {
      const entry = JSON.stringify({ path, bytes: 0, sha256: '0'.repeat(64) })
      change(file, 'UPDATE manifest SET json = ?', whole.replace('"files":[', `"files":[${entry},`))
      refused(file, 'its manifest names ')
      assert.throws(() => archive.add(path, Buffer.alloc(1)), { name: 'OperatorError' }, path)
    }
    archive.close()
  })
})

test('a fault of its pages is found', (t) => {
  const file = archived(t, { [segment]: randomBytes(100_000) })
  const database = new DatabaseSync(file)
  const { page } =
    database.prepare("SELECT rootpage AS page FROM sqlite_schema WHERE name = 'rows'").get() ?? {}
  const { page_size: size } = database.prepare('PRAGMA page_size').get() ?? {}
  database.close()
  const bytes = readFileSync(file)
  // The number of cells in the page, which is more than there are.
  bytes.writeUInt16BE(0x7fff, (Number(page) - 1) * Number(size) + 3)
  writeFileSync(file, bytes)
  const archive = new ArchiveReader(file)
  assert.throws(() => archive.checkPages(), {
    name: 'OperatorError',
    message: /^The backup is damaged: /,
  })
  archive.close()
})
