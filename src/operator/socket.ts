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

/** Two key policies, and what JSON makes of them. */
const requestBytesMax = 256 * 1024

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
  const running = new Set<Promise<unknown>>()
  const server = createServer((message, response) => {
    // One command a connection: an idle one would delay the end of the service.
    response.shouldKeepAlive = false
    void serve(message, response, commands, running).catch((error: unknown) => {
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
    /** Lets the commands that run come to their end, and waits for nobody else. */
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      await Promise.all(running)
      server.closeAllConnections()
      await closed
    },
  }
}

async function serve(
  message: IncomingMessage,
  response: ServerResponse,
  commands: Readonly<Record<string, Command>>,
  running: Set<Promise<unknown>>,
): Promise<void> {
  const line = (value: unknown) => response.write(`${JSON.stringify(value)}\n`)
  try {
    const name = message.url?.slice(1) ?? ''
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (message.method !== 'POST' || command === undefined) {
      throw new OperatorError(`This service knows no command '${name.slice(0, 64)}'.`)
    }
    const input = await readInput(message)
    const result = command(input, (progress) => line({ progress }))
    const over = Promise.allSettled([result, closed(response)])
    running.add(over)
    void over.then(() => running.delete(over))
    line({ result: await result })
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    line({ error: error.message })
  }
  response.end()
}

/** Resolves when the answer was sent, or its reader is gone. */
function closed(response: ServerResponse): Promise<void> {
  if (response.destroyed) return Promise.resolve()
  return new Promise((resolve) => response.once('close', resolve))
}

/** What is too large is read to its end and not kept: a client that still sends would not see why it is refused. */
async function readInput(message: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of message) {
    bytes += chunk.length
    if (bytes <= requestBytesMax) chunks.push(chunk)
  }
  if (bytes > requestBytesMax) throw new OperatorError('The request is too large.')
  const parsed = parseJson(Buffer.concat(chunks).toString('utf8'))
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new OperatorError('The request is no JSON object.')
  }
  return { ...parsed }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
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
  let answer: Answer | undefined
  message.setEncoding('utf8')
  try {
    for await (const chunk of message) {
      const lines = `${rest}${chunk}`.split('\n')
      rest = lines.pop() ?? ''
      for (const text of lines) {
        const parsed = JSON.parse(text) as Answer & { progress?: string }
        if (parsed.progress === undefined) answer = parsed
        else progress(parsed.progress)
      }
    }
  } catch (error) {
    if (!isConnectionLost(error)) throw error
  }
  if (answer === undefined) throw endedEarly()
  if (answer.error !== undefined) throw new OperatorError(answer.error)
  return answer.result
}

type Answer = { readonly result?: unknown; readonly error?: string }

function connect(path: string, name: string, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: path, path: `/${name}`, method: 'POST' }, resolve)
    call.once('error', (error: NodeJS.ErrnoException) => {
      const nobody = error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
      if (nobody) reject(new NotRunning('The service is not running.'))
      else reject(isConnectionLost(error) ? endedEarly() : error)
    })
    call.end(body)
  })
}

function isConnectionLost(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ECONNRESET' || code === 'EPIPE'
}

function endedEarly(): OperatorError {
  return new OperatorError('The service ended before it answered.')
}
