import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { type Config, ConfigError, type FirstStart, type StartConfig } from './config.ts'
import {
  type Child,
  droppedNodeOptions,
  type End,
  endSoon,
  spawnCore,
  spawnService,
} from './supervisor/children.ts'

/**
 * Starts the key core and the service, gives them the two ends of a socket pair, and keeps both alive. When the core
 * dies, a new one gets a new socket, and the service sends again what was not answered. When the service fails, both
 * are started anew. When the service ends, all ends. Both children run under Node's permission model; the supervisor
 * itself talks to nobody.
 */
export type Supervised = {
  /**
   * Resolves when the service answers, with its endpoint (undefined: started without a listener). Rejects when it
   * cannot start.
   */
  readonly ready: Promise<string | undefined>
  /** The exit code, once everything has ended. */
  readonly ended: Promise<number>
  /** Drains and ends. */
  stop(): void
}

/** A child that is there for less than this, in ms, failed at once: after that many in a row there is no going on. */
const lifeMin = 2_000
const failuresMax = 5
/** How long a core may take to end by itself once its socket is closed, in ms. */
const coreGrace = 3_000

/** The exit code with which the key core says that it refuses to start, having said why on stderr. */
const coreRefusal = 3
/** Those with which the service ends by its own decision: it was stopped, or it cannot start and said why. */
const serviceDecisions: readonly (number | null)[] = [0, 1, 2]

const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
/** Settings of a first start count once, and hold a secret: a service that is started again gets none. */
const notFirst: FirstStart = {
  account: undefined,
  regions: undefined,
  rootAccessKeyId: undefined,
  rootSecretAccessKey: undefined,
}

type Message =
  | { readonly type: 'ready'; readonly endpoint?: string }
  /** The socket of the core of that number is closed on the service's side. */
  | { readonly type: 'core-lost'; readonly number: number }

/** While this is in a data folder, half of it is what was there before a restore, and half what the restore brings. */
export const unfinishedRestore = 'restore.ready'

/** Throws ConfigError when the folder or the passphrase is not fit for a start. */
export function supervise(config: StartConfig): Supervised {
  if (existsSync(join(config.dataDir, unfinishedRestore))) {
    throw new ConfigError(
      `A restore into ${config.dataDir} was interrupted: give the same "kagiban restore" again.`,
    )
  }
  mkdirSync(join(config.dataDir, 'hsm'), { recursive: true, mode: 0o700 })
  for (const name of droppedNodeOptions()) {
    console.error(`The service does not take ${name} from NODE_OPTIONS.`)
  }
  const { firstStart, ...settings } = config
  const supervisor = new Supervisor(settings, readPassphrase(config))
  supervisor.start(firstStart)
  return supervisor
}

class Supervisor implements Supervised {
  readonly ready: Promise<string | undefined>
  readonly ended: Promise<number>
  readonly #ready = Promise.withResolvers<string | undefined>()
  readonly #ended = Promise.withResolvers<number>()
  readonly #passphrase: Buffer
  readonly #stop = () => this.stop()
  #config: Config
  #service: Child | undefined
  /** When the service that runs was ready. */
  #readyAt: number | undefined
  #wasReady = false
  #serviceFailures = 0
  #core: Child | undefined
  #coreNumber = 0
  #coreFailures = 0
  /** Nothing is started any more: it was told to stop, or it gave up. */
  #stopping = false

