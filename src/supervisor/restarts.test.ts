import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { auditExport } from '../../tests/support/cli.ts'
import { type Answer, JsonClient } from '../../tests/support/json-client.ts'
import { commandLine, groupMembers, hasProc, statOf } from '../../tests/support/processes.ts'
import { projectRoot, TestServer, temporaryFolder } from '../../tests/support/server.ts'

const skip = hasProc ? false : 'it looks into /proc'

async function until<T>(find: () => T | undefined | false, ms = 30_000): Promise<T> {
  for (let waited = 0; ; waited += 10) {
    const found = find()
    if (found !== undefined && found !== false) return found
    assert.ok(waited < ms, `waited in vain for ${find}`)
    await sleep(10)
  }
}

/** The process of a group that runs a script, and is not the one that is known already. */
function processOf(group: number, script: string, other?: number): number | undefined {
  return groupMembers(group)
    .map(({ pid }) => pid)
    .find((pid) => pid !== other && pid !== group && lineOf(pid).includes(script))
}

function lineOf(pid: number): string {
  try {
    return commandLine(pid)
  } catch {
    return ''
  }
}

const service = 'src/service.ts'
const core = 'src/hsm/main.ts'

async function running(group: number, script: string, other?: number): Promise<number> {
  return until(() => processOf(group, script, other))
}

async function healthy(endpoint: string): Promise<boolean> {
  const answer = await fetch(`${endpoint}/health`, { headers: { connection: 'close' } }).catch(
    () => undefined,
  )
  await answer?.arrayBuffer()
  return answer?.status === 200
}

async function untilHealthy(endpoint: string): Promise<void> {
  for (let round = 0; !(await healthy(endpoint)); round++) {
    assert.ok(round < 1000, 'it does not become healthy again')
    await sleep(20)
  }
}

async function started(t: TestContext, nodeOptions?: string): Promise<TestServer> {
  const server = await TestServer.start(nodeOptions === undefined ? {} : { nodeOptions })
  t.after(() => server.discard())
  return server
}

async function call(server: TestServer, operation: string, input: object): Promise<Answer> {
  const client = new JsonClient(server.endpoint, server.credentials)
  try {
    const answer = await client.call(operation, input)
    assert.ok(answer !== undefined, 'no answer')
    return answer
  } finally {
    client.close()
  }
}

describe('a service that fails', { skip }, () => {
  test('is started again at the same port, over the same state, with another core', async (t) => {
    const server = await started(t)
    const created = await call(server, 'CreateKey', {})
    const { KeyId } = created.body['KeyMetadata'] as { KeyId: string }
    let requestIds = [created.requestId]
    for (const signal of ['SIGKILL', 'SIGABRT'] as const) {
      const [oldService, oldCore] = [
        await running(server.pid, service),
        await running(server.pid, core),
      ]
      process.kill(oldService, signal)
      await running(server.pid, service, oldService)
      await running(server.pid, core, oldCore)
      await untilHealthy(server.endpoint)
      const answer = await call(server, 'GenerateDataKey', { KeyId, KeySpec: 'AES_256' })
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      requestIds = [...requestIds, answer.requestId]
      assert.match(server.stderr, new RegExp(`The service ended by ${signal}\\.`))
      assert.equal(statOf(oldCore)?.state ?? 'gone', 'gone')
    }
    assert.ok(!(server.stdout + server.stderr).includes(server.credentials.secretAccessKey))
    assert.deepEqual(await server.stop(), { code: 0, signal: null })
    const recorded = new Set((await auditExport(server.data)).map(({ requestID }) => requestID))
    assert.deepEqual(
      requestIds.filter((id) => !recorded.has(id)),
      [],
    )
  })

  test('again and again is given up', async (t) => {
    const server = await started(t)
    const ended = server.ended()
    let last: number | undefined
    let kills = 0
    for (let over = false; !over; ) {
      const next = await Promise.race([
        running(server.pid, service, last).catch(() => undefined),
        ended.then(() => undefined),
      ])
      if (next === undefined) break
      // At its first moment, and once it is ready.
      if (kills % 2 === 0) await Promise.race([untilHealthy(server.endpoint), ended])
      last = next
      process.kill(next, 'SIGKILL')
      kills++
      over = kills > 20
    }
    const { code, signal } = await ended
    assert.deepEqual({ code, signal }, { code: 1, signal: null })
    assert.ok(kills === 5 || kills === 6, `${kills} kills`)
    assert.match(server.stderr, /The service fails again and again; all ends\.\n$/)
  })

  test('before it was ever ready is not started again', async (t) => {
    const server = await started(t)
    await server.stop()
    const exit = server.launch()
    process.kill(await running(server.pid, service), 'SIGKILL')
    assert.deepEqual(await exit, { code: 1, signal: null })
    assert.doesNotMatch(server.stderr, /starting it again/)
  })

  test('while it is being stopped is not started again', async (t) => {
    const server = await started(t)
    const [oldService, oldCore] = [
      await running(server.pid, service),
      await running(server.pid, core),
    ]
    // A core that hangs keeps the supervisor waiting between the two services.
    process.kill(oldCore, 'SIGSTOP')
    process.kill(oldService, 'SIGKILL')
    await until(() => server.stderr.includes('The service ended by SIGKILL.'))
    const { code } = await server.stop()
    assert.equal(code, 1)
    assert.doesNotMatch(server.stderr, /starting it again/)
    assert.equal(statOf(oldCore)?.state ?? 'gone', 'gone')
  })
})

