import { randomBytes } from 'node:crypto'
import { JsonClient, kmsRequest } from '../tests/support/json-client.ts'
import type { TestServer } from '../tests/support/server.ts'
import type { OperationName } from './options.ts'

/** The requests of one operation, and what it took to make them. */
export type Workload = {
  /** Whole signed HTTP requests, all different. */
  readonly requests: Buffer[]
  /** Bytes of the body that the service answers with. */
  readonly answerBytes: number
  /** Answers that the preparation had, by operation: they are in the record too. */
  readonly prepared: ReadonlyMap<string, number>
}

/**
 * Signs `count` distinct requests of an operation. Signatures are valid for five minutes, so this is done just before
 * the operation is measured, and outside the measured time.
 */
export async function workloadOf(
  operation: OperationName,
  server: TestServer,
  keyArn: string,
  count: number,
): Promise<Workload> {
  const prepared = new Map<string, number>()
  const clients = Array.from(
    { length: 16 },
    () => new JsonClient(server.endpoint, server.credentials),
  )
  const ask = async (n: number, name: string, input: object) => {
    const answer = await clients[n % clients.length]?.call(name, input)
    if (answer?.status !== 200) throw new Error(`${name}: ${JSON.stringify(answer?.body)}`)
    prepared.set(name, (prepared.get(name) ?? 0) + 1)
    return answer.body
  }
  const inputs: object[] = []
  // One call at a time on each connection.
  for (let first = 0; first < count; first += clients.length) {
    const batch = clients.slice(0, count - first).map((_, n) => inputOf(operation, keyArn, n, ask))
    inputs.push(...(await Promise.all(batch)))
  }
  const answer = await ask(0, operation, inputs[0] ?? {})
  for (const client of clients) client.close()
  const { endpoint, credentials, region } = server
  return {
    requests: inputs.map((input) => kmsRequest(endpoint, credentials, region, operation, input)),
    answerBytes: Buffer.byteLength(JSON.stringify(answer)),
    prepared,
  }
}

type Ask = (n: number, operation: string, input: object) => Promise<Record<string, unknown>>

async function inputOf(
  operation: OperationName,
  KeyId: string,
  n: number,
  ask: Ask,
): Promise<object> {
  const EncryptionContext = { tenant: randomBytes(6).toString('hex'), purpose: 'bench' }
  const Plaintext = randomBytes(32).toString('base64')
  switch (operation) {
    case 'Encrypt':
      return { KeyId, Plaintext, EncryptionContext }
    case 'Decrypt': {
      const encrypted = await ask(n, 'Encrypt', { KeyId, Plaintext, EncryptionContext })
      return { CiphertextBlob: encrypted['CiphertextBlob'], EncryptionContext, KeyId }
    }
    case 'GenerateDataKey':
      return { KeyId, KeySpec: 'AES_256', EncryptionContext }
    case 'DescribeKey':
      // What is described is always the same; what makes each request another is ignored, as AWS ignores it.
      return { KeyId, GrantTokens: [], Nonce: randomBytes(8).toString('hex') }
  }
}