  constructor(config: Config, passphrase: Buffer) {
    this.#config = config
    this.#passphrase = passphrase
    this.ready = this.#ready.promise
    this.ended = this.#ended.promise
    this.ready.catch(() => {})
    for (const signal of signals) process.on(signal, this.#stop)
  }

  stop(): void {
    this.#stopping = true
    this.#tell({ type: 'stop' })
  }

  start(firstStart: FirstStart): void {
    const service = spawnService(this.#config)
    this.#service = service
    this.#readyAt = undefined
    service.process.on('message', (message: Message) => this.#hear(message))
    void service.ended.then((end) => this.#serviceEnded(end))
    this.#tell({ type: 'start', config: this.#config, firstStart })
    this.#startCore()
  }

  #startCore(): void {
    const startedAt = performance.now()
    const core = spawnCore(this.#config, this.#passphrase)
    this.#core = core
    void core.ended.then((end) => this.#coreEnded(core, end, performance.now() - startedAt))
    const socket = core.process.stdio?.[3]
    if (socket instanceof Socket) this.#tell({ type: 'core', number: ++this.#coreNumber }, socket)
  }

  /** A service that is about to end does not hear; its end says so soon enough. */
  #tell(message: object, socket?: Socket): void {
    const service = this.#service?.process
    if (service?.connected === true) service.send(message, socket, undefined, () => {})
  }

  #hear(message: Message): void {
    if (message.type === 'ready') this.#becameReady(message.endpoint)
    // It ends by itself when its socket closes, unless it hangs; its end then starts another.
    else if (message.number === this.#coreNumber && this.#core !== undefined) {
      void endSoon(this.#core, coreGrace)
    }
  }

  #becameReady(endpoint: string | undefined): void {
    this.#readyAt = performance.now()
    this.#wasReady = true
    const { listen } = this.#config
    if (endpoint !== undefined && listen?.port === 0) {
      // Clients know the port that was picked: a service that is started again takes the same.
      this.#config = {
        ...this.#config,
        listen: { ...listen, port: Number(new URL(endpoint).port) },
      }
    }
    this.#ready.resolve(endpoint)
  }

  #coreEnded(core: Child, { code, failure }: End, lifeMs: number): void {
    if (this.#core === core) this.#core = undefined
    if (this.#stopping || this.#service === undefined) return
    if (failure !== undefined) console.error(`The key core cannot be started: ${failure}`)
    this.#coreFailures = lifeMs < lifeMin ? this.#coreFailures + 1 : 0
    if (code === coreRefusal || this.#coreFailures >= failuresMax) {
      console.error('The key core cannot start; the service ends.')
      this.#stopping = true
      this.#service.process.kill('SIGKILL')
      return
    }
    console.error('The key core ended; starting another.')
    this.#startCore()
  }

  async #serviceEnded(end: End): Promise<void> {
    this.#service = undefined
    const { code, signal, failure } = end
    if (signal !== null) console.error(`The service ended by ${signal}.`)
    if (failure !== undefined) console.error(`The service cannot be started: ${failure}`)
    const livedMs = this.#readyAt === undefined ? 0 : performance.now() - this.#readyAt
    this.#serviceFailures = livedMs < lifeMin ? this.#serviceFailures + 1 : 0
    if (this.#core !== undefined) await endSoon(this.#core, coreGrace)
    if (this.#stopping || serviceDecisions.includes(code) || !this.#wasReady) {
      this.#finish(code ?? 1)
    } else if (this.#serviceFailures >= failuresMax) {
      console.error('The service fails again and again; all ends.')
      this.#finish(code ?? 1)
    } else {
      console.error('The service failed; starting it again.')
      this.start(notFirst)
    }
  }

  #finish(code: number): void {
    this.#stopping = true
    this.#passphrase.fill(0)
    for (const signal of signals) process.off(signal, this.#stop)
    this.#ready.reject(new Error('the service ended before it was ready'))
    this.#ended.resolve(code)
  }
}

const newline = Buffer.from('\n')

function readPassphrase(config: Config): Buffer {
  const { passphrase } = config
  if (passphrase === undefined) return Buffer.alloc(0)
  try {
    const bytes = readFileSync('file' in passphrase ? passphrase.file : passphrase.fd)
    // The key core takes one newline at the end away, and makes a root without a passphrase where nothing is left.
    if (bytes.length === 0 || bytes.equals(newline)) throw new Error('it is empty')
    return bytes
  } catch (error) {
    const where =
      'file' in passphrase
        ? passphrase.file
        : `file descriptor ${passphrase.fd} (npm and npx hand over 0 alone)`
    throw new ConfigError(`The root's passphrase cannot be read from ${where}: ${String(error)}`)
  }
}
