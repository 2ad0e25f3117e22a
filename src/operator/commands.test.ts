import assert from 'node:assert/strict'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import { parseAccountId } from '../base/ids.ts'
import { systemRandom } from '../base/random.ts'
import { Identities } from '../identities/identities.ts'
import { openJournal } from '../journal/journal.ts'
import { readRecords } from '../journal/reader.ts'
import { publicKey, signWithKey, temporaryDirectory } from '../journal/testing/fixtures.ts'
import { commitRecorded } from '../record/commit.ts'
import { materialRow } from '../services/kms/state.ts'
import { createMemoryStore } from '../storage/memory/store.ts'
import { jsonCodec, Mirror } from '../storage/mirror.ts'
import { ownOutbox } from '../storage/own-outbox.ts'
import { openSqliteStore } from '../storage/sqlite/store.ts'
import { account, House, otherAccount, region } from '../testing/house.ts'
import { DomainKeys } from '../upkeep/domain-keys.ts'
import { Accounts, newAccessKey } from './accounts.ts'
import { operatorCommands } from './commands.ts'
import { Quotas } from './quotas.ts'
import type { Command } from './socket.ts'

const third = '777788889999'

async function opened(t: TestContext) {
  const house = await House.open(t)
  const domainKeys = new DomainKeys({
    hsm: house.hsm,
    mirror: house.mirror,
    materials: house.state.materials,
    materialRow,
    clock: house.clock,
    rotateAfterMs: Number.POSITIVE_INFINITY,
    recordRotation: () => assert.fail('nothing rotates by itself'),
  })
  const commands = operatorCommands({
    ...house,
    ...house.tables,
    domainKeys,
    random: systemRandom,
    endpoint: () => 'https://kms.test',
    keys: () => house.state.keys.size,
    exports: { status: () => [] },
    runDirectory: temporaryDirectory(t),
  })
  const progress: string[] = []
  const run = async (name: string, input: object = {}) => {
    const command = commands[name]
    assert.ok(command !== undefined)
    const result = await command({ operator: 'mona', ...input }, (text) => progress.push(text))
    return result as Record<string, unknown>
  }
  return { house, run, progress }
}

/** The house's records as another process sees them. */
async function elsewhere(house: House) {
  const mirror = new Mirror(createMemoryStore(house.shared))
  const accounts = new Accounts(mirror, new Identities(mirror))
  await mirror.load()
  return { mirror, accounts }
}

const refused = (message: string) => ({ name: 'OperatorError', message })

