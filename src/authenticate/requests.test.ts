import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import { EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import fc from 'fast-check'
import type { HttpRequest } from '../wire/protocol.ts'
import { accessKeyId, bench, refusal, secret, withKey } from './testing/bench.ts'
import { sign, type ToSign } from './testing/signer.ts'

const text = fc.string({ maxLength: 12 })
const byte = fc.integer({ min: 0, max: 255 })
const headerValue = fc
  .string({ unit: fc.constantFrom(...'abcXYZ019 ;,=/"-'), maxLength: 30 })
  .map((value) => value.trim())
const headerName = fc
  .string({ unit: fc.constantFrom(...'abcdefgxyz-'), minLength: 1, maxLength: 12 })
  .map((name) => `p-${name}`)

const request: fc.Arbitrary<ToSign> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
  path: fc
    .array(
      fc.string({ unit: fc.constantFrom(...'abcABC019-_~%+ $&=:'), minLength: 1, maxLength: 6 }),
      {
        maxLength: 4,
      },
    )
    .map((segments) => `/${segments.join('/')}`),
  query: fc.array(fc.tuple(fc.string({ minLength: 1, maxLength: 8 }), text), { maxLength: 5 }),
  headers: fc.array(fc.tuple(headerName, headerValue), { maxLength: 6 }),
  body: fc.array(byte, { maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
})

test('what an independent signer signs is accepted; with any change it is not', async () => {
  const { authenticator } = bench()
  await fc.assert(
    fc.asyncProperty(request, fc.nat(), fc.nat(), async (unsigned, place, bit) => {
      const signed = sign(unsigned, withKey)
      assert.equal((await authenticator.verify(signed)).accessKeyId, accessKeyId)
      for (const [what, changed] of changes(signed, place, bit)) {
        const { code } = await refusal(authenticator, changed, what)
        assert.ok(
          code === 'invalid-signature' || code === 'incomplete-signature',
          `${what}: ${code}`,
        )
      }
    }),
    { numRuns: 300 },
  )
})

function changes(signed: HttpRequest, place: number, bit: number): [string, HttpRequest][] {
  const changed: [string, HttpRequest][] = [
    ['method', { ...signed, method: `${signed.method}X` }],
    [
      'target',
      { ...signed, target: `${signed.target}${signed.target.includes('?') ? '&' : '?'}zz=1` },
    ],
    ['path', { ...signed, target: signed.target.replace('/', '/z') }],
    ['longer body', { ...signed, body: Buffer.concat([signed.body, Buffer.from([place & 255])]) }],
  ]
  if (signed.body.length > 0) {
    const body = Buffer.from(signed.body)
    const at = place % body.length
    body[at] = (body[at] ?? 0) ^ (1 << (bit % 8))
    changed.push(['body', { ...signed, body }])
  }
  const pairs = signed.rawHeaders.length / 2
  const at = 2 * (place % (pairs - 1))
  const value = signed.rawHeaders[at + 1] ?? ''
  // The date stays within the window and in form: another second.
  const other = signed.rawHeaders[at] === 'X-Amz-Date' ? value.replace('00Z', '01Z') : `${value}!`
  changed.push([`header ${at}`, { ...signed, rawHeaders: signed.rawHeaders.with(at + 1, other) }])
  changed.push([`no header ${at}`, { ...signed, rawHeaders: signed.rawHeaders.toSpliced(at, 2) }])
  return changed
}

test('requests of the AWS SDK are accepted as they are sent', async () => {
  const sent: HttpRequest[] = []
  const settings = {
    region: 'us-east-1',
    endpoint: 'http://kms.test:7781',
    credentials: { accessKeyId, secretAccessKey: secret },
    maxAttempts: 1,
    requestHandler: {
      async handle(outgoing: Outgoing): Promise<never> {
        sent.push(received(outgoing))
        throw new Error('sent')
      },
    },
  }
  const plaintext = Buffer.from('plaintext')
  const calls = [
    new KMSClient(settings).send(new EncryptCommand({ KeyId: 'alias/é', Plaintext: plaintext })),
    new STSClient(settings).send(new GetCallerIdentityCommand({})),
    new CloudTrailClient(settings).send(new LookupEventsCommand({})),
  ]
  for (const call of calls) await assert.rejects(call, /sent/)
  const { authenticator, state } = bench({ services: new Set(['kms', 'sts', 'cloudtrail']) })
  state.now = Date.now()
  const services = []
  for (const one of sent) services.push((await authenticator.verify(one)).service)
  assert.deepEqual(services.sort(), ['cloudtrail', 'kms', 'sts'])
})

type Outgoing = {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

function received({ method, path, headers, body = '' }: Outgoing): HttpRequest {
  return {
    method,
    target: path,
    rawHeaders: Object.entries(headers).flat(),
    body: typeof body === 'string' ? Buffer.from(body) : Buffer.copyBytesFrom(body),
    remoteAddress: '127.0.0.1',
  }
}
