import type { Socket } from 'node:net'
import { systemClock } from './base/clock.ts'
import { systemRandom } from './base/random.ts'
import { type Config, ConfigError, type FirstStart } from './config.ts'
import { type Engine, startEngine } from './engine.ts'
import { HsmClient } from './hsm/client.ts'
import { failStop } from './service/fail-stop.ts'
import { outliveReaders } from './supervisor/output.ts'

/**
 * The service process: what the supervisor says to it, over the channel between them. `start` brings the
 * configuration, `core` the socket of a key core (again whenever one had to be replaced), `stop` drains. It says when
 * it is `ready`, and when the socket of a core is lost (`core-lost`): that one may hang, and has to be ended then.
 */
type Message =
  | { readonly type: 'start'; readonly config: Config; readonly firstStart: FirstStart }
  | { readonly type: 'core'; readonly number: number }
  | { readonly type: 'stop' }

process.umask(0o077)
outliveReaders()
failStop(log)

const core = new HsmClient()
let engine: Promise<Engine> | undefined
let stopping = false

process.on('message', (message: Message, socket: Socket | undefined) => {
  if (message.type === 'start') engine = start(message.config, message.firstStart)
  else if (message.type === 'core' && socket !== undefined) attach(message.number, socket)
  else if (message.type === 'stop') stop()
})
// The supervisor is gone, or the terminal says stop to the whole group: drain all the same.
process.on('disconnect', stop)
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop)

function attach(number: number, socket: Socket): void {
  socket.once('close', () => tell({ type: 'core-lost', number }))
  core.attach(socket)
}

/** A supervisor that is gone does not hear; 'disconnect' says so. */
function tell(message: object): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}

async function start(config: Config, firstStart: FirstStart): Promise<Engine> {
  try {
    const started = await startEngine(config, firstStart, {
      hsm: core,
      clock: systemClock,
      random: systemRandom,
      log,
      announce: (text) => void process.stdout.write(text),
    })
    // A thread can be started without any permission model, and then reads what this process may not: journal and
    // lookup have theirs, and from here on none is started. Undefined where there is no model.
    process.permission?.drop('worker')
    tell({ type: 'ready', endpoint: started.endpoint })
    return started
  } catch (error) {
    refuse(error)
  }
}

/** Says why there is no service, and ends. */
function refuse(error: unknown): never {
  const expected =
    error instanceof ConfigError || (error instanceof Error && error.name !== 'TypeError')
  const text = expected && error instanceof Error ? error.message : error
  console.error(`Kagiban cannot start: ${text instanceof Error ? text.stack : text}`)
  process.exit(error instanceof ConfigError ? 2 : 1)
}

function stop(): void {
  if (stopping) return
  stopping = true
  const drained =
    engine === undefined ? Promise.resolve() : engine.then((running) => running.stop())
  drained.then(
    () => process.exit(0),
    (error: unknown) => {
      log(`draining failed: ${error instanceof Error ? error.stack : String(error)}`)
      process.exit(1)
    },
  )
}

function log(line: string): void {
  process.stderr.write(`${new Date(systemClock.now()).toISOString()} ${line}\n`)
}
