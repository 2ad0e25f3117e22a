import { existsSync, readdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { type Environment, operatorConfig, type StartConfig } from '../src/config.ts'
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
  // First of all: a path in it is relative to the folder that the command was given in.
  const config = operatorConfig(dataDir, env, {
    node: options.node,
    passphraseFile: options['root-passphrase-file'],
    passphraseFd: options['root-passphrase-fd'],
  })
  requireFounded(config)
  // A socket's path is limited to about 100 bytes, so it is named relative to its folder.
  process.chdir(join(dataDir, 'run'))
  const socket = socketName(config.node)
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
    return withOwnService(config, () => use(session(false)))
  }
  return use(session(true))
}

/** A command makes neither a data folder nor, by a slip in a name, another process's journal in it. */
function requireFounded({ dataDir, node }: StartConfig): void {
  const journals = join(dataDir, 'journal')
  const parts = [join(dataDir, 'run'), join(dataDir, 'store', 'store.db'), journals]
  if (!parts.every((path) => existsSync(path))) {
    throw new OperatorError(
      `There is no Kagiban data in ${dataDir}. "kagiban start --data DIR" makes a folder.`,
    )
  }
  const nodes = readdirSync(journals).sort()
  if (!nodes.includes(node)) {
    throw new OperatorError(
      `No process '${node}' was ever started over ${dataDir}; give --node, one of: ${nodes.join(', ')}.`,
    )
  }
}

async function withOwnService<T>(config: StartConfig, use: () => Promise<T>): Promise<T> {
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
