import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { openDatabase } from '../src/storage/sqlite/database.ts'
import { migrate } from '../src/storage/sqlite/migrations.ts'
import { writeBackup } from './backup.ts'
import { withFolderLock } from './folder-lock.ts'
import { sweepSnapshots, takeSnapshot } from './snapshot.ts'

type Generations = Readonly<Record<string, readonly number[]>>
/** What happens while the service copies its store. */
type Meanwhile = (attempt: number) => void

/** A data folder as a backup sees it, and a service that copies a store with material under some domain keys. */
function opened(t: TestContext, needed: Generations, meanwhile: Meanwhile = () => {}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'kagiban-snapshot-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  for (const name of ['hsm', 'run', 'journal']) mkdirSync(join(dataDir, name))
  const run = join(dataDir, 'run')
  const hold = (held: Generations) => {
    const regions = Object.entries(held).map(([region, generations]) => [
      region,
      { regionKey: '', domainKeys: generations.map((generation) => ({ generation })) },
    ])
    const text = JSON.stringify({ version: 1, regions: Object.fromEntries(regions) })
    writeFileSync(join(dataDir, 'hsm', 'hierarchy.json'), text)
    return text
  }
  let attempts = 0
  const send = async (command: string) => {
    assert.equal(command, 'backup-snapshot')
    attempts += 1
    meanwhile(attempts)
    const file = join(run, `backup-${randomUUID()}.db`)
    writeFileSync(file, '', { mode: 0o600 })
    const store = openDatabase(file)
    store.exec('PRAGMA journal_mode = WAL')
    migrate(store)
    const insert = store.prepare("INSERT INTO rows VALUES ('material', ?, 1, zeroblob(230), ?)")
    for (const [region, generations] of Object.entries(needed)) {
      for (const generation of generations) {
        insert.run(`${region}/${generation}`, JSON.stringify({ region, generation }))
      }
    }
    insert.run('destroyed', null)
    store.close()
    return { file, records: 7 }
  }
  return { dataDir, run, hold, session: { dataDir, send }, attempts: () => attempts }
}

const refused = (message: RegExp) => ({ name: 'OperatorError', message })

describe('the hierarchy of a snapshot', () => {
  const hierarchyOf = async (session: Parameters<typeof takeSnapshot>[0]) =>
    String((await takeSnapshot(session)).hierarchy.get('hierarchy.json'))

  test('is that of before if a domain key was retired meanwhile that the copy needs', async (t) => {
    const { hold, session, attempts } = opened(t, { 'us-east-1': [1, 2] }, () =>
      hold({ 'us-east-1': [2] }),
    )
    const before = hold({ 'us-east-1': [1, 2] })
    assert.equal(await hierarchyOf(session), before)
    assert.equal(attempts(), 1)
  })

  test('is that of after if the copy needs a domain key that was made meanwhile', async (t) => {
    let after = ''
    const { hold, session, attempts } = opened(t, { 'us-east-1': [1, 2], 'eu-west-1': [1] }, () => {
      after = hold({ 'us-east-1': [1, 2], 'eu-west-1': [1] })
    })
    hold({ 'us-east-1': [1] })
    assert.equal(await hierarchyOf(session), after)
    assert.equal(attempts(), 1)
  })

  test('belongs to another copy if neither holds all that the first one needs', async (t) => {
    let last = ''
    const { hold, run, session, attempts } = opened(t, { 'us-east-1': [3] }, (attempt) => {
      last = hold({ 'us-east-1': attempt === 1 ? [4] : [3, 4] })
    })
    hold({ 'us-east-1': [2] })
    const { file, records, hierarchy } = await takeSnapshot(session)
    assert.equal(String(hierarchy.get('hierarchy.json')), last)
    assert.equal(attempts(), 2)
    assert.equal(records, 7)
    assert.deepEqual(
      readdirSync(run).map((name) => join(run, name)),
      [file],
      'the first copy is gone, and nothing lies beside the other',
    )
  })

  test('is given up after three copies', async (t) => {
    const { hold, run, session, attempts } = opened(t, { 'us-east-1': [1] }, (attempt) => {
      hold({ 'us-east-1': [attempt + 10] })
    })
    hold({ 'us-east-1': [10] })
    await assert.rejects(takeSnapshot(session), refused(/^Domain keys were replaced each time/))
    assert.equal(attempts(), 3)
    assert.deepEqual(readdirSync(run), [])
  })

  test('is what it is if nothing changed, though some material does not open', async (t) => {
    const { dataDir, hold, session } = opened(t, { 'us-east-1': [1, 2] })
    const only = hold({ 'us-east-1': [2] })
    writeFileSync(join(dataDir, 'hsm', 'root.key'), 'never')
    writeFileSync(join(dataDir, 'hsm', 'root.json'), '{}')
    const { hierarchy } = await takeSnapshot(session)
    assert.deepEqual(
      [...hierarchy].map(([name, content]) => [name, String(content)]),
      [
        ['hierarchy.json', only],
        ['root.json', '{}'],
      ],
    )
  })
})

