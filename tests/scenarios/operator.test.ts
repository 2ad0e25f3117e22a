import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { auditExport, createAccount, kagiban, kagibanOk, run } from '../support/cli.ts'
import { present } from '../support/expect.ts'
import { JsonClient } from '../support/json-client.ts'
import { Seeded } from '../support/seeded.ts'
import { projectRoot, TestServer, temporaryFolder } from '../support/server.ts'
import type { Credentials } from '../support/signer.ts'
import { World } from '../support/world.ts'

describe('the operator', () => {
  let server: TestServer
  let folder: string

  before(async () => {
    folder = temporaryFolder()
    server = await TestServer.start()
  })
  after(async () => {
    await server.discard()
    rmSync(folder, { recursive: true, force: true })
  })

  test('finds its command in a clone, without the network', async () => {
    const { code, stdout } = await run('npx', ['--no', '--offline', 'kagiban', '--help'])
    assert.equal(code, 0)
    assert.match(stdout, /^Usage: kagiban COMMAND/)
  })

  test('gets help for every command', async () => {
    const commands = [
      [],
      ['start'],
      ['status'],
      ['account', 'create'],
      ['audit', 'export'],
      ['audit', 'verify'],
      ['audit', 'checkpoint'],
      ['audit', 'key'],
      ['audit', 'prove'],
      ['audit', 'check-proof'],
      ['backup'],
      ['restore'],
    ]
    for (const command of commands) {
      const { code, stdout, stderr } = await kagiban(...command, '--help')
      assert.equal(code, 0, command.join(' '))
      assert.match(stdout, /^Usage: /, command.join(' '))
      assert.equal(stderr, '')
    }
  })

  test('learns by the exit code that a command was not understood', async () => {
    const { data } = server
    const mistakes = [
      [],
      ['dance'],
      ['status', '--colour', '--data', data],
      ['account', 'create', '--data', data],
      ['backup', '--data', data],
      ['start', '--listen', 'nowhere', '--data', data],
    ]
    for (const mistake of mistakes) {
      const { code, stderr } = await kagiban(...mistake)
      assert.equal(code, 2, `${mistake.join(' ')}: ${stderr}`)
      assert.ok(stderr.length > 0)
    }
  })

  test('learns by the exit code that a command could not be done, and why', async () => {
    const empty = join(folder, 'empty')
    mkdirSync(empty)
    for (const command of [
      ['status'],
      ['audit', 'export'],
      ['account', 'create', '444455556666'],
    ]) {
      const { code, stderr } = await kagiban(...command, '--data', empty)
      assert.equal(code, 1, command.join(' '))
      assert.match(stderr, /There is no Kagiban data in /)
    }
    const { code, stderr } = await kagiban('account', 'create', 'abc', '--data', server.data)
    assert.equal(code, 1)
    assert.match(stderr, /twelve digits/)
  })

  test('sees how the service is, makes accounts and exports the record, whether it runs or not', async () => {
    const { data } = server
    const running = await status()
    assert.deepEqual(running, {
      running: true,
      healthy: true,
      endpoint: server.endpoint,
      account: server.account,
      regions: ['us-east-1'],
    })
    const first = await createAccount(data, '222233334444')
    assert.equal(await statusFor(first), 200)
    const before = await auditExport(data)
    assert.ok(before.length >= 3)
    await server.stop()
    assert.deepEqual(await auditExport(data), before)
    assert.deepEqual(await status(), {
      running: false,
      healthy: true,
      account: server.account,
      regions: ['us-east-1'],
    })
    const second = await createAccount(data, '333344445555')
    await founds('999999999999', /111122223333/)
    await server.restart()
    assert.equal(await statusFor(second), 200)

    const events = (await auditExport(data)).filter(
      ({ eventName, eventSource }) =>
        eventName === 'CreateAccount' && eventSource.startsWith('operator.'),
    )
    assert.deepEqual(
      events.map(({ recipientAccountId }) => recipientAccountId),
      ['222233334444', '333344445555'],
    )
    const text = JSON.stringify(events)
    for (const { accessKeyId, secretAccessKey } of [first, second]) {
      assert.ok(text.includes(accessKeyId))
      assert.ok(!text.includes(secretAccessKey))
    }
  })

  async function status(): Promise<Record<string, unknown>> {
    const text = await kagibanOk('status', '--json', '--data', server.data)
    const shown = JSON.parse(text) as Record<string, unknown>
    const { running, healthy, endpoint, account, regions } = shown
    const all = { running, healthy, endpoint, account, regions }
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  }

  async function statusFor(credentials: Credentials): Promise<number> {
    const client = new JsonClient(server.endpoint, credentials)
    const answer = present(await client.call('ListKeys', {}))
    client.close()
    return answer.status
  }

  /** What a folder was founded with cannot be changed by the environment afterwards. */
  async function founds(account: string, refusal: RegExp): Promise<void> {
    const env = { PATH: process.env['PATH'], KAGIBAN_ACCOUNT: account }
    const main = join(projectRoot, 'src/main.ts')
    const args = [main, '--data', server.data, '--listen', '127.0.0.1:0']
    const { code, stderr } = await run(process.execPath, args, { env, timeoutMs: 30_000 })
    assert.notEqual(code, 0)
    assert.match(stderr, refusal)
  }

  test('cannot start a second service over the folder', async () => {
    const twin = TestServer.over(server.data, server.credentials)
    const exit = await Promise.race([twin.launch(), sleep(30_000, undefined, { ref: false })])
    await twin.kill9()
    assert.ok(exit !== undefined && exit.code !== 0, `a second service runs: ${twin.stdout}`)
    assert.match(twin.stdout + twin.stderr, /lock|running|another/i)
    assert.equal((await fetch(`${server.endpoint}/health`)).status, 200, 'the first one goes on')
  })
})

