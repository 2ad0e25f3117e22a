import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { readConfig } from '../src/config.ts'
import { supervise } from '../src/supervisor.ts'
import { EngineFolder, type Running } from '../src/testing/engine-folder.ts'
import { backup } from './backup.ts'
import { restore } from './restore.ts'
import { commitStaging, finishRestore } from './restore-commit.ts'
import { stage } from './restore-staging.ts'

const root = process.cwd()
const Plaintext = Buffer.from('plaintext').toString('base64')

async function newKey(running: Running) {
  const { body } = await running.call('CreateKey', {})
  const { KeyId } = body['KeyMetadata'] as { KeyId: string }
  const encrypted = await running.call('Encrypt', { KeyId, Plaintext })
  return encrypted.body['CiphertextBlob']
}

/** A folder whose service is stopped, and a backup that was made of it while it ran, followed by `more` keys. */
async function backedUp(t: TestContext, more = 0) {
  t.after(() => process.chdir(root))
  const folder = new EngineFolder(t)
  const running = await folder.start()
  const blob = await newKey(running)
  const file = join(folder.path, 'run', 'a.backup')
  await backup.run({ argv: [file, '--data', folder.path], env: {} })
  for (let index = 0; index < more; index += 1) await newKey(running)
  await running.stop()
  return { folder, file, blob, rootKey: join(folder.path, 'hsm', 'root.key') }
}

const run = (...argv: string[]) => restore.run({ argv, env: {} })
const refused = (message: RegExp) => ({ name: 'OperatorError', message })

/** Every file below a folder, with its bytes. SQLite's locks are not looked at. */
function contentOf(folder: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile() && !path.includes('lock.db')) found[path] = readFileSync(path, 'base64')
  }
  return found
}

describe('a restore', () => {
  test('into an empty folder brings everything back, for its owner alone', async (t) => {
    const { folder, file, blob, rootKey } = await backedUp(t, 2)
    const empty = new EngineFolder(t)
    rmSync(empty.path, { recursive: true })
    assert.equal(await run(file, '--data', empty.path, '--root-key', rootKey), 0)
    for (const path of Object.keys(contentOf(empty.path))) {
      assert.equal(statSync(path).mode & 0o077, 0, path)
    }
    Object.assign(empty, { key: folder.key })
    const running = await empty.start()
    const opened = await running.call('Decrypt', { CiphertextBlob: blob })
    assert.equal(opened.body['Plaintext'], Plaintext)
    const { body } = await running.call('ListKeys', {})
    assert.equal((body['Keys'] as unknown[]).length, 1)
    await running.stop()
    const names = empty.events().map(({ eventName }) => eventName)
    assert.deepEqual(names, [
      ...['CreateDeployment', 'CreateKey', 'Encrypt', 'Backup', 'Restore', 'Decrypt', 'ListKeys'],
    ])
  })

  test('over a folder whose record the backup continues keeps its root', async (t) => {
    const { folder, file, blob } = await backedUp(t)
    assert.equal(await run(file, '--data', folder.path), 0)
    const running = await folder.start()
    assert.equal((await running.call('Decrypt', { CiphertextBlob: blob })).status, 200)
    await running.stop()
    const names = folder.events().map(({ eventName }) => eventName)
    assert.equal(names.filter((name) => name === 'Restore').length, 1)
  })
})

