import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'

/**
 * The operator's way into a running service: HTTP over a UNIX socket in the data folder, mode 0600. Whoever may open
 * it owns the folder anyway. An answer is a stream of JSON lines: `{"progress": …}` any number of times, then
 * `{"result": …}` or `{"error": …}`.
 */
export type Command = (
  input: Readonly<Record<string, unknown>>,
  progress: (text: string) => void,
) => Promise<unknown>

/** What the operator asked for cannot be done, and why; the text is shown as it is. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError'
}

const requestBytesMax = 64 * 1024

/** The socket's name in the `run` folder. Relative: a socket's whole path is limited to about 100 bytes. */
export function socketName(node: string): string {
  return `control-${node}.sock`
}

export async function startOperatorSocket(
  path: string,
  commands: Readonly<Record<string, Command>>,
  log: (line: string) => void,
): Promise<{ close(): Promise<void> }> {
  rmSync(path, { force: true })
  const server = createServer((message, response) => {
    serve(message, response, commands).catch((error: unknown) => {
      log(`operator command failed: ${error instanceof Error ? error.stack : String(error)}`)
      response.end(
        `${JSON.stringify({ error: 'The command failed; the service log says why.' })}\n`,
      )
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  chmodSync(path, 0o600)
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
  }
}

async function serve(
  message: IncomingMessage,
  response: ServerResponse,
  commands: Readonly<Record<string, Command>>,
): Promise<void> {
  const line = (value: unknown) => response.write(`${JSON.stringify(value)}\n`)
  try {
    const name = message.url?.slice(1) ?? ''
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (message.method !== 'POST' || command === undefined) {
      throw new OperatorError(`This service knows no command '${name.slice(0, 64)}'.`)
    }
    const input = await readInput(message)
    line({ result: await command(input, (progress) => line({ progress })) })
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    line({ error: error.message })
  }
  response.end()
}

async function readInput(message: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of message) {
    bytes += chunk.length
    if (bytes > requestBytesMax) throw new OperatorError('The request is too large.')
    chunks.push(chunk)
  }
  const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  if (typeof parsed !== 'object' || parsed === null)
    throw new OperatorError('The request is no object.')
  return { ...parsed }
}

/** Nobody listens at the socket: the service does not run. */
export class NotRunning extends Error {
  override readonly name = 'NotRunning'
}

/** Sends a command; the promise is of its result. Throws NotRunning, or OperatorError with the service's words. */
export async function sendCommand(
  path: string,
  name: string,
  input: Readonly<Record<string, unknown>>,
  progress: (text: string) => void,
): Promise<unknown> {
  const message = await connect(path, name, JSON.stringify(input))
  let rest = ''
  let answer: { result?: unknown; error?: string } | undefined
  message.setEncoding('utf8')
  for await (const chunk of message) {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop() ?? ''
    for (const text of lines) {
      const parsed = JSON.parse(text) as { progress?: string; result?: unknown; error?: string }
      if (parsed.progress === undefined) answer = parsed
      else progress(parsed.progress)
    }
  }
  if (answer === undefined) throw new OperatorError('The service ended before it answered.')
  if (answer.error !== undefined) throw new OperatorError(answer.error)
  return answer.result
}

function connect(path: string, name: string, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: path, path: `/${name}`, method: 'POST' }, resolve)
    call.once('error', (error: NodeJS.ErrnoException) => {
      const nobody = error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
      reject(nobody ? new NotRunning('The service is not running.') : error)
    })
    call.end(body)
  })
}
