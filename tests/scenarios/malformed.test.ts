import assert from 'node:assert/strict'
import { test } from 'node:test'
import { present } from '../support/expect.ts'
import { JsonClient } from '../support/json-client.ts'
import { type Malformed, malformedRequest, type Target } from '../support/malformed.ts'
import { RawConnection, type RawResponse } from '../support/raw-http.ts'
import { Seeded } from '../support/seeded.ts'
import { TestServer } from '../support/server.ts'

const count = process.env['SLOW'] === '1' ? 100_000 : 5_000
const connections = 8

test(`${count} malformed requests are refused in AWS's words and change nothing`, async (t) => {
  const random = Seeded.fromEnvironment()
  t.diagnostic(`seed ${random.seed}; SEED=${random.seed} runs it again`)
  const server = await TestServer.start()
  try {
    const target = await prepare(server)
    const before = await snapshot(server)
    const { pid } = server
    const seen = new Map<string, number>()
    let left = count
    await Promise.all(
      Array.from({ length: connections }, async () => {
        let connection = await RawConnection.open(server.endpoint)
        while (left-- > 0) {
          const request = malformedRequest(random, target)
          if (connection.ended) connection = await RawConnection.open(server.endpoint)
          const problem = await send(connection, request, seen)
          if (problem !== undefined) assert.fail(report(problem, request))
          // What is broken as HTTP leaves the connection in a state that nobody can rely on.
          if (request.expect === 'http') connection.close()
        }
        connection.close()
      }),
    )
    t.diagnostic([...seen].map(([answer, times]) => `${answer}: ${times}`).join(', '))
    assert.equal(server.pid, pid, 'the process stayed up')
    assert.deepEqual(await snapshot(server), before)
    const output = server.stdout + server.stderr
    assert.doesNotMatch(
      output,
      /^\s+at .*:\d+:\d+/m,
      'a malformed request is no failure of the service',
    )
  } finally {
    await server.discard()
  }
})

/** Sends one request; answers what is wrong with the answer. */
async function send(
  connection: RawConnection,
  request: Malformed,
  seen: Map<string, number>,
): Promise<string | undefined> {
  connection.write(request.bytes)
  // A request that is not whole is never answered while more of it could come.
  if (request.expect === 'http') connection.finish()
  let response: RawResponse | undefined
  try {
    response = await connection.response()
  } catch (error) {
    return String(error)
  }
  const error = response === undefined ? 'connection ended' : awsError(response)
  const label = error ?? `HTTP ${response?.status}`
  seen.set(label, (seen.get(label) ?? 0) + 1)
  if (response === undefined) {
    return request.expect === 'http' ? undefined : 'the connection ended without an answer'
  }
  const { status } = response
  if (!(status >= 400 && status < 500)) return `status ${status}: ${response.body.toString('utf8')}`
  if (request.expect === 'http') return undefined
  if (error === undefined) return `status ${status} with a body that is no AWS error`
  if (!['x-amzn-requestid', 'x-amz-request-id'].some((name) => response.headers.has(name)))
    return `${error} without a request id`
  return undefined
}

/** The error's name, in JSON or in XML. */
function awsError({ body }: RawResponse): string | undefined {
  const text = body.toString('utf8')
  if (text.startsWith('<')) return /<Code>(\w+)<\/Code>/.exec(text)?.[1]
  try {
    const { __type } = JSON.parse(text) as { __type?: unknown }
    return typeof __type === 'string' ? __type : undefined
  } catch {
    return undefined
  }
}

function report(problem: string, { name, bytes }: Malformed): string {
  return `${name}: ${problem}\n${JSON.stringify(bytes.toString('latin1').slice(0, 3000))}`
}

async function prepare(server: TestServer): Promise<Target> {
  const client = new JsonClient(server.endpoint, server.credentials)
  const ask = async (operation: string, input: object) => {
    const answer = present(await client.call(operation, input))
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return answer.body
  }
  const Tags = [{ TagKey: 'kept', TagValue: 'yes' }]
  const { KeyMetadata } = await ask('CreateKey', { Description: 'kept', Tags })
  const { KeyId: keyId } = KeyMetadata as { KeyId: string }
  await ask('CreateAlias', { AliasName: 'alias/kept', TargetKeyId: keyId })
  const { CiphertextBlob } = await ask('Encrypt', { KeyId: keyId, Plaintext: 'AAAA' })
  client.close()
  const { endpoint, credentials } = server
  return { endpoint, credentials, keyId, ciphertext: String(CiphertextBlob) }
}

/** All that a malformed request could have changed. */
async function snapshot(server: TestServer): Promise<unknown> {
  const client = new JsonClient(server.endpoint, server.credentials)
  const ask = async (operation: string, input: object) =>
    present(await client.call(operation, input)).body
  const keys = await ask('ListKeys', { Limit: 1000 })
  const aliases = await ask('ListAliases', { Limit: 1000 })
  const details = []
  for (const { KeyId } of keys['Keys'] as { KeyId: string }[]) {
    for (const operation of ['DescribeKey', 'GetKeyPolicy', 'ListResourceTags']) {
      details.push(await ask(operation, { KeyId }))
    }
  }
  client.close()
  return { keys, aliases, details }
}