describe('a restore is refused, and changes nothing,', () => {
  async function untouched(folder: string, message: RegExp, ...argv: string[]): Promise<void> {
    const before = contentOf(folder)
    await assert.rejects(run(...argv, '--data', folder), refused(message))
    assert.deepEqual(contentOf(folder), before)
  }

  test('where it would roll the record back', async (t) => {
    const { folder, file } = await backedUp(t, 1)
    await untouched(
      folder.path,
      /^This would roll the audit record back: the folder's record has 8 entries, the backup's 5\./,
      file,
    )
  })

  test('where the record is another one', async (t) => {
    const { file } = await backedUp(t)
    const { folder } = await backedUp(t)
    await untouched(
      folder.path,
      /^The folder's audit record is not the one that the backup continues: record 0 differs\./,
      file,
    )
  })

  test('where a second process has a record that the backup does not know', async (t) => {
    const { folder, file } = await backedUp(t)
    const journals = join(folder.path, 'journal')
    cpSync(join(journals, 'main'), join(journals, 'two'), { recursive: true })
    await untouched(
      folder.path,
      /^This would roll the audit record back: the folder's record has 5 entries, the backup's 0\./,
      file,
    )
  })

  test('where the root is missing, or there twice', async (t) => {
    const { folder, file, rootKey } = await backedUp(t)
    const other = `${file}.key`
    writeFileSync(other, Buffer.alloc(32, 1))
    await untouched(folder.path, /^The folder has a root key already;/, file, '--root-key', other)
    writeFileSync(other, Buffer.alloc(33, 1))
    await untouched(
      folder.path,
      /is no root key: that is a file of 32 bytes\.$/,
      file,
      '--root-key',
      other,
    )
    renameSync(rootKey, `${rootKey}.away`)
    await untouched(folder.path, /^A backup does not hold the root:/, file)
  })

  test('where the root has a passphrase and a key is given', async (t) => {
    const { folder, file, rootKey } = await backedUp(t)
    const passphrased = `${file}.2`
    copyFileSync(file, passphrased)
    const database = new DatabaseSync(passphrased)
    const { json } = database.prepare('SELECT json FROM manifest').get() ?? {}
    const manifest = JSON.parse(String(json)) as { files: object[] }
    manifest.files.push({ path: 'hsm/root.json', bytes: 0, sha256: '0'.repeat(64) })
    database.prepare('UPDATE manifest SET json = ?').run(JSON.stringify(manifest))
    database.close()
    const twoRoots =
      /^The backup's root is a passphrase, the folder's a key file; restore into an empty/
    await untouched(folder.path, twoRoots, passphrased)
    await untouched(
      folder.path,
      /^The root of this backup has a passphrase, not a key file\.$/,
      passphrased,
      '--root-key',
      rootKey,
    )
  })

  test('of a backup that names what is none of its business', async (t) => {
    const { folder, file } = await backedUp(t)
    const forged = `${file}.2`
    copyFileSync(file, forged)
    const database = new DatabaseSync(forged)
    database.exec("UPDATE archive SET path = '../evil' WHERE path = 'hsm/hierarchy.json'")
    database.exec("UPDATE manifest SET json = replace(json, 'hsm/hierarchy.json', '../evil')")
    database.close()
    await untouched(folder.path, /is no Kagiban backup: its manifest names '\.\.\/evil'$/, forged)
    assert.ok(!existsSync(join(folder.path, '..', 'evil')))
  })

  /** A backup that somebody changed, and whose manifest they made fit. */
  function forge(file: string, change: (database: DatabaseSync) => void): string {
    const forged = `${file}.forged`
    copyFileSync(file, forged)
    const database = new DatabaseSync(forged)
    change(database)
    database.close()
    return forged
  }

  /** Puts `content` in the place of an archived file, or beside them. */
  function put(database: DatabaseSync, path: string, content: Buffer): void {
    const { json } = database.prepare('SELECT json FROM manifest').get() ?? {}
    const manifest = JSON.parse(String(json)) as { files: { path: string }[] }
    const sha256 = createHash('sha256').update(content).digest('hex')
    const files = manifest.files.filter((entry) => entry.path !== path)
    files.push({ path, bytes: content.length, sha256 } as { path: string })
    database.prepare('UPDATE manifest SET json = ?').run(JSON.stringify({ ...manifest, files }))
    database.prepare('DELETE FROM archive WHERE path = ?').run(path)
    const insert = database.prepare('INSERT INTO archive VALUES (?, 0, ?)')
    insert.run(path, deflateSync(content))
  }

  test('of a backup that brings a root along', async (t) => {
    const { file, rootKey } = await backedUp(t)
    const forged = forge(file, (database) => put(database, 'hsm/root.key', Buffer.alloc(32, 7)))
    const empty = new EngineFolder(t)
    const argv = ['--root-key', rootKey]
    const refusal = /is no Kagiban backup: its manifest names 'hsm\/root\.key'$/
    await untouched(empty.path, refusal, forged, ...argv)
  })

  test('of a backup whose store would do things of its own', async (t) => {
    const { folder, file } = await backedUp(t)
    const forged = forge(file, (database) =>
      database.exec('CREATE TRIGGER t AFTER INSERT ON outbox BEGIN DELETE FROM outbox; END'),
    )
    await untouched(folder.path, /: its tables are not those of a backup$/, forged)
  })

  test('of a backup whose store cannot be one', async (t) => {
    const { folder, file } = await backedUp(t)
    const nobody = forge(file, (database) =>
      database.exec("DELETE FROM rows WHERE kind = 'deployment'"),
    )
    await untouched(folder.path, /^The backup's store cannot be used: /, nobody)
    const nonsense = forge(file, (database) => database.exec("UPDATE rows SET body = '{'"))
    await untouched(folder.path, /^The backup's store cannot be used: /, nonsense)
  })

  test('of a backup whose journal is not what it says', async (t) => {
    const { folder, file } = await backedUp(t)
    const fewer = forge(file, (database) => {
      database.exec(`UPDATE manifest SET json = replace(json, '"main":5', '"main":6')`)
    })
    await untouched(
      folder.path,
      /^The backup is damaged: the journal of 'main' has 5 records, its manifest says 6\.$/,
      fewer,
    )
    const segment = readFileSync(join(folder.path, 'journal', 'main', '00000001.seg'))
    segment.writeUInt8(segment.readUInt8(4200) ^ 1, 4200)
    const torn = forge(file, (database) => put(database, 'journal/main/00000001.seg', segment))
    await untouched(folder.path, /^The backup is damaged: /, torn)
  })

  test('of a backup that is damaged, or not there', async (t) => {
    const { folder, file } = await backedUp(t)
    const damaged = `${file}.2`
    copyFileSync(file, damaged)
    const database = new DatabaseSync(damaged)
    database.exec("UPDATE archive SET bytes = x'00' WHERE path LIKE '%.seg'")
    database.close()
    await untouched(folder.path, /^The backup is damaged: journal\/main\/00000001\.seg /, damaged)
    await untouched(folder.path, /^There is no file .*nowhere\.$/, join(file, '..', 'nowhere'))
  })

  test('while the service runs', async (t) => {
    const { folder, file } = await backedUp(t)
    const running = await folder.start()
    await assert.rejects(
      run(file, '--data', folder.path),
      refused(/^The service is running over this folder: stop it first\.$/),
    )
    assert.equal((await running.call('ListKeys', {})).status, 200)
  })
})

describe('a restore that is interrupted', () => {
  /** A folder in which a restore of `file` was interrupted when all was staged. */
  async function committed(t: TestContext) {
    const { folder, file, rootKey, blob } = await backedUp(t)
    const data = new EngineFolder(t)
    Object.assign(data, { key: folder.key })
    await stage(data.path, file, readFileSync(rootKey))
    commitStaging(data.path)
    return { file, rootKey, blob, data, ready: join(data.path, 'restore.ready') }
  }

  test('before all is staged has changed nothing, and is begun anew', async (t) => {
    const { folder, file, rootKey } = await backedUp(t)
    const data = new EngineFolder(t)
    mkdirSync(join(data.path, 'restore.partial', 'hsm'), { recursive: true })
    writeFileSync(join(data.path, 'restore.partial', 'hsm', 'hierarchy.json'), 'half')
    writeFileSync(join(data.path, 'restore.partial', 'more'), 'half')
    assert.equal(await run(file, '--data', data.path, '--root-key', rootKey), 0)
    const restored = readFileSync(join(data.path, 'hsm', 'hierarchy.json'))
    assert.deepEqual(restored, readFileSync(join(folder.path, 'hsm', 'hierarchy.json')))
    assert.ok(!existsSync(join(data.path, 'restore.partial')))
  })

  test('keeps the service from starting until it was given again', async (t) => {
    const { file, rootKey, blob, data, ready } = await committed(t)
    const config = readConfig(['--data', data.path, '--listen', '127.0.0.1:0'], {})
    assert.ok(config !== undefined)
    assert.throws(() => supervise(config), {
      name: 'ConfigError',
      message: `A restore into ${data.path} was interrupted: give the same "kagiban restore" again.`,
    })
    assert.equal(await run(file, '--data', data.path, '--root-key', rootKey), 0)
    assert.ok(!existsSync(ready))
    const running = await data.start()
    assert.equal((await running.call('Decrypt', { CiphertextBlob: blob })).status, 200)
  })

  test('after any of its steps comes to the same', async (t) => {
    const { data } = await committed(t)
    // What the folder holds is older, and every step of the move meets it.
    writeFileSync(join(data.path, 'hsm', 'hierarchy.json'), 'old')
    mkdirSync(join(data.path, 'journal', 'main'))
    writeFileSync(join(data.path, 'journal', 'main', '00000009.seg'), 'old')
    for (const name of ['store.db', 'store.db-wal', 'store.db-shm']) {
      writeFileSync(join(data.path, 'store', name), 'old')
    }
    const steps: ((move: (path: string) => void, folder: string) => void)[] = [
      (move) => move('hsm/hierarchy.json'),
      (move) => move('hsm/root.key'),
      (_, folder) => rmSync(join(folder, 'store', 'store.db-wal')),
      (_, folder) => rmSync(join(folder, 'store', 'store.db-shm')),
      (move) => move('store/store.db'),
      (_, folder) => rmSync(join(folder, 'journal'), { recursive: true }),
      (move) => move('journal'),
      (_, folder) => rmSync(join(folder, 'restore.ready', 'hsm'), { recursive: true }),
      (_, folder) => rmSync(join(folder, 'restore.ready', 'store'), { recursive: true }),
    ]
    const outcomes = [0, ...steps.keys(), steps.length].map((count) => {
      const copy = new EngineFolder(t).path
      cpSync(data.path, copy, { recursive: true })
      const move = (path: string) => renameSync(join(copy, 'restore.ready', path), join(copy, path))
      for (const step of steps.slice(0, count)) step(move, copy)
      assert.equal(finishRestore(copy), true)
      assert.equal(finishRestore(copy), false)
      return Object.entries(contentOf(copy)).map(([path, content]) => [
        relative(copy, path),
        content,
      ])
    })
    // A checkpoint is there if the service had signed one when the backup was made, and so it is with the root log.
    const names = outcomes[0]
      ?.map(([path]) => path)
      .filter((path) => !path?.endsWith('checkpoint') && !path?.startsWith('root-log/'))
    const journal = ['journal/main/00000001.seg', 'journal/main/origin']
    assert.deepEqual(names?.sort(), [
      ...['hsm/hierarchy.json', 'hsm/root.key', ...journal, 'store/store.db'],
    ])
    for (const outcome of outcomes) assert.deepEqual(outcome, outcomes[0])
    assert.ok(!JSON.stringify(outcomes[0]).includes(Buffer.from('old').toString('base64')))
  })
})

test('a backup replaces no file, and leaves none behind where it cannot be made', async (t) => {
  const { folder, file } = await backedUp(t)
  const running = await folder.start()
  const invocation = (target: string) => ({ argv: [target, '--data', folder.path], env: {} })
  await assert.rejects(backup.run(invocation(file)), refused(/exists already; a backup replaces/))
  const target = join(folder.path, 'no', 'folder', 'a.backup')
  await assert.rejects(backup.run(invocation(target)), { code: 'ENOENT' })
  const left = readdirSync(join(folder.path, 'run')).filter((name) => name.startsWith('backup-'))
  assert.deepEqual(left, [])
  mkdirSync(join(folder.path, 'out'))
  writeFileSync(join(folder.path, 'out', 'b.backup.partial'), 'left by a backup that was ended')
  assert.equal(await backup.run(invocation(join(folder.path, 'out', 'b.backup'))), 0)
  assert.deepEqual(readdirSync(join(folder.path, 'out')), ['b.backup'])
  await running.stop()
})
