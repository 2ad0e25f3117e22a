import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { JsonClient, kmsRequest } from '../tests/support/json-client.ts'
import { TestServer } from '../tests/support/server.ts'
import { Child, type Generator } from './children.ts'
import { median } from './measure.ts'
import type { BenchOptions } from './options.ts'
import type { FromGenerator, FromSigner, SliceResult, ToGenerator, ToSigner } from './protocol.ts'

export type SigningRatio = {
  readonly spec: ToSigner['spec']
  /** Median of the pairs' ratios: signatures a second, service to bare crypto.sign. */
  readonly ratio: number
  readonly serviceRate: number
  readonly bareRate: number
  readonly errors: number
  readonly firstError: string | undefined
}

export type Asymmetric = {
  readonly signing: readonly SigningRatio[]
  /** p99 of Encrypt in ms, while nothing else runs and while four RSA-4096 key pairs are being made all the time. */
  readonly encryptP99: {
    readonly quiet: number
    readonly generating: number
    readonly ratio: number
    readonly pairsMade: number
  }
}

const algorithms = { RSA_2048: 'RSASSA_PKCS1_V1_5_SHA_256', ECC_NIST_P256: 'ECDSA_SHA_256' }
const requestCount = 1000
const generators = 4

/** Sign against bare `crypto.sign`, and what making RSA keys does to Encrypt, in alternating slices. */
export async function measureAsymmetric(options: BenchOptions): Promise<Asymmetric> {
  const generator: Generator = Child.start<ToGenerator, FromGenerator>('generator.ts', undefined)
  const server = await TestServer.start()
  const client = new JsonClient(server.endpoint, server.credentials)
  try {
    const signing: SigningRatio[] = []
    for (const spec of ['RSA_2048', 'ECC_NIST_P256'] as const) {
      signing.push(await measureSigning(spec, { generator, server, client, options }))
    }
    const encryptP99 = await measureP99({ generator, server, client, options })
    return { signing, encryptP99 }
  } finally {
    client.close()
    generator.stop()
    await server.discard()
  }
}

type Bench = {
  readonly generator: Generator
  readonly server: TestServer
  readonly client: JsonClient
  readonly options: BenchOptions
}

async function measureSigning(spec: ToSigner['spec'], bench: Bench): Promise<SigningRatio> {
  const signer = Child.start<ToSigner, FromSigner>('signer.ts', undefined)
  try {
    const keyId = await createKey(bench.client, { KeySpec: spec, KeyUsage: 'SIGN_VERIFY' })
    await loadRequests(bench, 'Sign', () => ({
      KeyId: keyId,
      Message: randomBytes(256).toString('base64'),
      SigningAlgorithm: algorithms[spec],
    }))
    const milliseconds = bench.options.seconds * 1000
    const pairs: { bare: number; service: number }[] = []
    let errors = 0
    let firstError: string | undefined
    const { rounds, warmUp } = bench.options
    for (let round = 0; round < warmUp + rounds; round++) {
      const bare = await signer.ask({ spec, milliseconds })
      const service = await slice(bench, milliseconds)
      errors += service.errors
      firstError ??= service.firstError
      if (round >= warmUp) {
        pairs.push({
          bare: bare.signatures / bare.seconds,
          service: service.answers / service.seconds,
        })
      }
      await sleep(50)
    }
    return {
      spec,
      ratio: median(pairs.map(({ bare, service }) => service / bare)),
      serviceRate: median(pairs.map(({ service }) => service)),
      bareRate: median(pairs.map(({ bare }) => bare)),
      ...{ errors, firstError },
    }
  } finally {
    signer.stop()
  }
}

async function measureP99(bench: Bench): Promise<Asymmetric['encryptP99']> {
  const KeyId = await createKey(bench.client, {})
  await loadRequests(bench, 'Encrypt', () => ({
    KeyId,
    Plaintext: randomBytes(32).toString('base64'),
  }))
  const milliseconds = Math.max(2000, bench.options.seconds * 1000)
  const quiet: number[] = []
  const generating: number[] = []
  let pairsMade = 0
  for (let round = 0; round <= bench.options.rounds; round++) {
    const alone = await slice(bench, milliseconds)
    const beside = await besideGeneration(bench, KeyId, () => slice(bench, milliseconds))
    if (round === 0) continue
    quiet.push(alone.latency.p99)
    generating.push(beside.result.latency.p99)
    pairsMade += beside.made
  }
  const ratio = median(generating.map((value, index) => value / (quiet[index] ?? Number.NaN)))
  return { quiet: median(quiet), generating: median(generating), ratio, pairsMade }
}

/** Keeps as many key pairs in the making as there are `generators` while `work` runs. */
async function besideGeneration<T>(bench: Bench, KeyId: string, work: () => Promise<T>) {
  const { endpoint, credentials } = bench.server
  let ended = false
  let made = 0
  const loops = Array.from({ length: generators }, async () => {
    const client = new JsonClient(endpoint, credentials)
    while (!ended) {
      const answer = await client.call('GenerateDataKeyPairWithoutPlaintext', {
        KeyId,
        KeyPairSpec: 'RSA_4096',
      })
      if (answer?.status !== 200) {
        throw new Error(`GenerateDataKeyPairWithoutPlaintext: ${JSON.stringify(answer?.body)}`)
      }
      made++
    }
    client.close()
  })
  const result = await work()
  ended = true
  await Promise.all(loops)
  return { result, made }
}

async function slice({ generator, server }: Bench, milliseconds: number): Promise<SliceResult> {
  const result = await generator.ask({
    ...{ type: 'slice', subject: 'service', milliseconds },
    pids: [server.pid],
  })
  if (result.type !== 'slice') throw new Error(`the load generator answered ${result.type}`)
  return result
}

async function loadRequests(bench: Bench, operation: string, input: () => object): Promise<void> {
  const { endpoint, credentials, region } = bench.server
  const requests = Array.from({ length: requestCount }, () =>
    kmsRequest(endpoint, credentials, region, operation, input()).toString('base64'),
  )
  const { connections } = bench.options
  const endpoints = { echo: endpoint, service: endpoint }
  await bench.generator.ask({ type: 'load', endpoints, connections, requests })
}

async function createKey(client: JsonClient, input: object): Promise<string> {
  const answer = await client.call('CreateKey', input)
  if (answer?.status !== 200) throw new Error(`CreateKey: ${JSON.stringify(answer?.body)}`)
  return (answer.body['KeyMetadata'] as { Arn: string }).Arn
}
