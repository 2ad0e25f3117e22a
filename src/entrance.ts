import { readFileSync } from 'node:fs'
import type { Clock } from './base/clock.ts'
import { type Config, ConfigError } from './config.ts'
import { type ListenerOptions, startListener } from './listener/listener.ts'
import { overloaded } from './listener/refusals.ts'
import type { Certificate } from './listener/server.ts'

/** What stands behind the listener, once it is there. */
export type Behind = Pick<ListenerOptions, 'onRequest' | 'health' | 'streams'>

export type Entrance = {
  readonly endpoint: string
  /** From now on requests are let in. */
  open(behind: Behind): void
  drain(): Promise<void>
}

const starting: Behind = {
  onRequest: (_request, reply) => reply(overloaded),
  health: () => ({ status: 503, body: '{"status":"starting"}' }),
}

/**
 * Listens before there is anything to serve: what cannot be listened at is known before a data folder is made, and
 * with it the secret that is shown only once. Until it is opened, requests are refused with 503, which clients try
 * again. Undefined without an address; throws ConfigError.
 */
export async function listenFirst(
  { listen, tls, insecurePlaintext }: Config,
  deps: { readonly clock: Clock; readonly log: (line: string) => void },
): Promise<Entrance | undefined> {
  if (listen === undefined) return undefined
  let behind = starting
  try {
    const listener = await startListener({
      ...listen,
      ...deps,
      tls: certificateOf(tls),
      insecurePlaintext,
      onRequest: (request, reply) => behind.onRequest(request, reply),
      streams: (head) => behind.streams?.(head) ?? false,
      health: () => behind.health(),
    })
    return {
      endpoint: listener.endpoint,
      open: (opened) => {
        behind = opened
      },
      drain: () => listener.drain(),
    }
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : String(error))
  }
}

export function certificateOf(tls: Config['tls']): Certificate | undefined {
  return tls && { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) }
}