describe('account-create', () => {
  test('makes an account whose root user can sign at once, and is recorded', async (t) => {
    const { house, run } = await opened(t)
    const created = await run('account-create', { account: third })
    const { accessKeyId, secretAccessKey } = created as Record<string, string>
    assert.ok(accessKeyId !== undefined && secretAccessKey !== undefined)
    assert.deepEqual(Object.keys(created), ['account', 'accessKeyId', 'secretAccessKey'])
    assert.match(accessKeyId, /^AKIA[A-Z2-7]{16}$/)
    assert.match(secretAccessKey, /^[A-Za-z0-9+/]{40}$/)
    const [event, ...more] = house.journal.events
    assert.deepEqual(more, [])
    assert.deepEqual(event?.userIdentity, {
      type: 'Operator',
      userName: 'mona',
      accountId: account,
    })
    assert.deepEqual(
      [event?.eventName, event?.eventSource, event?.recipientAccountId, event?.awsRegion],
      ['CreateAccount', 'operator.kagiban.internal', third, region],
    )
    assert.deepEqual(event?.serviceEventDetails, { account: third, accessKeyId })
    assert.ok(!house.journal.records.join().includes(secretAccessKey))
    const rows = JSON.stringify([...house.shared.rows.values()])
    assert.ok(rows.includes(accessKeyId) && !rows.includes(secretAccessKey))
    const answer = await house.call('ListKeys', {}, { key: { accessKeyId, secretAccessKey } })
    assert.equal(answer.status, 200)
  })

  test('refuses what is no account id', async (t) => {
    const { house, run } = await opened(t)
    for (const bad of ['', '12345678901', '1234567890123', '12345678901a', ' 12345678901']) {
      await assert.rejects(
        run('account-create', { account: bad }),
        refused('An account id is twelve digits.'),
      )
    }
    for (const bad of [undefined, null, 123456789012, ['123456789012']]) {
      await assert.rejects(
        run('account-create', { account: bad }),
        refused("'account' is missing."),
      )
    }
    assert.equal(house.journal.size, 0)
  })

  test('makes no account twice: not in turn, not at once, not when another process made it', async (t) => {
    const { house, run } = await opened(t)
    const exists = (id: string) => refused(`Account ${id} exists already.`)
    await assert.rejects(run('account-create', { account }), exists(account))
    const results = await Promise.allSettled([
      run('account-create', { account: third }),
      run('account-create', { account: third }),
    ])
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    const rejected = results.find((result) => result.status === 'rejected')
    assert.equal(rejected?.reason.message, `Account ${third} exists already.`)
    assert.equal(house.journal.size, 1)
    const fourth = parseAccountId('123123123123')
    assert.ok(fourth !== undefined)
    const { mirror, accounts } = await elsewhere(house)
    const puts = await accounts.create(fourth, newAccessKey(systemRandom), 0, house.hsm)
    await mirror.commit(puts, [])
    await assert.rejects(run('account-create', { account: fourth }), exists(fourth))
  })

  test('names an operator that says nothing of itself, and bounds one that says much', async (t) => {
    const { house, run } = await opened(t)
    await run('account-create', { account: third, operator: undefined })
    await run('account-create', { account: '123123123123', operator: 'x'.repeat(100) })
    const names = house.journal.events.map(({ userIdentity }) => userIdentity['userName'])
    assert.deepEqual(names, ['unknown', 'x'.repeat(64)])
  })
})

describe('domain-key-rotate', () => {
  test('rotates, re-wraps what there is, and is recorded', async (t) => {
    const { house, run, progress } = await opened(t)
    await house.newKey()
    await house.newKey()
    const before = house.journal.events.length
    assert.deepEqual(await run('domain-key-rotate'), {
      rotated: [{ region, generation: 2, rewrapped: 2 }],
    })
    assert.deepEqual(progress, [`${region}: 2 of 2 key materials re-wrapped`])
    const [event, ...more] = house.journal.events.slice(before)
    assert.deepEqual(more, [])
    assert.equal(event?.eventName, 'RotateDomainKey')
    assert.deepEqual(event?.serviceEventDetails, { region, generation: 2 })
    assert.deepEqual(await run('domain-key-rotate', { region }), {
      rotated: [{ region, generation: 3, rewrapped: 2 }],
    })
  })

  test('refuses a Region that is not served', async (t) => {
    const { house, run } = await opened(t)
    for (const other of ['eu-west-1', 'nowhere', '']) {
      await assert.rejects(
        run('domain-key-rotate', { region: other }),
        refused('This deployment serves us-east-1.'),
      )
    }
    await assert.rejects(run('domain-key-rotate', { region: 1 }), refused("'region' is missing."))
    assert.equal(house.journal.size, 0)
  })
})

test('status says how everything is', async (t) => {
  const { house, run } = await opened(t)
  await house.newKey()
  assert.deepEqual(await run('status'), {
    healthy: true,
    objectsHealthy: true,
    buckets: 0,
    failure: undefined,
    endpoint: 'https://kms.test',
    account,
    regions: [region],
    accounts: 2,
    keys: 1,
    records: 2,
    journal: house.journal.status(),
    exports: [],
    log: undefined,
    trails: undefined,
    keyCore: await house.hsm.status(),
  })
  assert.ok(house.accounts.exists(otherAccount))
  const { mirror, accounts } = await elsewhere(house)
  const fourth = parseAccountId('123123123123')
  assert.ok(fourth !== undefined)
  await mirror.commit(await accounts.create(fourth, newAccessKey(systemRandom), 0, house.hsm), [])
  assert.equal((await run('status'))['accounts'], 3, 'what another process made is seen')
  house.journal.break('EIO')
  const { healthy, failure } = await run('status')
  assert.deepEqual([healthy, failure], [false, 'EIO'])
})

