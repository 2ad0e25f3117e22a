import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { auditExport } from '../tests/support/cli.ts'
import { checkpointSize, entriesIn } from '../tests/support/journal-files.ts'
import { JsonClient } from '../tests/support/json-client.ts'
import { commandLine, groupMembers, hasProc } from '../tests/support/processes.ts'
import { TestServer, temporaryFolder } from '../tests/support/server.ts'

const skip = hasProc ? false : 'it looks into /proc'
const Plaintext = Buffer.from('plaintext').toString('base64')

/** The children of a server, by what they run; undefined while one is dying or coming. */
function present(server: TestServer) {
  const running = groupMembers(server.pid).map(({ pid }) => ({ pid, line: commandLine(pid) }))
  const pidOf = (script: string) => running.find(({ line }) => line.includes(script))?.pid
  return { service: pidOf('src/service.ts'), core: pidOf('src/hsm/main.ts') }
}

function children(server: TestServer): { readonly service: number; readonly core: number } {
  const { service, core } = present(server)
  assert.ok(service !== undefined && core !== undefined)
  return { service, core }
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 20) {
    assert.ok(waited < 20_000, 'waited too long')
    await sleep(20)
  }
}

/** Clients that encrypt and decrypt until `stop`, or until their connection ends. */
function load(server: TestServer, KeyId: string) {
  const requestIds: string[] = []
  const failed: unknown[] = []
  let stopped = false
  const clients = Array.from({ length: 8 }, async () => {
    const client = new JsonClient(server.endpoint, server.credentials)
    while (!stopped) {
      const encrypted = await client.call('Encrypt', { KeyId, Plaintext })
      if (encrypted === undefined) break
      requestIds.push(encrypted.requestId)
      if (encrypted.status !== 200) failed.push(encrypted.body)
      const CiphertextBlob = encrypted.body['CiphertextBlob']
      const decrypted = await client.call('Decrypt', { CiphertextBlob })
      if (decrypted === undefined) break
      requestIds.push(decrypted.requestId)
      if (decrypted.body['Plaintext'] !== Plaintext) failed.push(decrypted.body)
    }
    client.close()
  })
  const stop = async () => {
    stopped = true
    await Promise.all(clients)
  }
  return { requestIds, failed, stop, ended: Promise.all(clients) }
}

test('a core that is killed is replaced, a supervisor that is killed takes all with it, and nothing is lost', {
  skip,
}, async (t) => {
  const server = await TestServer.start()
  try {
    const setup = new JsonClient(server.endpoint, server.credentials)
    const created = await setup.call('CreateKey', {})
    assert.ok(created !== undefined)
    const { KeyId } = created.body['KeyMetadata'] as { KeyId: string }

    const before = children(server)
    const during = load(server, KeyId)
    // Not a span of time: how many answers come in one depends on the machine.
    const moreAnswers = (more: number) => {
      const seen = during.requestIds.length
      return until(() => during.requestIds.length >= seen + more)
    }
    for (const round of [1, 2]) {
      await moreAnswers(30)
      const { core } = children(server)
      process.kill(core, 'SIGKILL')
      await until(() => ![core, undefined].includes(present(server).core))
      await until(() => server.stderr.split('starting another').length > round)
    }
    await moreAnswers(30)
    await during.stop()
    assert.deepEqual(during.failed, [])
    const after = children(server)
    assert.equal(after.service, before.service, 'the service went on')
    assert.notEqual(after.core, before.core)

    const last = load(server, KeyId)
    await sleep(300)
    process.kill(server.pid, 'SIGKILL')
    // Ended means that every process of its group has.
    const exit = await server.ended()
    assert.equal(exit.signal, 'SIGKILL')
    await last.ended
    setup.close()
    assert.deepEqual(last.failed, [])
    const events = await auditExport(server.data)
    const covered = checkpointSize(server.data)
    assert.equal(covered, entriesIn(server.data), 'it drained: the record is sealed')
    const recorded = new Set(events.map(({ requestID }) => requestID))
    const answered = [...during.requestIds, ...last.requestIds]
    assert.deepEqual(
      answered.filter((id) => !recorded.has(id)),
      [],
    )
    t.diagnostic(`${answered.length} answers`)
    await server.restart()
    assert.deepEqual(await server.stop(), { code: 0, signal: null })
  } finally {
    await server.discard()
  }
})

