import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const sourceDirectory = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const main = join(sourceDirectory, 'hsm/main.ts')
const packages = join(dirname(sourceDirectory), 'node_modules/@noble')

export type Child = {
  readonly process: ChildProcess
  readonly socket: Socket
  /** What it has written to stderr so far. */
  readonly said: () => string
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

export type ChildOptions = {
  readonly passphrase?: string
  readonly confined?: boolean
  /** Another script in the place of the core, to try what the confinement lets through. */
  readonly script?: string
  readonly readable?: readonly string[]
}

/** A core as the supervisor starts it. */
export function startChild(directory: string, options: ChildOptions = {}): Child {
  const { passphrase = '', confined = true, script = main, readable = [] } = options
  const permissions = [
    '--permission',
    '--allow-worker',
    ...[sourceDirectory, packages, directory, ...readable].map((path) => `--allow-fs-read=${path}`),
    `--allow-fs-write=${directory}`,
  ]
  const child = spawn(
    process.execPath,
    [...(confined ? permissions : []), '--disable-warning=SecurityWarning', script, directory],
    { stdio: ['pipe', 'ignore', 'pipe', 'pipe'], env: {} },
  )
  let said = ''
  child.stderr?.on('data', (chunk) => {
    said += String(chunk)
  })
  child.stdin?.on('error', () => {})
  child.stdin?.end(passphrase)
  const socket = child.stdio[3]
  if (!(socket instanceof Socket)) throw new Error('no socket pair')
  socket.on('error', () => {})
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  return { process: child, socket, said: () => said, ended }
}