describe('backup and restore', () => {
  let server: TestServer
  let folder: string
  let world: World
  let file: string
  let rootKey: string

  before(async () => {
    folder = temporaryFolder()
    file = join(folder, 'kagiban.backup')
    rootKey = join(folder, 'root.key')
    server = await TestServer.start()
    world = new World(server.account)
    const random = Seeded.fromEnvironment()
    const until = performance.now() + 500
    await world.work(server, random, () => performance.now() > until)
    // The backup is taken while others work; the world that is verified later has stopped before.
    let done = false
    const others = new World(server.account)
    const working = others.work(server, random, () => done)
    try {
      await kagibanOk('backup', file, '--data', server.data)
    } finally {
      done = true
      await working
    }
    copyFileSync(join(server.data, 'hsm', 'root.key'), rootKey)
  })
  after(async () => {
    await server.discard()
    rmSync(folder, { recursive: true, force: true })
  })

  /** What was acknowledged before the backup; of what came during it some may be there. */
  async function startsWithEverything(data: string): Promise<void> {
    const restored = TestServer.over(data, server.credentials)
    try {
      await restored.restart()
      await world.verify(restored, 'others may be there')
      world.verifyRecord(await auditExport(data))
    } finally {
      await restored.discard()
    }
  }

  test('a backup does not hold the root, and replaces no file', async () => {
    assert.ok(!readFileSync(file).includes(readFileSync(rootKey)))
    const { code, stderr } = await kagiban('backup', file, '--data', server.data)
    assert.equal(code, 1)
    assert.match(stderr, /exists already/)
  })

  test('a backup is recorded', async () => {
    const events = await auditExport(server.data)
    assert.ok(events.some(({ eventName }) => eventName === 'Backup'))
  })

  test('a restored folder has the same keys, opens the same ciphertexts, and says that it was restored', async () => {
    const data = join(folder, 'restored')
    await kagibanOk('restore', file, '--data', data, '--root-key', rootKey)
    await startsWithEverything(data)
    const events = await auditExport(data)
    assert.ok(events.some(({ eventName }) => eventName === 'Restore'))
  })

  test('a restore needs the root', async () => {
    const data = join(folder, 'rootless')
    const { code, stderr } = await kagiban('restore', file, '--data', data)
    assert.equal(code, 1)
    assert.match(stderr, /root/)
    assert.ok(!existsSync(join(data, 'store', 'store.db')))
  })

  test('a restore over a running service is refused', async () => {
    const { code, stderr } = await kagiban('restore', file, '--data', server.data)
    assert.equal(code, 1)
    assert.match(stderr, /running/)
  })

  test('a restore that would roll the audit record back is refused, and changes nothing', async () => {
    const client = new JsonClient(server.endpoint, server.credentials)
    const answer = present(await client.call('ListKeys', {}))
    client.close()
    await server.stop()
    const { code, stderr } = await kagiban('restore', file, '--data', server.data)
    assert.equal(code, 1)
    assert.match(stderr, /roll the audit record back/)
    const recorded = await auditExport(server.data)
    assert.ok(recorded.some(({ requestID }) => requestID === answer.requestId))
    await server.restart()
    await world.verify(server, 'others may be there')
  })

  test('a damaged backup is refused', async () => {
    const damaged = join(folder, 'damaged.backup')
    copyFileSync(file, damaged)
    flipInArchive(damaged)
    const data = join(folder, 'from-damaged')
    const { code, stderr } = await kagiban(
      'restore',
      damaged,
      '--data',
      data,
      '--root-key',
      rootKey,
    )
    assert.equal(code, 1, stderr)
    assert.match(stderr, /damaged/)
    assert.ok(!existsSync(join(data, 'store', 'store.db')))
    const nonsense = join(folder, 'nonsense.backup')
    writeFileSync(nonsense, 'nonsense')
    const other = await kagiban('restore', nonsense, '--data', data, '--root-key', rootKey)
    assert.equal(other.code, 1)
    assert.match(other.stderr, /no Kagiban backup/)
  })
})

/** Flips a bit of a journal's segment, inside of the archive: SQLite itself does not notice. */
function flipInArchive(file: string): void {
  const database = new DatabaseSync(file)
  const segments = "FROM archive WHERE path LIKE 'journal/%.seg' LIMIT 1"
  const row = database.prepare(`SELECT rowid AS id, bytes ${segments}`).get()
  const bytes = Buffer.from(row?.['bytes'] as Uint8Array)
  const place = Math.floor(bytes.length / 2)
  bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place)
  database.prepare('UPDATE archive SET bytes = ? WHERE rowid = ?').run(bytes, Number(row?.['id']))
  database.close()
}
