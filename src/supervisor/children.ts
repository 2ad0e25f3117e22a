import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import type { Config } from '../config.ts'
import { nodeOptionsFor } from './node-options.ts'

const source = dirname(import.meta.dirname)
/** What a child may read to load its own code: never the data folder, even when that lies inside the clone. */
const sourcePaths = [source, join(dirname(source), 'package.json')]
/** The packages of the key core's threads (`docs/dependencies.md`). */
const packagePaths = [join(dirname(source), 'node_modules/@noble')]
/** The one package of the service: it reads the tokens of OpenID providers. */
const servicePackagePaths = [join(dirname(source), 'node_modules/jose')]

/**
 * Signing must not wait while RSA keys are made: the key core makes up to one less than there are processors at a time,
 * and as many threads again as there are processors are left to signing. libuv's own number is 4.
 */
const coreThreads = Math.max(4, 2 * availableParallelism() - 1)

/** How a child ended, or why it could not be started. */
export type End = {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly failure?: string
}

export type Child = { readonly process: ChildProcess; readonly ended: Promise<End> }

/** The process that talks to the network; `start` and all else come to it as messages. */
export function spawnService(config: Config): Child {
  const { tls } = config
  const names = ['store', 'journal', 'objects', 'root-log', 'index', 'run']
  const own = names.map((name) => join(config.dataDir, name))
  const exported = exportPathsOf(config)
  const writable = [...own, ...exported.writable]
  for (const path of writable) mkdirSync(path, { recursive: true, mode: 0o700 })
  const code = [...sourcePaths, ...servicePackagePaths]
  const certificate = tls ? [tls.certFile, tls.keyFile] : []
  const readable = [
    ...[...code, ...writable, ...certificate],
    ...[...exported.readable, ...upstreamPathsOf(config)],
  ]
  return spawnConfined(
    [
      '--allow-net',
      '--allow-worker',
      ...allowed('read', readable),
      ...allowed('write', writable),
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

/** What exports need beside the data folder's own parts: where files go, and secrets and authorities to read. */
function exportPathsOf({ dataDir, exports = [] }: Config) {
  const writable = exports.flatMap((each) => (each.type === 'file' ? [each.directory] : []))
  const readable = exports.flatMap((each) => [
    ...(each.type === 'webhook' ? [each.secretFile] : []),
    ...(each.type !== 'file' && each.caFile !== undefined ? [each.caFile] : []),
  ])
  const cursors = exports.length === 0 ? [] : [join(dataDir, 'export')]
  return { writable: [...cursors, ...writable], readable }
}

/** The secret and the authorities of an upstream engine. */
function upstreamPathsOf({ upstream }: Config): readonly string[] {
  if (upstream === undefined) return []
  return [upstream.secretFile, ...(upstream.caFile === undefined ? [] : [upstream.caFile])]
}

/** The key core. Its end of the socket pair is descriptor 3; the other end is `stdio[3]`. */
export function spawnCore(config: Config, passphrase: Buffer): Child {
  const directory = join(config.dataDir, 'hsm')
  const core = spawnConfined(
    [
      '--allow-worker',
      ...allowed('read', [...sourcePaths, ...packagePaths, directory]),
      ...allowed('write', [directory]),
    ],
    [join(source, 'hsm/main.ts'), directory],
    {
      cwd: directory,
      stdio: ['pipe', 'inherit', 'inherit', 'pipe'],
      env: { UV_THREADPOOL_SIZE: String(coreThreads) },
    },
  )
  // A core that dies at once leaves both closed, which its end tells.
  for (const stream of core.process.stdio ?? []) stream?.on('error', () => {})
  core.process.stdin?.end(Buffer.from(passphrase))
  return core
}

/** Ends it unless it ends by itself in time. A process that was stopped or hangs is ended all the same. */
export async function endSoon({ process: child, ended }: Child, graceMs: number): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  await ended
  clearTimeout(timer)
}

/** The names of the options in NODE_OPTIONS that the children do not take over. */
export function droppedNodeOptions(): readonly string[] {
  return nodeOptionsFor(process.env['NODE_OPTIONS']).dropped
}

/** The children get no environment: the secrets of a first start travel in the configuration message. */
function serviceEnvironment(): NodeJS.ProcessEnv {
  const { passed } = nodeOptionsFor(process.env['NODE_OPTIONS'])
  return passed.length === 0 ? {} : { NODE_OPTIONS: passed.join(' ') }
}

function allowed(kind: 'read' | 'write', paths: readonly string[]): string[] {
  return paths.map((path) => `--allow-fs-${kind}=${path}`)
}

/** Core dumps would hold keys: the shell turns them off, and then is replaced by Node. */
function spawnConfined(
  permissions: readonly string[],
  script: readonly string[],
  options: SpawnOptions,
): Child {
  const quiet = ['--disable-warning=ExperimentalWarning', '--disable-warning=SecurityWarning']
  const command = [process.execPath, '--permission', ...permissions, ...quiet, ...script]
  const child = spawn('/bin/sh', ['-c', 'ulimit -c 0 && exec "$@"', 'sh', ...command], options)
  return { process: child, ended: endOf(child) }
}

function endOf(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.on('error', (error) => {
      // Of one that was started, its end tells all there is to tell.
      if (child.pid === undefined) resolve({ code: null, signal: null, failure: error.message })
    })
  })
}
