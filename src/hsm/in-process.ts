import type { Duplex } from 'node:stream'
import { type Clock, systemClock } from '../base/clock.ts'
import type { CallsOptions } from './calls.ts'
import { HsmClient } from './client.ts'
import { Core } from './core.ts'
import type { ScryptCost } from './drivers/passphrase.ts'
import { memoryPair } from './memory-pair.ts'
import { type Log, Session } from './session.ts'

export type InProcessOptions = CallsOptions & {
  readonly passphrase?: Buffer
  readonly cost?: ScryptCost
  readonly cacheSize?: number
  readonly clock?: Clock
  readonly log?: Log
}

/**
 * A real core without its process: for tests and tools, never for a server, whose process must not hold keys. Core and
 * client speak the whole protocol over an in-memory pair. `directory` must exist. Throws StartRefused.
 */
export function createInProcessCore(directory: string, options: InProcessOptions = {}): HsmClient {
  const { passphrase, cost, cacheSize, clock = systemClock, log = () => {} } = options
  const client = new HsmClient(options)
  const core = new Core({ directory, passphrase, cost, cacheSize, clock })
  client.attach(joinCore(core, log))
  return client
}

/** The client's end of a connection to `core`. */
export function joinCore(core: Core, log: Log = () => {}): Duplex {
  const [clientEnd, coreEnd] = memoryPair()
  const session = new Session(core, coreEnd, log)
  coreEnd.on('data', (chunk: Buffer) => session.receive(chunk))
  return clientEnd
}
