import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { sign } from '../authenticate/testing/signer.ts'
import { systemClock } from '../base/clock.ts'
import type { AccountId, Region } from '../base/ids.ts'
import { systemRandom } from '../base/random.ts'
import type { Config, FirstStart } from '../config.ts'
import { type Engine, type EngineDeps, startEngine } from '../engine.ts'
import { createInProcessCore } from '../hsm/in-process.ts'
import { readRecords } from '../journal/reader.ts'
import { type AccessKey, newAccessKey } from '../operator/accounts.ts'
import type { RecordedEvent } from './held-journal.ts'

export const account = '111122223333' as AccountId
export const region = 'us-east-1' as Region

export type Answer = {
  readonly status: number
  readonly error: string | undefined
  readonly requestId: string
  readonly body: Readonly<Record<string, unknown>>
}

/** An engine in this process, and a client of its own endpoint. */
export type Running = {
  readonly engine: Engine
  readonly logged: string[]
  call(operation: string, input: object, key?: AccessKey): Promise<Answer>
  health(): Promise<{ readonly status: number; readonly body: string }>
  stop(): Promise<void>
}

/** A data folder, gone after the test, over which engines can be started. */
export class EngineFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'kagiban-engine-'))
  readonly key = newAccessKey(systemRandom)
  readonly #running = new Set<Running>()

  constructor(context: TestContext) {
    for (const name of ['hsm', 'store', 'journal', 'index', 'run']) {
      mkdirSync(join(this.path, name), { mode: 0o700 })
    }
    context.after(async () => {
      for (const running of this.#running) await running.stop()
      rmSync(this.path, { recursive: true, force: true })
    })
  }

  async start(config: Partial<Config> = {}, deps: Partial<EngineDeps> = {}): Promise<Running> {
    const hsm = createInProcessCore(join(this.path, 'hsm'))
    const logged: string[] = []
    const settings: Config = {
      dataDir: this.path,
      listen: { host: '127.0.0.1', port: 0 },
      tls: undefined,
      insecurePlaintext: false,
      node: 'main',
      segmentBytes: 256 * 1024,
      domainKeyHours: 24,
      trailDeliverySeconds: 300,
      trailDigestSeconds: 3600,
      passphrase: undefined,
      ...config,
    }
    const firstStart: FirstStart = {
      account,
      regions: [region],
      rootAccessKeyId: this.key.accessKeyId,
      rootSecretAccessKey: this.key.secretAccessKey,
    }
    const engine = await startEngine(settings, firstStart, {
      hsm,
      clock: systemClock,
      random: systemRandom,
      log: (line) => logged.push(line),
      announce: () => {},
      ...deps,
    })
    const client = new Client(engine.endpoint ?? '')
    const running: Running = {
      engine,
      logged,
      call: (operation, input, key = this.key) => client.call(operation, input, key),
      health: () => client.send('GET', [], Buffer.alloc(0), '/health'),
      stop: async () => {
        if (!this.#running.delete(running)) return
        client.close()
        await engine.stop()
        hsm.close()
      },
    }
    this.#running.add(running)
    return running
  }

  /** What stands in the journals, node after node. */
  events(): RecordedEvent[] {
    const journals = join(this.path, 'journal')
    return readdirSync(journals).flatMap((node) =>
      [...readRecords(join(journals, node))].map(
        ({ record }) => JSON.parse(record) as RecordedEvent,
      ),
    )
  }
}

class Client {
  readonly #endpoint: URL | undefined
  readonly #agent = new Agent({ keepAlive: true })

  constructor(endpoint: string) {
    this.#endpoint = endpoint === '' ? undefined : new URL(endpoint)
  }

  async call(operation: string, input: object, key: AccessKey): Promise<Answer> {
    const timestamp = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '')
    const { rawHeaders, body: bytes } = sign(
      {
        headers: [
          ['Content-Type', 'application/x-amz-json-1.1'],
          ['X-Amz-Target', `TrentService.${operation}`],
        ],
        body: Buffer.from(JSON.stringify(input)),
      },
      {
        accessKeyId: key.accessKeyId,
        secret: key.secretAccessKey,
        region,
        service: 'kms',
        timestamp,
      },
    )
    const { status, body: text, requestId } = await this.send('POST', rawHeaders, bytes)
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>
    return { status, requestId, body, error: body['__type'] as string | undefined }
  }

  send(method: string, rawHeaders: readonly string[], body: Buffer, path = '/') {
    const headers: Record<string, string> = { 'content-length': String(body.length) }
    for (let at = 0; at < rawHeaders.length; at += 2) {
      headers[rawHeaders[at] ?? ''] = rawHeaders[at + 1] ?? ''
    }
    return new Promise<{ status: number; body: string; requestId: string }>((resolve, reject) => {
      const call = request(
        {
          agent: this.#agent,
          host: this.#endpoint?.hostname,
          port: this.#endpoint?.port,
          method,
          path,
          headers,
        },
        (answer) => {
          let text = ''
          answer.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk
          })
          answer.on('end', () => {
            const requestId = String(answer.headers['x-amzn-requestid'] ?? '')
            resolve({ status: answer.statusCode ?? 0, body: text, requestId })
          })
          answer.on('error', reject)
        },
      )
      call.on('error', reject)
      call.end(body)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}
