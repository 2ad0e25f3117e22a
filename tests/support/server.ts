import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { groupMembers, hasProc } from './processes.ts'
import type { Credentials } from './signer.ts'

export const projectRoot = dirname(dirname(import.meta.dirname))

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

export type ServerOptions = {
  /** A data folder that exists already, with the credentials of its root user;
   * otherwise a new one in a temporary folder. */
  readonly existing?: { readonly data: string; readonly credentials: Credentials }
  readonly account?: string
  readonly regions?: readonly string[]
  readonly segmentBytes?: number
  readonly nodeOptions?: string
  /** The file that says where the record is handed on to. */
  readonly exportsFile?: string
  /** More settings. */
  readonly environment?: Readonly<Record<string, string>>
  /** The name of this process, where several share a data folder. */
  readonly node?: string
  /** The clone that it is started from; this one unless another is named. */
  readonly project?: string
  /** Of the root user of a new folder. */
  readonly credentials?: Credentials
  /** Put before the command line, as in `taskset -c 0`. */
  readonly wrapper?: readonly string[]
}

const startMsMax = 60_000
const stopMsMax = 60_000

/** The real server over a data folder, in a process group of its own, with known root credentials. */
export class TestServer {
  readonly account: string
  readonly regions: readonly string[]
  readonly data: string
  readonly credentials: Credentials
  /** Everything that the processes wrote, over all starts. */
  stdout = ''
  stderr = ''
  /** Milliseconds from spawning to the first 200 of `/health`, of the last start. */
  startMs = 0
  readonly #options: ServerOptions
  readonly #temporary: string | undefined
  #founded: boolean
  #endpoint: string | undefined
  #child: ChildProcess | undefined
  #exit: Promise<Exit> | undefined

