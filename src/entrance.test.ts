import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { systemClock } from './base/clock.ts'
import type { Config } from './config.ts'
import { type Entrance, listenFirst } from './entrance.ts'
import { EngineFolder } from './testing/engine-folder.ts'

const deps = { clock: systemClock, log: () => {} }
const loopback = { host: '127.0.0.1', port: 0 }

function configOf(given: Partial<Config>): Config {
  return {
    dataDir: '/nowhere',
    listen: loopback,
    tls: undefined,
    insecurePlaintext: false,
    node: 'main',
    segmentBytes: 65536,
    domainKeyHours: 24,
    trailDeliverySeconds: 300,
    trailDigestSeconds: 3600,
    passphrase: undefined,
    ...given,
  }
}

async function ask(endpoint: string, path: string, method: string) {
  const answer = await fetch(endpoint + path, { method, headers: { connection: 'close' } })
  return { status: answer.status, body: await answer.text() }
}

async function listening(t: TestContext): Promise<Entrance> {
  const entrance = await listenFirst(configOf({}), deps)
  assert.ok(entrance !== undefined)
  t.after(() => entrance.drain())
  return entrance
}

test('until there is a service every request is refused as one to try again, and health says why', async (t) => {
  const entrance = await listening(t)
  const { endpoint } = entrance
  const refused = await ask(endpoint, '/', 'POST')
  assert.equal(refused.status, 503)
  assert.equal(JSON.parse(refused.body).__type, 'ServiceUnavailable')
  const health = await ask(endpoint, '/health', 'GET')
  assert.deepEqual(health, { status: 503, body: '{"status":"starting"}' })
  entrance.open({
    onRequest: (_request, reply) => reply({ status: 200, headers: [], body: 'let in' }),
    health: () => ({ status: 200, body: '{}' }),
  })
  assert.deepEqual(await ask(endpoint, '/', 'POST'), { status: 200, body: 'let in' })
  assert.deepEqual(await ask(endpoint, '/health', 'GET'), { status: 200, body: '{}' })
})

test('without an address nothing listens', async () => {
  assert.equal(await listenFirst(configOf({ listen: undefined }), deps), undefined)
})

describe('what cannot be listened at is refused before a folder is founded', () => {
  async function refused(t: TestContext, given: Partial<Config>, message: RegExp): Promise<void> {
    const folder = new EngineFolder(t)
    const announced: string[] = []
    const announce = (text: string) => void announced.push(text)
    const failing = folder.start({ dataDir: folder.path, ...given }, { announce })
    await assert.rejects(failing, { name: 'ConfigError', message })
    assert.deepEqual([announced, folder.events()], [[], []])
    const running = await folder.start({}, { announce })
    assert.equal((await running.health()).status, 200)
    assert.match(
      announced.join(''),
      /^This is a new data folder\.[\s\S]*\nKagiban is ready at http/,
    )
  }

  test('a port that is taken', async (t) => {
    const other = createServer().listen(0, '127.0.0.1')
    t.after(() => other.close())
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    await refused(t, { listen: { host: '127.0.0.1', port } }, /EADDRINUSE/)
  })

  test('an address beyond loopback without TLS', async (t) => {
    await refused(t, { listen: { host: '0.0.0.0', port: 0 } }, /TLS/)
  })

  test('a certificate that is none, and one that is not there', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'kagiban-tls-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const certFile = join(folder, 'cert.pem')
    writeFileSync(certFile, 'no certificate')
    await refused(t, { tls: { certFile, keyFile: certFile } }, /PEM|start line/i)
    await refused(t, { tls: { certFile, keyFile: join(folder, 'none') } }, /ENOENT/)
  })
})
