import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { auditExport } from '../support/cli.ts'
import { present } from '../support/expect.ts'
import {
  byteAt,
  checkpointSize,
  endOfData,
  findInJournal,
  overwrite,
  type Place,
  segmentFiles,
} from '../support/journal-files.ts'
import { JsonClient } from '../support/json-client.ts'
import { Seeded } from '../support/seeded.ts'
import { TestServer, temporaryFolder } from '../support/server.ts'
import { World } from '../support/world.ts'

const kills = process.env['SLOW'] === '1' ? 50 : 5

test(`nothing acknowledged is lost over ${kills} kills under load`, async (t) => {
  const random = Seeded.fromEnvironment()
  t.diagnostic(`seed ${random.seed}; SEED=${random.seed} runs it again`)
  const server = await TestServer.start({ segmentBytes: 1024 * 1024 })
  const world = new World(server.account)
  try {
    for (let kill = 1; kill <= kills; kill++) {
      let killed = false
      const working = world.work(server, random, () => killed)
      await sleep(random.between(50, 900))
      await server.kill9()
      killed = true
      await working
      if (random.chance(0.3)) await killWhileStarting(server, random)
      await server.restart()
      await world.verifyRecent(server, random)
      world.verifyRecord(await auditExport(server.data))
      if (kill % 10 === 0) t.diagnostic(`${kill} kills: ${world.summary}`)
    }
    await world.verify(server)
    assert.ok(world.answers > kills * 20, `only ${world.summary}`)
    t.diagnostic(world.summary)
    await startsElsewhere(server, world)
  } catch (error) {
    t.diagnostic(`the server said: ${(server.stdout + server.stderr).slice(-4000)}`)
    throw error
  } finally {
    await server.discard()
  }
})

/** Recovery itself may be cut short. */
async function killWhileStarting(server: TestServer, random: Seeded): Promise<void> {
  const ended = server.launch()
  await sleep(random.between(0, 700))
  await server.kill9()
  await ended
}

/** A copy of the folder, taken while nothing runs, is the same deployment at another place. */
async function startsElsewhere(server: TestServer, world: World): Promise<void> {
  await server.kill9()
  const folder = temporaryFolder()
  try {
    const copy = join(folder, 'somewhere', 'else')
    mkdirSync(join(folder, 'somewhere'))
    cpSync(server.data, copy, { recursive: true })
    const twin = TestServer.over(copy, server.credentials)
    try {
      await twin.restart()
      await world.verify(twin)
      world.verifyRecord(await auditExport(copy))
    } finally {
      await twin.discard()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('a journal that was touched', () => {
  let server: TestServer
  let requestIds: string[]

  before(async () => {
    server = await TestServer.start({ segmentBytes: 64 * 1024 })
    requestIds = await describeMany(400)
    assert.equal((await server.stop()).code, 0)
    const segments = segmentFiles(server.data)
    assert.ok(segments.length >= 3, `the test needs several segments: ${segments.join(', ')}`)
  })
  after(() => server.discard())

  async function describeMany(count: number): Promise<string[]> {
    const client = new JsonClient(server.endpoint, server.credentials)
    const ids: string[] = []
    for (let i = 0; i < count; i++) {
      const answer = await client.call('DescribeKey', { KeyId: 'no-such-key' })
      ids.push(present(answer).requestId)
    }
    client.close()
    return ids
  }

  async function allRecorded(): Promise<void> {
    const recorded = new Set((await auditExport(server.data)).map((event) => event.requestID))
    assert.deepEqual(
      requestIds.filter((id) => !recorded.has(id)),
      [],
    )
  }

  test('is cut behind its last record when garbage follows, and goes on', async () => {
    for (const garbage of [randomBytes(700), Buffer.alloc(64, 0xff), Buffer.from([1])]) {
      const { file } = findInJournal(server.data, present(requestIds.at(-1)))
      overwrite(endOfData(file), garbage)
      await server.restart()
      requestIds.push(...(await describeMany(3)))
      await allRecorded()
      assert.equal((await server.stop()).code, 0)
    }
    await server.restart()
    await allRecorded()
    assert.equal((await server.stop()).code, 0)
  })

  test('stops the start when a byte of an acknowledged record was flipped', async () => {
    assert.ok(checkpointSize(server.data) >= requestIds.length)
    const places = {
      'the first segment': findInJournal(server.data, present(requestIds[0])),
      'a segment in the middle': findInJournal(server.data, present(requestIds[200])),
      'the last segment': findInJournal(server.data, present(requestIds.at(-1))),
    }
    assert.equal(new Set(Object.values(places).map(({ file }) => file)).size, 3)
    for (const [where, place] of Object.entries(places)) await refusesFlipped(where, place)
    await server.restart()
    await allRecorded()
    assert.equal((await server.stop()).code, 0)
  })

  async function refusesFlipped(where: string, place: Place): Promise<void> {
    const original = byteAt(place)
    overwrite(place, Buffer.from([original ^ 1]))
    const outputBefore = server.stdout.length + server.stderr.length
    const exit = await Promise.race([server.launch(), sleep(30_000, undefined, { ref: false })])
    const said = (server.stdout + server.stderr).slice(-4000)
    await server.kill9()
    assert.ok(exit !== undefined, `${where}: the server started over a flipped byte`)
    assert.notEqual(exit.code, 0, `${where}: ${said}`)
    assert.ok(server.stdout.length + server.stderr.length > outputBefore, `${where}: no word`)
    assert.ok(said.includes(basename(place.file)), `${where}: names no file: ${said}`)
    const offset = Number(
      /(?:offset|byte)\D{0,3}(\d+)/.exec(said.slice(said.indexOf(basename(place.file))))?.[1],
    )
    assert.ok(
      offset <= place.offset && offset > place.offset - 65_536,
      `${where}: offset ${offset} for a byte at ${place.offset}: ${said}`,
    )
    overwrite(place, Buffer.from([original]))
  }
})