describe('the service', () => {
  test('can name no file outside of its folder', async (t) => {
    const { dataDir, hold } = opened(t, {})
    hold({ 'us-east-1': [1] })
    const precious = join(dataDir, `backup-${randomUUID()}.db`)
    writeFileSync(precious, 'precious')
    for (const file of ['../hsm/hierarchy.json', join(dataDir, 'hsm', 'hierarchy.json'), '', 7]) {
      const session = { dataDir, send: async () => ({ file, records: 7 }) }
      await assert.rejects(takeSnapshot(session), refused(/^The service answered with no copy/))
    }
    await assert.rejects(
      writeBackup(
        { dataDir, send: async () => ({ file: precious, records: 7 }) },
        'main',
        join(dataDir, 'a.backup'),
      ),
      { code: 'ENOENT' },
    )
    assert.equal(readFileSync(precious, 'utf8'), 'precious')
  })

  test('can lead no backup elsewhere by a link', async (t) => {
    const { dataDir, run, hold, session } = opened(t, {})
    hold({ 'us-east-1': [1] })
    const rootKey = join(dataDir, 'hsm', 'root.key')
    writeFileSync(rootKey, 'the root')
    const target = join(dataDir, 'a.backup')
    const linked = join(run, `backup-${randomUUID()}.db`)
    const linking = async () => {
      symlinkSync(rootKey, linked)
      return { file: linked, records: 0 }
    }
    const link = refused(/ is not a regular file\.$/)
    await assert.rejects(writeBackup({ dataDir, send: linking }, 'main', target), link)
    const journal = join(dataDir, 'journal', 'main')
    mkdirSync(journal)
    symlinkSync(rootKey, join(journal, 'origin'))
    await assert.rejects(
      writeBackup(session, 'main', target),
      refused(/ is a link, not a regular file\.$/),
    )
    assert.deepEqual(readdirSync(dataDir).sort(), ['hsm', 'journal', 'run'])
    assert.deepEqual(readdirSync(run), [])
  })
})

describe('a backup file', () => {
  function ready(t: TestContext) {
    const made = opened(t, {})
    made.hold({ 'us-east-1': [1] })
    const journal = join(made.dataDir, 'journal', 'main')
    mkdirSync(journal)
    writeFileSync(join(journal, 'origin'), 'origin\n')
    return { ...made, target: join(made.dataDir, 'a.backup') }
  }

  test('is for its owner alone, and what an interrupted backup left goes', async (t) => {
    const { run, session, target } = ready(t)
    const names = [
      ...['.db', '.db.partial', '.db.partial-journal', '.db-wal', '.db-shm', '.db-journal'],
    ].map((suffix) => `backup-${randomUUID()}${suffix}`)
    const kept = ['control-main.sock', 'backup-notes.db', 'backup.db', `x-${names[0]}`]
    for (const name of [...names, ...kept]) writeFileSync(join(run, name), '')
    writeFileSync(`${target}.partial`, 'half')
    assert.equal(await writeBackup(session, 'main', target), 7)
    assert.equal(statSync(target).mode & 0o777, 0o600)
    assert.equal(existsSync(`${target}.partial`), false)
    assert.deepEqual(readdirSync(run).sort(), kept.sort())
    writeFileSync(join(run, names[0] ?? ''), '')
    sweepSnapshots(session.dataDir)
    assert.deepEqual(readdirSync(run).sort(), kept.sort())
  })

  test('is written through no link that somebody put there', async (t) => {
    const { dataDir, session, target } = ready(t)
    const victim = join(dataDir, 'victim')
    writeFileSync(victim, 'whole')
    for (const aim of [victim, join(dataDir, 'nowhere')]) {
      symlinkSync(aim, `${target}.partial`)
      await assert.rejects(
        writeBackup(session, 'main', target),
        refused(/a\.backup\.partial is not a regular file\.$/),
      )
      rmSync(`${target}.partial`)
      symlinkSync(aim, target)
      await assert.rejects(writeBackup(session, 'main', target), refused(/exists already/))
      rmSync(target)
    }
    assert.equal(readFileSync(victim, 'utf8'), 'whole')
    assert.deepEqual(readdirSync(dataDir).sort(), ['hsm', 'journal', 'run', 'victim'])
  })

  test('holds no journal that could not be restored, and passes over what is none', async (t) => {
    const { dataDir, session, target } = ready(t)
    writeFileSync(join(dataDir, 'journal', 'notes.txt'), '')
    assert.equal(await writeBackup(session, 'main', target), 7)
    mkdirSync(join(dataDir, 'journal', 'Main'))
    await assert.rejects(
      writeBackup(session, 'main', `${target}.2`),
      refused(/^journal\/Main is no journal of Kagiban's\.$/),
    )
  })
})

test('a folder has one backup or restore at a time', async (t) => {
  const { dataDir } = opened(t, {})
  const busy = refused(/^Another backup or restore of this folder is under way\.$/)
  const unexpected = () => assert.fail('it went on')
  await withFolderLock(dataDir, async () => {
    await assert.rejects(withFolderLock(dataDir, unexpected), busy)
  })
  await assert.rejects(
    withFolderLock(dataDir, () => Promise.reject(new RangeError('a failure'))),
    RangeError,
  )
  assert.equal(await withFolderLock(dataDir, async () => 7), 7)
})
