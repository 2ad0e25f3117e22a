import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { kagiban } from '../support/cli.ts'
import { JsonClient } from '../support/json-client.ts'
import { Launched, type LaunchOptions } from '../support/launched.ts'
import { newCredentials, projectRoot, TestServer, temporaryFolder } from '../support/server.ts'

const script = join(projectRoot, 'cli/kagiban.mjs')
/** What the command finds when it is called with a Node that is too old. */
const pretendOld =
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.0.0"}})'

let folder: string
before(() => {
  folder = temporaryFolder()
})
after(() => rmSync(folder, { recursive: true, force: true }))

/** Runs it to its end. */
async function ending(command: string, args: readonly string[], options: LaunchOptions = {}) {
  const launched = new Launched(command, args, options)
  const { code } = await launched.ended
  return { code, output: launched.output }
}

test('a first start that fails has shown the secret that counts', async () => {
  const data = join(folder, 'failed-first')
  const inTheWay = join(data, 'run', 'control-main.sock')
  mkdirSync(inTheWay, { recursive: true })
  const first = TestServer.over(data, newCredentials())
  const { code } = await first.launch()
  assert.equal(code, 1, first.stderr)
  assert.match(first.stderr, /cannot start/)
  assert.doesNotMatch(first.stdout, /is ready/)
  const [, accessKeyId = ''] = /access key id +(AKIA\w{16})\n/.exec(first.stdout) ?? []
  const [, secretAccessKey = ''] = /secret access key +(\S{40})\n/.exec(first.stdout) ?? []
  rmSync(inTheWay, { recursive: true })

  const server = TestServer.over(data, { accessKeyId, secretAccessKey })
  try {
    await server.restart()
    assert.doesNotMatch(server.stdout, /secret/, 'it is founded already')
    const client = new JsonClient(server.endpoint, server.credentials)
    assert.equal((await client.call('ListKeys', {}))?.status, 200)
    client.close()
  } finally {
    await server.discard()
  }
})

test('a command founds nothing', async () => {
  const data = join(folder, 'never-started')
  for (const name of ['run', 'store', 'journal/main']) {
    mkdirSync(join(data, name), { recursive: true, mode: 0o700 })
  }
  writeFileSync(join(data, 'store', 'store.db'), '')
  const { code, stdout, stderr } = await kagiban(
    'account',
    'create',
    '444455556666',
    '--data',
    data,
  )
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /was never started: "kagiban start" makes/)
})

describe('a root with a passphrase', () => {
  let data: string

  before(() => {
    data = join(folder, 'protected')
    for (const [name, text] of [
      ['passphrase', 'correct horse\n'],
      ['wrong', 'wrong horse\n'],
      ['newline', '\n'],
    ] as const) {
      writeFileSync(join(folder, name), text)
    }
  })

  const npmStart = (descriptor: number) => [
    ...['start', '--', '--data', data, '--listen', '127.0.0.1:0'],
    ...['--root-passphrase-fd', String(descriptor)],
  ]

  test('is not made of nothing, nor of a line end', async () => {
    for (const file of ['/dev/null', join(folder, 'newline')]) {
      const { code, stderr } = await kagiban(
        'start',
        '--data',
        data,
        '--root-passphrase-file',
        file,
      )
      assert.equal(code, 2)
      assert.match(stderr, /passphrase cannot be read from .*: it is empty/)
    }
    assert.deepEqual(readdirSync(join(data, 'hsm')), [])
  })

  test('says what to do where npm does not pass a descriptor on', async () => {
    const passphrase = join(folder, 'passphrase')
    const { code, output } = await ending('npm', npmStart(3), { input: { 3: passphrase } })
    assert.equal(code, 2, output)
    assert.match(output, /file descriptor 3 \(npm and npx hand over 0 alone\)/)
  })

  test('is made and opened through npm, from descriptor 0', async () => {
    const input = { 0: join(folder, 'passphrase') }
    const service = new Launched('npm', npmStart(0), { input })
    try {
      await service.ready()
      assert.ok(existsSync(join(data, 'hsm', 'root.json')))
      assert.ok(!existsSync(join(data, 'hsm', 'root.key')))
      process.kill(service.pid, 'SIGTERM')
      await service.ended
    } finally {
      assert.equal(await service.discard(), 0, 'nothing outlives it')
    }
  })

  test('does not open with another passphrase', async () => {
    const wrong = await ending('npm', npmStart(0), { input: { 0: join(folder, 'wrong') } })
    assert.equal(wrong.code, 1, wrong.output)
    assert.match(wrong.output, /passphrase/i)
    assert.doesNotMatch(wrong.output, /is ready|horse/)
  })

  test('opens for a command with a file that is relative to where the command was given', async () => {
    const args = [script, 'status', '--data', 'protected', '--root-passphrase-file', 'passphrase']
    const { code, output } = await ending(process.execPath, args, { cwd: folder })
    assert.equal(code, 0, output)
    assert.match(output, /^root +passphrase$/m)
    assert.match(output, /^audit records +(\d+), \1 under a signed checkpoint$/m)
  })

  test('opens with the descriptor that is handed over from an older Node', async () => {
    const args = ['status', '--json', '--data', data, '--root-passphrase-fd', '3']
    const { code, output } = await ending(
      process.execPath,
      ['--import', pretendOld, script, ...args],
      { input: { 3: join(folder, 'passphrase') } },
    )
    assert.equal(code, 0, output)
    const { journal, keyCore } = JSON.parse(output)
    assert.equal(keyCore.rootDriver, 'passphrase')
    assert.deepEqual([journal.cut, journal.signerFailure], [0, undefined])
    assert.match(journal.origin, /^kagiban\/main\//)
  })

  test('no command makes a journal for a name that was misspelt', async () => {
    const { code, stderr } = await kagiban('status', '--data', data, '--node', 'mian')
    assert.equal(code, 1)
    assert.match(stderr, /No process 'mian' was ever started over .*; give --node, one of: main\./)
    assert.deepEqual(readdirSync(join(data, 'journal')), ['main'])
    const path = await kagiban('status', '--data', data, '--node', '../journal')
    assert.equal(path.code, 2)
    assert.match(path.stderr, /--node '\.\.\/journal': up to 32 lower-case letters/)
  })
})

test('a service that an older Node handed over ends with it, drained', async () => {
  const data = join(folder, 'handed-over')
  const args = ['--import', pretendOld, script, 'start', '--data', data, '--listen', '127.0.0.1:0']
  const service = new Launched(process.execPath, args)
  try {
    await service.ready()
    process.kill(service.pid, 'SIGTERM')
    assert.deepEqual(await service.ended, { code: 0, signal: null }, service.output)
  } finally {
    assert.equal(await service.discard(), 0, 'nothing outlives it')
  }
})