describe('backup-snapshot', () => {
  test('is the store and the number of records that belong to it, while changes go on', async (t) => {
    const { commands, changes, journal, folder } = await running(t)
    const writing = changes()
    const snapshots: { file: string; records: number }[] = []
    for (let index = 0; index < 5; index += 1) {
      await new Promise((resolve) => setTimeout(resolve, 15))
      const taken = await commands['backup-snapshot']?.({}, () => {})
      snapshots.push(taken as { file: string; records: number })
    }
    const count = await writing.stop()
    await journal.close()
    assert.ok(count > 50, `only ${count} changes were made`)
    const all = [...readRecords(join(folder, 'journal'))].map(
      ({ record }) => (JSON.parse(record) as { eventID: string }).eventID,
    )
    for (const { file, records } of snapshots) {
      assert.equal(statSync(file).mode & 0o777, 0o600)
      const { rows, outbox } = contentOf(file)
      const known = new Set(all.slice(0, records))
      const unrecorded = [...rows].filter((id) => !known.has(id) && !outbox.has(id))
      assert.deepEqual(unrecorded, [], 'changes that the record would not know')
      const lost = all.slice(0, records).filter((id) => id.startsWith('change-') && !rows.has(id))
      assert.deepEqual(lost, [], 'records of changes that the store would not know')
    }
  })

  /** A store and a journal on disk, and something that changes them as fast as it can. */
  async function running(t: TestContext) {
    const folder = temporaryDirectory(t)
    mkdirSync(join(folder, 'run'))
    const store = ownOutbox(await openSqliteStore({ file: join(folder, 'store.db') }), 'main')
    t.after(() => store.close())
    const journal = await openJournal({
      directory: join(folder, 'journal'),
      node: 'main',
      segmentBytes: 64 * 1024,
      sign: signWithKey,
      publicKey,
      clock: { now: () => 0 },
      random: systemRandom,
    })
    const mirror = new Mirror(store)
    const accounts = new Accounts(mirror, new Identities(mirror))
    const quotas = new Quotas(mirror, [])
    const table = mirror.table<number>('change', jsonCodec())
    await mirror.load()
    await mirror.commit([accounts.found({ account, regions: [region], createdAt: 0 })], [])
    const recorder = { store, mirror, journal }
    const unused = {} as never
    const commands: Readonly<Record<string, Command>> = operatorCommands({
      ...recorder,
      accounts,
      quotas,
      guardrails: unused,
      hsm: unused,
      domainKeys: unused,
      s3: { rows: { size: 0 } },
      objects: { healthy: true },
      clock: { now: () => 0 },
      random: systemRandom,
      endpoint: () => undefined,
      keys: () => 0,
      exports: { status: () => [] },
      runDirectory: join(folder, 'run'),
    })
    const changes = () => {
      let count = 0
      let stopped = false
      const writers = Array.from({ length: 4 }, async () => {
        while (!stopped) {
          const id = `change-${count++}`
          const event = { id, record: JSON.stringify({ eventID: id }) }
          await commitRecorded(recorder, [table.put(id, 1)], [event])
        }
      })
      const stop = async () => {
        stopped = true
        await Promise.all(writers)
        return count
      }
      return { stop }
    }
    return { commands, changes, journal, folder }
  }

  function contentOf(file: string) {
    const database = new DatabaseSync(file, { readOnly: true })
    const ids = (sql: string) =>
      new Set(
        database
          .prepare(sql)
          .all()
          .map((row) => String(row['id'])),
      )
    const rows = ids("SELECT id FROM rows WHERE kind = 'change'")
    const outbox = ids("SELECT replace(event_id, 'main:', '') AS id FROM outbox")
    database.close()
    return { rows, outbox }
  }
})
