import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { kagiban, kagibanOk } from '../support/cli.ts'
import { present } from '../support/expect.ts'
import { JsonClient } from '../support/json-client.ts'
import { projectRoot, TestServer, temporaryFolder } from '../support/server.ts'

const certificates = join(import.meta.dirname, '../vectors/tls')
const cert = readFileSync(join(certificates, 'localhost.pem'))
const key = readFileSync(join(certificates, 'localhost-key.pem'))

/** The record goes to files, to a webhook that comes and goes, and to a receiver of syslog that is never there. */
describe('exports of a service that is killed', () => {
  const folder = temporaryFolder()
  const secret = 'the secret of the webhook, which nobody is told'
  const posted: string[] = []
  let isAway = false
  let server: TestServer
  const receiver = createServer({ cert, key }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (bytes: Buffer) => chunks.push(bytes))
    request.on('end', () => {
      if (!isAway) posted.push(...Buffer.concat(chunks).toString().trimEnd().split('\n'))
      response.writeHead(isAway ? 503 : 200).end()
    })
  })

  before(async () => {
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    const { port } = receiver.address() as AddressInfo
    const secretFile = join(folder, 'secret')
    const caFile = join(folder, 'ca.pem')
    writeFileSync(secretFile, `${secret}\n`)
    writeFileSync(caFile, cert)
    mkdirSync(join(folder, 'out'))
    const exports = [
      { name: 'files', type: 'file', directory: join(folder, 'out') },
      { name: 'siem', type: 'webhook', url: `https://localhost:${port}/`, secretFile, caFile },
      { name: 'nobody', type: 'syslog', host: '127.0.0.1', port: 1, transport: 'tcp' },
    ]
    const exportsFile = join(folder, 'exports.json')
    writeFileSync(exportsFile, JSON.stringify({ exports }))
    server = await TestServer.start({ exportsFile, segmentBytes: 64 * 1024 })
  })
  after(async () => {
    await server.discard()
    receiver.closeAllConnections()
    receiver.close()
  })

  const recorded = async () =>
    (await kagibanOk('audit', 'export', '--data', server.data)).trimEnd().split('\n')
  const inFiles = () =>
    readdirSync(join(folder, 'out'))
      .sort()
      .map((name) => readFileSync(join(folder, 'out', name), 'utf8'))
      .join('')
      .trimEnd()
      .split('\n')
  const callSome = async (count: number) => {
    const client = new JsonClient(server.endpoint, server.credentials)
    for (let call = 0; call < count; call++) {
      const answer = await client.call('GenerateRandom', { NumberOfBytes: 8 })
      assert.equal(present(answer, 'an answer').status, 200)
    }
    client.close()
  }
  const until = async (condition: () => boolean) => {
    for (let turn = 0; turn < 600; turn++) {
      if (condition()) return
      await sleep(50)
    }
    assert.fail('it did not come about')
  }

  test('neither lose nor reorder anything, and repeat only what was under way', async () => {
    for (let round = 0; round < 4; round++) {
      isAway = round === 1
      await callSome(40)
      if (round === 2) await sleep(400)
      await server.kill9()
      await server.restart()
    }
    await callSome(5)
    const records = await recorded()
    await until(() => inFiles().length >= records.length && new Set(posted).size >= records.length)
    assert.deepEqual(inFiles(), records, 'files hold each once')
    const seen = new Set<string>()
    const firsts = posted.filter((record) => !seen.has(record) && seen.add(record))
    assert.deepEqual(firsts, records, 'the webhook got each, in order')
  })

  test('are shown by the status, with what is behind and why', async () => {
    const { exports, healthy } = JSON.parse(
      await kagibanOk('status', '--json', '--data', server.data),
    )
    assert.equal(healthy, true, 'a receiver that is away makes nothing unhealthy')
    const [files, siem, nobody] = exports
    assert.deepEqual([files.name, files.behind, files.failure], ['files', 0, undefined])
    assert.deepEqual([siem.name, siem.behind, siem.failure], ['siem', 0, undefined])
    assert.equal(nobody.behind, (await recorded()).length)
    assert.match(nobody.failure.reason, /ECONNREFUSED/)
    const text = await kagibanOk('status', '--data', server.data)
    assert.match(text, /^export siem +webhook, up to date, last at 20/m)
    assert.match(text, /^export nobody +syslog, \d+ entries behind; failing since .*ECONNREFUSED/m)
  })

  test('tell nobody the secret', () => {
    const told = server.stdout + server.stderr
    assert.match(told, /the export nobody failed and is tried again: .*ECONNREFUSED/)
    assert.ok(!told.includes(secret))
    for (const name of readdirSync(server.data, { recursive: true, encoding: 'utf8' })) {
      const path = join(server.data, name)
      try {
        assert.ok(!readFileSync(path).includes(secret), path)
      } catch (error) {
        const { code = '' } = error as NodeJS.ErrnoException
        if (!['EISDIR', 'ENXIO', 'ENOENT'].includes(code)) throw error
      }
    }
  })

  test('what cannot be is refused at the start, with its place', async () => {
    const exportsFile = join(folder, 'wrong.json')
    writeFileSync(exportsFile, '{"exports":[{"name":"a","type":"file","directory":"/x","max":1}]}')
    const data = join(dirname(server.data), 'other')
    const wrong = TestServer.over(data, server.credentials, { exportsFile })
    const { code } = await wrong.launch()
    assert.equal(code, 2)
    assert.match(wrong.stderr, /KAGIBAN_EXPORTS .*wrong\.json: exports\[0\]\.max: there is no such/)
  })

  test('audit export --follow prints what is there, then what comes', async () => {
    const script = join(projectRoot, 'cli/kagiban.mjs')
    const argv = [script, 'audit', 'export', '--follow', '--data', server.data]
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
    try {
      const before = await recorded()
      await until(() => printed.trimEnd().split('\n').length === before.length)
      await callSome(3)
      await until(() => printed.trimEnd().split('\n').length === before.length + 3)
      assert.deepEqual(printed.trimEnd().split('\n'), await recorded())
    } finally {
      child.kill()
    }
  })

  test('audit export --since and --kind leave out the others', async () => {
    const all = await recorded()
    const at = JSON.parse(all.at(-1) ?? '').eventTime as string
    const since = async (time: string) =>
      (await kagibanOk('audit', 'export', '--since', time, '--data', server.data)).trimEnd()
    const expected = all.filter((record) => JSON.parse(record).eventTime >= at)
    assert.deepEqual((await since(at)).split('\n'), expected)
    assert.equal(await since('2099-01-01'), '')
    assert.deepEqual((await since('2020-01-01')).split('\n'), all)
    const digests = await kagibanOk('audit', 'export', '--kind', 'digest', '--data', server.data)
    assert.equal(digests, '')
    for (const argv of [
      ['--since', 'yesterday'],
      ['--since', '2026-13-01'],
      ['--kind', 'checkpoint'],
    ]) {
      const { code } = await kagiban('audit', 'export', ...argv, '--data', server.data)
      assert.equal(code, 2, argv.join(' '))
    }
  })
})