describe('a key core', { skip }, () => {
  test('that cannot be started ends the service in words', async (t) => {
    const server = await started(t)
    const ended = server.ended()
    const directory = join(server.data, 'hsm')
    renameSync(directory, `${directory}.away`)
    process.kill(await running(server.pid, core), 'SIGKILL')
    assert.deepEqual(await ended, { code: 1, signal: null })
    renameSync(`${directory}.away`, directory)
    assert.match(server.stderr, /The key core cannot be started: spawn .*ENOENT/)
    assert.match(server.stderr, /The key core cannot start; the service ends\./)
    assert.doesNotMatch(server.stderr, /\n {4}at /)
    await server.restart()
    assert.deepEqual(await server.stop(), { code: 0, signal: null })
  })

  test('that hangs is ended once it was silent for too long, and its successor answers', {
    skip: process.env['SLOW'] === '1' ? false : 'it takes half a minute; SLOW=1 runs it',
  }, async (t) => {
    const server = await started(t)
    const hanging = await running(server.pid, core)
    process.kill(hanging, 'SIGSTOP')
    // Its caller does not wait that long; the service does.
    const asked = await call(server, 'GenerateRandom', { NumberOfBytes: 8 }).catch(() => undefined)
    assert.equal(asked, undefined)
    await until(() => server.stderr.includes('The key core ended; starting another.'), 60_000)
    const answer = await call(server, 'GenerateRandom', { NumberOfBytes: 8 })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    assert.equal(statOf(hanging)?.state ?? 'gone', 'gone')
    assert.notEqual(await running(server.pid, core), hanging)
    assert.equal(await healthy(server.endpoint), true)
    assert.deepEqual(await server.stop(), { code: 0, signal: null })
  })

  test('that dies together with the service, in whatever order', async (t) => {
    const server = await started(t)
    for (const order of [[service, core] as const, [core, service] as const]) {
      await sleep(2_100)
      const pids = [await running(server.pid, order[0]), await running(server.pid, order[1])]
      for (const pid of pids) killed(pid)
      for (const [n, script] of order.entries()) await running(server.pid, script, pids[n])
      await untilHealthy(server.endpoint)
      assert.equal((await call(server, 'GenerateRandom', { NumberOfBytes: 8 })).status, 200)
    }
    assert.equal(groupMembers(server.pid).length, 3)
    assert.deepEqual(await server.stop(), { code: 0, signal: null })
  })
})

test('nobody has to read what it says', { skip }, async (t) => {
  const folder = temporaryFolder()
  const child = spawn(
    process.execPath,
    [join(projectRoot, 'src/main.ts'), '--data', join(folder, 'data'), '--listen', '127.0.0.1:0'],
    { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: {} },
  )
  const { pid } = child
  assert.ok(pid !== undefined)
  const ended = new Promise<unknown>((resolve) => child.once('exit', resolve))
  t.after(async () => {
    for (const { pid: member } of groupMembers(pid)) process.kill(member, 'SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  })
  let output = ''
  child.stdout.on('data', (text) => {
    output += text
  })
  const endpoint = await until(() => /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0])
  await untilHealthy(endpoint)
  child.stdout.destroy()
  child.stderr.destroy()
  // The supervisor complains, then the service that is started again prints its banner.
  const [oldService, oldCore] = [await running(pid, service), await running(pid, core)]
  process.kill(oldCore, 'SIGKILL')
  const newCore = await running(pid, core, oldCore)
  await untilHealthy(endpoint)
  assert.equal(await running(pid, service), oldService)
  process.kill(oldService, 'SIGKILL')
  const newService = await running(pid, service, oldService)
  await running(pid, core, newCore)
  await untilHealthy(endpoint)
  await sleep(300)
  assert.equal(await healthy(endpoint), true)
  assert.equal(await running(pid, service), newService)
  process.kill(pid, 'SIGTERM')
  assert.equal(await ended, 0)
})

test('of NODE_OPTIONS the service takes only what is for diagnosis, and says so', {
  skip,
}, async (t) => {
  const folder = temporaryFolder()
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const probe = join(folder, 'probe.mjs')
  writeFileSync(probe, '')
  const server = await started(t, `--import=${probe} --max-old-space-size=2048`)
  const environment = readFileSync(`/proc/${await running(server.pid, service)}/environ`, 'utf8')
  assert.match(environment, /(^|\0)NODE_OPTIONS=--max-old-space-size=2048\0/)
  assert.match(server.stderr, /The service does not take --import from NODE_OPTIONS\./)
  assert.ok(!server.stderr.includes(probe))
  const coreEnvironment = readFileSync(`/proc/${await running(server.pid, core)}/environ`, 'utf8')
  assert.doesNotMatch(coreEnvironment, /NODE_OPTIONS/)
})

/** Whoever ends it first: the supervisor ends the one soon after the other. */
function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
