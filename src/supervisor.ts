import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Config, ConfigError, type StartConfig } from './config.ts'

/**
 * Starts the key core and the service, gives them the two ends of a socket pair, and keeps the core alive: when it
 * dies, a new one gets a new socket, and the service sends again what was not answered. When the service ends, all
 * ends. Both children run under Node's permission model; the supervisor itself talks to nobody.
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

const source = dirname(fileURLToPath(import.meta.url))
/** A core that lives shorter than this did not start: after that many in a row the service cannot go on. */
const coreLifeMinMs = 2_000
const coreFailuresMax = 5

/** The exit code with which the key core says that it refuses to start, having said why on stderr. */
const coreRefusal = 3

type State = {
  readonly config: Config
  readonly passphrase: Buffer
  readonly service: ChildProcess
  core: ChildProcess | undefined
  failures: number
  stopping: boolean
}

export function supervise(config: StartConfig): Supervised {
  mkdirSync(join(config.dataDir, 'hsm'), { recursive: true, mode: 0o700 })
  const passphrase = readPassphrase(config)
  const service = startService(config)
  const state: State = {
    config,
    passphrase,
    service,
    core: undefined,
    failures: 0,
    stopping: false,
  }
  const stop = () => {
    state.stopping = true
    if (service.connected) service.send({ type: 'stop' })
  }
  const onSignal = () => stop()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal)
  const ready = readiness(service)
  ready.catch(() => {})
  const ended = new Promise<number>((resolve) => {
    service.once('exit', (code, signal) => {
      state.stopping = true
      state.passphrase.fill(0)
      for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.off(name, onSignal)
      if (signal !== null) console.error(`The service ended by ${signal}.`)
      endCore(state, () => resolve(code ?? 1))
    })
  })
  const { firstStart, ...settings } = config
  service.send({ type: 'start', config: settings, firstStart })
  startCore(state)
  return { ready, ended, stop }
}

function readiness(service: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    service.on('message', (message: { type: string; endpoint?: string }) => {
      if (message.type === 'ready') resolve(message.endpoint)
    })
    service.once('exit', () => reject(new Error('the service ended before it was ready')))
  })
}

function startService(config: Config): ChildProcess {
  const { tls } = config
  const own = ['store', 'journal', 'index', 'run'].map((name) => join(config.dataDir, name))
  for (const path of own) mkdirSync(path, { recursive: true, mode: 0o700 })
  const readable = [...sourcePaths, ...own, ...(tls ? [tls.certFile, tls.keyFile] : [])]
  return spawnConfined(
    [
      '--allow-net',
      '--allow-worker',
      ...allowed('read', readable),
      ...allowed('write', own),
      // Requests leave much short-lived garbage: a larger young generation collects it less often (measured: -20 %).
      '--max-semi-space-size=32',
    ],
    [join(source, 'service.ts')],
    {
      // The operator's socket has a name relative to this folder: a socket's whole path is limited to about 100 bytes.
      cwd: join(config.dataDir, 'run'),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: serviceEnvironment(),
    },
  )
}

function startCore(state: State): void {
  const directory = join(state.config.dataDir, 'hsm')
  const core = spawnConfined(
    [...allowed('read', [...sourcePaths, directory]), ...allowed('write', [directory])],
    [join(source, 'hsm/main.ts'), directory],
    { cwd: directory, stdio: ['pipe', 'inherit', 'inherit', 'pipe'], env: {} },
  )
  const startedAt = performance.now()
  state.core = core
  core.stdin?.on('error', () => {})
  core.stdin?.end(Buffer.from(state.passphrase))
  core.once('exit', (code) => coreEnded(state, code, performance.now() - startedAt))
  const socket = core.stdio[3]
  if (socket instanceof Socket && state.service.connected) {
    state.service.send({ type: 'core' }, socket)
  }
}

function coreEnded(state: State, code: number | null, lifeMs: number): void {
  if (state.stopping) return
  state.failures = lifeMs < coreLifeMinMs ? state.failures + 1 : 0
  if (code === coreRefusal || state.failures >= coreFailuresMax) {
    console.error('The key core cannot start; the service ends.')
    state.service.kill('SIGKILL')
    return
  }
  console.error('The key core ended; starting another.')
  startCore(state)
}

/** The core ends by itself when the service has closed its socket; a core that hangs is ended. */
function endCore(state: State, done: () => void): void {
  const { core } = state
  if (core === undefined || core.exitCode !== null || core.signalCode !== null) {
    done()
    return
  }
  const timer = setTimeout(() => core.kill('SIGKILL'), 3_000)
  core.once('exit', () => {
    clearTimeout(timer)
    done()
  })
}

/** What a child may read to load its own code: never the data folder, even when that lies inside the clone. */
const sourcePaths = [source, join(dirname(source), 'package.json')]

function allowed(kind: 'read' | 'write', paths: readonly string[]): string[] {
  return paths.map((path) => `--allow-fs-${kind}=${path}`)
}

/** Core dumps would hold keys: the shell turns them off, and then is replaced by Node. */
function spawnConfined(
  permissions: readonly string[],
  script: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const quiet = ['--disable-warning=ExperimentalWarning', '--disable-warning=SecurityWarning']
  const command = [process.execPath, '--permission', ...permissions, ...quiet, ...script]
  return spawn('/bin/sh', ['-c', 'ulimit -c 0 && exec "$@"', 'sh', ...command], options)
}

/** The children get no environment: the secrets of a first start travel in the configuration message. */
function serviceEnvironment(): NodeJS.ProcessEnv {
  const options = process.env['NODE_OPTIONS']
  return options === undefined ? {} : { NODE_OPTIONS: options }
}

function readPassphrase(config: Config): Buffer {
  const { passphrase } = config
  if (passphrase === undefined) return Buffer.alloc(0)
  try {
    const bytes = readFileSync('file' in passphrase ? passphrase.file : passphrase.fd)
    if (bytes.length === 0) throw new Error('it is empty')
    return bytes
  } catch (error) {
    const where = 'file' in passphrase ? passphrase.file : `file descriptor ${passphrase.fd}`
    throw new ConfigError(`The root's passphrase cannot be read from ${where}: ${String(error)}`)
  }
}
