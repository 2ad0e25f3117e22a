import { rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { CreateKeyCommand } from '@aws-sdk/client-kms'
import { CreateBucketCommand, PutBucketEncryptionCommand } from '@aws-sdk/client-s3'
import { clientsOf } from '../tests/support/clients.ts'
import { requestBytes } from '../tests/support/raw-http.ts'
import { clientOf } from '../tests/support/s3-world.ts'
import { TestServer } from '../tests/support/server.ts'
import { signedHeaders } from '../tests/support/signer.ts'
import { Child, type Echo, type Generator } from './children.ts'
import { type Measurement, measure } from './measure.ts'
import { plainCopy } from './plain-copy.ts'
import type { FromEcho, FromGenerator, ToEcho, ToGenerator } from './protocol.ts'
import { processesOf } from './throughput.ts'

/**
 * `node bench/objects.ts`: GET and PUT of objects under SSE-KMS, against the same service without encryption and
 * against a bare file server, each pair under the same load in alternating slices of one run.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '1.5' },
    rounds: { type: 'string', default: '5' },
    methods: { type: 'string', default: 'GET,PUT' },
    sizes: { type: 'string', default: '1024,1048576,67108864' },
  },
})
/** Pairs of slices that do not count. */
const warmUp = 2
const sizes = values.sizes.split(',').map(Number)
const bucket = 'bench'

async function found(server: TestServer): Promise<void> {
  const clients = clientsOf(server)
  const s3 = clientOf(server)
  const { KeyMetadata } = await clients.kms.send(new CreateKeyCommand({}))
  await s3.send(new CreateBucketCommand({ Bucket: bucket }))
  const byDefault = { SSEAlgorithm: 'aws:kms' as const, KMSMasterKeyID: KeyMetadata?.Arn }
  await s3.send(
    new PutBucketEncryptionCommand({
      Bucket: bucket,
      ServerSideEncryptionConfiguration: {
        Rules: [{ ApplyServerSideEncryptionByDefault: byDefault }],
      },
    }),
  )
  clients.destroy()
  s3.destroy()
}

/** The bytes of a signed request, whose body is not signed: the bare server reads none of it either. */
function requestOf(server: TestServer, method: 'GET' | 'PUT', size: number): Buffer {
  const body = method === 'PUT' ? Buffer.alloc(size, 'o') : Buffer.alloc(0)
  const path = `/${bucket}/object-${size}`
  const headers = signedHeaders(
    {
      ...{ method, path, body, payloadHash: 'UNSIGNED-PAYLOAD' },
      headers: [['x-amz-content-sha256', 'UNSIGNED-PAYLOAD']],
    },
    { host: new URL(server.endpoint).host, region: 'us-east-1', service: 's3', date: new Date() },
    server.credentials,
  )
  return requestBytes(method, path, headers, body)
}

const generator: Generator = Child.start<ToGenerator, FromGenerator>('generator.ts', undefined)

type Side = { readonly endpoint: string; readonly pid: number }

async function compare(
  server: TestServer,
  other: Side & { readonly server?: TestServer },
  method: 'GET' | 'PUT',
  size: number,
): Promise<Measurement> {
  const connections = size < 65_536 ? 64 : size > 10_000_000 ? 4 : 16
  const request = requestOf(server, method, size)
  const options = { seconds: Number(values.seconds), rounds: Number(values.rounds), warmUp }
  const load = async (requests: readonly Buffer[]) =>
    generator.ask({
      ...{
        type: 'load',
        connections,
        endpoints: { echo: other.endpoint, service: server.endpoint },
      },
      requests: requests.map((each) => each.toString('base64')),
    })
  await load([request])
  return measure(generator, { pid: other.pid } as Echo, processesOf(server), options)
}

async function put(endpoint: string, server: TestServer, size: number): Promise<void> {
  const bytes = requestOf(server, 'PUT', size)
  await generator.ask({
    ...{ type: 'load', connections: 1, endpoints: { echo: endpoint, service: endpoint } },
    requests: [bytes.toString('base64')],
  })
  const slice = { type: 'slice', subject: 'echo', milliseconds: 1, pids: [] } as const
  const result = await generator.ask(slice)
  if (result.type !== 'slice' || result.answers === 0) throw new Error(JSON.stringify(result))
}

function row(what: string, gate: number | undefined, found: Measurement): string {
  const { ratio, lowestPair, highestPair, echoRate, serviceRate, errors, firstError } = found
  const verdict = gate === undefined ? '' : ratio >= gate ? `≥ ${gate}` : `MISSED ${gate}`
  const failed = errors === 0 ? '' : ` ${errors} errors: ${firstError}`
  const figures = [ratio, lowestPair, highestPair].map((each) => each.toFixed(2)).join(' ')
  return `${what.padEnd(48)} ${figures}  ${serviceRate.toFixed(1)} / ${echoRate.toFixed(1)} a second  ${verdict}${failed}`
}

const copy = plainCopy()
const server = await TestServer.start()
// Its requests are signed alike.
const { credentials } = server
const plain = await TestServer.start({ project: copy, credentials })
const bare: Echo = Child.start<ToEcho, FromEcho>('file-server.ts', undefined)
try {
  const ready = await bare.next()
  if (ready.type !== 'ready') throw new Error('the file server did not start')
  await found(server)
  await found(plain)
  const plainSide = { endpoint: plain.endpoint, pid: plain.pid }
  const bareSide = { endpoint: ready.endpoint, pid: bare.pid }
  console.log('ratio: median, lowest, highest of pairs; requests of the service / of the other')
  for (const size of sizes) {
    const kinds = { plain: plainSide, bare: bareSide }
    for (const endpoint of [server.endpoint, plain.endpoint, ready.endpoint]) {
      await put(endpoint, server, size)
    }
    for (const method of ['GET', 'PUT'] as const) {
      if (!values.methods.split(',').includes(method)) continue
      for (const [name, side] of Object.entries(kinds)) {
        const gate = gateOf(name, method, size)
        const measured = await compare(server, side, method, size)
        console.log(row(`${method} ${size} bytes ÷ ${name}`, gate, measured))
      }
    }
  }
} finally {
  generator.stop()
  bare.stop()
  await server.discard()
  await plain.discard()
  rmSync(copy, { recursive: true, force: true })
}

function gateOf(name: string, method: string, size: number): number | undefined {
  if (size < 65_536) return name === 'bare' && method === 'GET' ? 0.3 : undefined
  return name === 'bare' ? 0.5 : 0.7
}
