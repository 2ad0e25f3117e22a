import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { defaults, type Environment, operatorConfig } from '../src/config.ts'
import { NotRunning, OperatorError, sendCommand, socketName } from '../src/operator/socket.ts'
import { supervise } from '../src/supervisor.ts'
import { dataDirectory } from './command-line.ts'

export type SessionOptions = {
  readonly data?: string | undefined
  readonly node?: string | undefined
  readonly 'root-passphrase-file'?: string | undefined
  readonly 'root-passphrase-fd'?: string | undefined
}

export type Session = {
  readonly dataDir: string
  /** Whether the service was running before this command. */
  readonly running: boolean
  send(command: string, input?: Readonly<Record<string, unknown>>): Promise<unknown>
}

/**
 * Gives a command a service to talk to: the one that runs or, if none does, one that is started over the folder for
 * as long as the command takes, without a listener. So there is one way to do a thing, and it is always recorded.
 */
export async function withService<T>(
  options: SessionOptions,
  env: Environment,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const dataDir = dataDirectory(options.data, env)
  if (!isFounded(dataDir)) {
    throw new OperatorError(
      `There is no Kagiban data in ${dataDir}. "kagiban start --data DIR" makes a folder.`,
    )
  }
  // A socket's path is limited to about 100 bytes, so it is named relative to its folder.
  process.chdir(join(dataDir, 'run'))
  const socket = socketName(options.node ?? defaults.node)
  const session = (running: boolean): Session => ({
    dataDir,
    running,
    send: (command, input = {}) =>
      sendCommand(socket, command, { ...input, operator: operatorName() }, showProgress),
  })
  try {
    await session(true).send('status')
  } catch (error) {
    if (!(error instanceof NotRunning)) throw error
    return withOwnService(dataDir, options, env, () => use(session(false)))
  }
  return use(session(true))
}

export function isFounded(dataDir: string): boolean {
  return existsSync(join(dataDir, 'run')) && existsSync(join(dataDir, 'store', 'store.db'))
}

async function withOwnService<T>(
  dataDir: string,
  options: SessionOptions,
  env: Environment,
  use: () => Promise<T>,
): Promise<T> {
  const config = operatorConfig(dataDir, env, {
    node: options.node,
    passphraseFile: options['root-passphrase-file'],
    passphraseFd: options['root-passphrase-fd'],
  })
  const service = supervise(config)
  try {
    await service.ready
    return await use()
  } finally {
    service.stop()
    await service.ended
  }
}

/** Whether a service answers at a socket of that name in the folder `run`. */
export async function isRunning(run: string, socket: string): Promise<boolean> {
  process.chdir(run)
  try {
    await sendCommand(socket, 'status', {}, () => {})
    return true
  } catch (error) {
    if (error instanceof NotRunning) return false
    throw error
  }
}

export function operatorName(): string {
  try {
    return userInfo().username
  } catch {
    return 'unknown'
  }
}

function showProgress(text: string): void {
  process.stderr.write(`${text}\n`)
}
