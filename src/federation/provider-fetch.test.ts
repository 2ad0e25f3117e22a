import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { OidcProvider, vector } from '../../tests/support/oidc-provider.ts'
import { ServiceError } from '../base/errors.ts'
import { providerFetch } from './provider-fetch.ts'

const authority = thumbprintOf('authority.pem')
const limits = { timeoutMs: 1500, bytesMax: 4096 }
const fetch = providerFetch(limits)

function thumbprintOf(name: string): string {
  return new X509Certificate(vector(name)).fingerprint.replaceAll(':', '').toLowerCase()
}

async function provider(context: TestContext, ...certificates: readonly string[]) {
  const started = await OidcProvider.start(certificates.length === 0 ? undefined : certificates)
  context.after(() => started.stop())
  return started
}

function refused(code: string, detail?: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof ServiceError, String(error))
    assert.equal(error.code, code)
    if (detail !== undefined) assert.match(error.detail ?? '', detail)
    return true
  }
}

const unreachable = (detail?: RegExp) => refused('idp-communication', detail)
const noKeys = (detail?: RegExp) => refused('invalid-identity-token', detail)

test('a certificate of an authority that nobody knows is not trusted, and nothing is sent', async (context) => {
  const server = await provider(context)
  const { issuer, asked } = server
  for (const thumbprints of [[], ['0'.repeat(40)], [thumbprintOf('impostor.pem')]]) {
    await assert.rejects(fetch(new URL(issuer), thumbprints), unreachable())
  }
  assert.deepEqual(asked, [])
})

const untrusted: readonly [what: string, certificates: readonly string[]][] = [
  ['for another host', ['elsewhere.pem', 'authority.pem']],
  ['that is over', ['expired.pem', 'authority.pem']],
  ['that another authority signed', ['impostor.pem', 'authority.pem']],
]
for (const [what, certificates] of untrusted) {
  test(`a certificate ${what} is not trusted because of its authority's thumbprint`, async (context) => {
    const { issuer, asked } = await provider(context, ...certificates)
    await assert.rejects(fetch(new URL(issuer), [authority]), unreachable())
    assert.deepEqual(asked, [])
  })
}

test('a certificate for another host is not trusted because of its own thumbprint', async (context) => {
  const { issuer, asked } = await provider(context, 'elsewhere.pem')
  await assert.rejects(fetch(new URL(issuer), [thumbprintOf('elsewhere.pem')]), unreachable())
  assert.deepEqual(asked, [])
})

test('a chain that verifies up to a certificate with a thumbprint is trusted', async (context) => {
  const server = await provider(context)
  const url = new URL(server.configurationPath, server.issuer)
  for (const thumbprints of [
    [authority],
    ['0'.repeat(40), authority],
    [thumbprintOf('server.pem')],
  ]) {
    const body = await fetch(url, thumbprints)
    assert.equal(JSON.parse(body.toString()).issuer, server.issuer)
  }
  url.hostname = '127.0.0.1'
  assert.ok(await fetch(url, [authority]))
})

test('a redirect is not followed', async (context) => {
  const server = await provider(context)
  server.answers.set('/', (response) => {
    response.writeHead(302, { Location: `${server.issuer}/keys` }).end()
  })
  await assert.rejects(fetch(new URL(server.issuer), [authority]), noKeys(/status 302/))
  assert.deepEqual(server.asked, ['/'])
})

test('statuses: what may pass is told from what will not', async (context) => {
  const server = await provider(context)
  for (const [status, check] of [
    [500, unreachable(/500/)],
    [429, unreachable(/429/)],
    [404, noKeys(/404/)],
    [204, noKeys(/204/)],
  ] as const) {
    server.answers.set('/', (response) => void response.writeHead(status).end())
    await assert.rejects(fetch(new URL(server.issuer), [authority]), check)
  }
})

test('an answer that is too long is given up where the bound is', async (context) => {
  const server = await provider(context)
  server.answers.set('/', (response) => {
    response.writeHead(200)
    const more = setInterval(() => response.write(Buffer.alloc(1024, 0x20)), 1)
    response.on('close', () => clearInterval(more))
  })
  await assert.rejects(fetch(new URL(server.issuer), [authority]), noKeys(/more than 4096 bytes/))
  await closed(server)
})

test('an answer that is slow is given up in time', async (context) => {
  const server = await provider(context)
  server.answers.set('/', (response) => {
    response.writeHead(200)
    const more = setInterval(() => response.write(' '), 100)
    response.on('close', () => clearInterval(more))
  })
  const begun = performance.now()
  await assert.rejects(
    fetch(new URL(server.issuer), [authority]),
    unreachable(/TimeoutError|ABORT/i),
  )
  assert.ok(performance.now() - begun < limits.timeoutMs + 1000)
  await closed(server)
})

test('a host that would rather speak another protocol is given up', async (context) => {
  const server = await provider(context)
  server.answers.set('/', ({ socket }) => {
    socket?.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
  })
  await assert.rejects(
    fetch(new URL(server.issuer), [authority]),
    unreachable(/before there was an answer/),
  )
  await closed(server)
})

test('a host that says nothing is given up in time', async (context) => {
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  context.after(() => silent.close())
  const { port } = silent.address() as { port: number }
  const quick = providerFetch({ timeoutMs: 200, bytesMax: 4096 })
  for (const thumbprints of [[], [authority]]) {
    await assert.rejects(quick(new URL(`https://localhost:${port}`), thumbprints), unreachable())
  }
})

test('a port where nobody listens', async (context) => {
  const server = await provider(context)
  const { issuer } = server
  await server.stop()
  await assert.rejects(fetch(new URL(issuer), [authority]), unreachable(/ECONNREFUSED/))
})

test('the addresses of links, of groups and of nobody are not connected to', async () => {
  for (const host of [
    '169.254.169.254',
    '0.0.0.0',
    '255.255.255.255',
    '239.1.1.1',
    '[::ffff:169.254.169.254]',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '[64:ff9b::a9fe:a9fe]',
    '[::]',
  ]) {
    await assert.rejects(
      fetch(new URL(`https://${host}/`), [authority]),
      unreachable(/ERR_IP_BLOCKED/),
    )
  }
})

async function closed(server: OidcProvider): Promise<void> {
  for (let wait = 0; wait < 100 && server.connections > 0; wait += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.equal(server.connections, 0)
}