  private constructor(options: ServerOptions) {
    this.#options = options
    this.account = options.account ?? '111122223333'
    this.regions = options.regions ?? ['us-east-1']
    this.#temporary = options.existing === undefined ? temporaryFolder() : undefined
    this.data = options.existing?.data ?? join(this.#temporary ?? '', 'data')
    this.credentials = options.existing?.credentials ?? options.credentials ?? newCredentials()
    this.#founded = options.existing !== undefined
  }

  static async start(options: ServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(options)
    try {
      await server.restart()
      return server
    } catch (error) {
      await server.discard()
      throw error
    }
  }

  /** A server object over a data folder that is not started yet. */
  static over(data: string, credentials: Credentials, options: ServerOptions = {}): TestServer {
    return new TestServer({ ...options, existing: { data, credentials } })
  }

  get region(): string {
    return this.regions[0] ?? 'us-east-1'
  }

  get endpoint(): string {
    if (this.#endpoint === undefined) throw new Error('the server is not running')
    return this.#endpoint
  }

  /** The process that was started: leader of the group, parent of all others. */
  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error('the server is not running')
    return pid
  }

  get running(): boolean {
    return this.#child !== undefined
  }

  /** Starts it and waits until `/health` answers 200. */
  async restart(): Promise<void> {
    const begun = performance.now()
    const outputBefore = this.stdout.length
    const exit = this.launch()
    let ended: Exit | undefined
    void exit.then((value) => {
      ended = value
    })
    while (performance.now() - begun < startMsMax) {
      if (ended !== undefined) throw new Error(`the server ended at once: ${this.#report(ended)}`)
      const endpoint = /http:\/\/127\.0\.0\.1:\d+/.exec(this.stdout.slice(outputBefore))?.[0]
      if (endpoint !== undefined && (await isHealthy(endpoint))) {
        this.#endpoint = endpoint
        this.#founded = true
        this.startMs = performance.now() - begun
        return
      }
      await sleep(10)
    }
    await this.kill9()
    throw new Error(`the server was not ready in time: ${this.#report(undefined)}`)
  }

  /** Starts it and waits for nothing; resolves when it ended. */
  launch(): Promise<Exit> {
    if (this.#child !== undefined) throw new Error('the server is running already')
    const [command = '', ...args] = [
      ...(this.#options.wrapper ?? []),
      process.execPath,
      join(this.#options.project ?? projectRoot, 'src/main.ts'),
      '--data',
      this.data,
      '--listen',
      '127.0.0.1:0',
      ...(this.#options.node === undefined ? [] : ['--node', this.#options.node]),
    ]
    const child = spawn(command, args, {
      cwd: dirname(this.data),
      env: this.#environment(),
      // Its own group, so that a kill reaches all of its processes and nothing else.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    if (child.pid !== undefined) liveGroups.add(child.pid)
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.#exit = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => {
        if (child.pid !== undefined) liveGroups.delete(child.pid)
        this.#child = undefined
        this.#endpoint = undefined
        resolve({ code, signal })
      })
    })
    return this.#exit
  }

  #environment(): NodeJS.ProcessEnv {
    const { PATH, HOME, TMPDIR } = process.env
    const { segmentBytes, nodeOptions, exportsFile } = this.#options
    const settings = {
      PATH,
      HOME,
      TMPDIR,
      KAGIBAN_AUDIT_SEGMENT_BYTES: segmentBytes === undefined ? undefined : String(segmentBytes),
      NODE_OPTIONS: nodeOptions,
      KAGIBAN_EXPORTS: exportsFile,
      ...this.#options.environment,
    }
    const firstStart = {
      KAGIBAN_ACCOUNT: this.account,
      KAGIBAN_REGIONS: this.regions.join(','),
      KAGIBAN_ROOT_ACCESS_KEY_ID: this.credentials.accessKeyId,
      KAGIBAN_ROOT_SECRET_ACCESS_KEY: this.credentials.secretAccessKey,
    }
    return this.#founded ? settings : { ...settings, ...firstStart }
  }

  /** SIGTERM, as a service manager does it; resolves when all of it ended. */
  async stop(): Promise<Exit> {
    process.kill(this.pid, 'SIGTERM')
    return this.ended()
  }

  /** Waits for an end that was asked for. */
  async ended(): Promise<Exit> {
    const exit = this.#exit
    if (exit === undefined) throw new Error('the server was never started')
    const group = this.#child?.pid
    const timeout = sleep(stopMsMax, undefined, { ref: false })
    const ended = await Promise.race([exit, timeout])
    if (ended === undefined) {
      await this.kill9()
      throw new Error(`the server did not end in time: ${this.#report(undefined)}`)
    }
    if (group !== undefined) await groupGone(group)
    return ended
  }

  /** SIGKILL to every process of the group at once. */
  async kill9(): Promise<void> {
    const group = this.#child?.pid
    const exit = this.#exit
    if (group === undefined) return
    killGroup(group)
    await exit
    await groupGone(group)
  }

  /** Ends it if it runs, and deletes the temporary folder. */
  async discard(): Promise<void> {
    await this.kill9()
    if (this.#temporary !== undefined) rmSync(this.#temporary, { recursive: true, force: true })
  }

  #report(exit: Exit | undefined): string {
    const how = exit === undefined ? '' : `code ${exit.code}, signal ${exit.signal}; `
    return `${how}stdout: ${this.stdout.slice(-2000)}; stderr: ${this.stderr.slice(-2000)}`
  }
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'kagiban-test-'))
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

export function newCredentials(): Credentials {
  const letters = Array.from(randomBytes(16), (byte) => base32[byte % 32]).join('')
  return {
    accessKeyId: `AKIA${letters}`,
    secretAccessKey: randomBytes(30).toString('base64'),
  }
}

async function isHealthy(endpoint: string): Promise<boolean> {
  try {
    const response = await fetch(`${endpoint}/health`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(5000),
    })
    await response.arrayBuffer()
    return response.status === 200
  } catch {
    return false
  }
}

function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Waits until no process of the group is left: a data folder must not be opened while a dying writer holds it. */
async function groupGone(group: number): Promise<void> {
  if (!hasProc) return
  for (let i = 0; i < 500; i++) {
    if (groupMembers(group).length === 0) return
    await sleep(10)
  }
  throw new Error(`processes of group ${group} outlived it: ${JSON.stringify(groupMembers(group))}`)
}

// Groups still alive when this process ends are ended with it, however it ends.
const liveGroups = new Set<number>()
process.on('exit', () => {
  for (const group of liveGroups) killGroup(group)
})
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1))
}