test('both children are confined: no files but their own, no secrets from outside, no core dumps', {
  skip,
}, async () => {
  const server = await TestServer.start()
  try {
    const { service, core } = children(server)
    const argumentsOf = (pid: number) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        .split('\0')
        .filter((text) => text.startsWith('--'))
    for (const pid of [service, core]) {
      assert.ok(argumentsOf(pid).includes('--permission'))
      assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m)
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
      assert.doesNotMatch(environment, /KAGIBAN|HOME|PATH=/)
      assert.ok(!environment.includes(server.credentials.secretAccessKey))
      const line = argumentsOf(pid).join(' ')
      assert.doesNotMatch(line, /--allow-(child-process|addons|wasi|inspector)/)
      assert.doesNotMatch(line, new RegExp(`--allow-fs-\\w+=(/|\\*|${server.data})( |$)`))
    }
    const granted = (pid: number, kind: string) =>
      argumentsOf(pid)
        .filter((text) => text.startsWith(`--allow-fs-${kind}=${server.data}`))
        .map((text) => text.slice(`--allow-fs-${kind}=${server.data}/`.length))
    const own = ['store', 'journal', 'objects', 'root-log', 'index', 'run']
    assert.deepEqual([granted(service, 'read'), granted(service, 'write')], [own, own])
    assert.deepEqual([granted(core, 'read'), granted(core, 'write')], [['hsm'], ['hsm']])
    const others = argumentsOf(core).filter((text) => /^--allow-(?!fs-)/.test(text))
    assert.deepEqual(others, ['--allow-worker'], 'the core has threads and no network')
  } finally {
    await server.discard()
  }
})

describe('the passphrase', () => {
  const main = join(import.meta.dirname, 'main.ts')

  type Started = { readonly child: ChildProcess; output: string; readonly code: Promise<unknown> }

  function start(t: TestContext, ...argv: string[]): Started {
    const child = spawn(process.execPath, [main, '--listen', '127.0.0.1:0', ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {},
    })
    t.after(() => child.kill('SIGKILL'))
    const code = new Promise((resolve) => child.once('close', resolve))
    const started: Started = { child, output: '', code }
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        started.output += text
      })
    }
    return started
  }

  test('that is wrong, missing, or not asked for is refused in words, with another exit code than 0', async (t) => {
    const folder = temporaryFolder()
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const fileOf = (name: string, text: string) => {
      const path = join(folder, name)
      writeFileSync(path, text, { mode: 0o600 })
      return path
    }
    const right = fileOf('right', 'correct horse\n')
    const data = ['--data', join(folder, 'data')]
    const first = start(t, ...data, '--root-passphrase-file', right)
    await until(() => first.output.includes('Kagiban is ready'))
    first.child.kill('SIGTERM')
    assert.equal(await first.code, 0)
    assert.doesNotMatch(first.output, /correct horse/)

    const cases: readonly [string[], RegExp, number][] = [
      [
        ['--root-passphrase-file', fileOf('wrong', 'wrong horse')],
        /The passphrase does not open this key hierarchy\./,
        1,
      ],
      [[], /passphrase/, 1],
      [['--root-passphrase-file', fileOf('line', '\n')], /cannot be read from .*it is empty/, 2],
      [['--root-passphrase-file', join(folder, 'nowhere')], /cannot be read from .*ENOENT/, 2],
      [['--root-passphrase-fd', '99'], /cannot be read from file descriptor 99.*EBADF/, 2],
    ]
    for (const [argv, message, code] of cases) {
      const started = start(t, ...data, ...argv)
      assert.equal(await started.code, code, started.output)
      assert.match(started.output, message)
      assert.doesNotMatch(started.output, /horse|Kagiban is ready/)
    }
  })
})
