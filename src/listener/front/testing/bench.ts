import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HttpRequest, Reply } from '../../../wire/protocol.ts'
import type { Limits } from '../../limits.ts'
import { type Listener, type ListenerOptions, startListener } from '../listener.ts'

export const now = Date.UTC(2026, 0, 2, 3, 4, 5)

type Seen = HttpRequest & { readonly text: string; readonly reply: (reply: Reply) => void }

/** A listener on a free port of loopback that keeps what it is asked and echoes the body, unless told otherwise. */
export async function listening(
  context: TestContext,
  limits: Partial<Limits> = {},
  options: Partial<ListenerOptions> = {},
): Promise<{ listener: Listener; port: number; seen: Seen[]; log: string[] }> {
  const seen: Seen[] = []
  const log: string[] = []
  const listener = await startListener({
    host: '127.0.0.1',
    port: 0,
    insecurePlaintext: false,
    limits: { drainMs: 2000, ...limits },
    onRequest: (request, reply) => {
      const text = request.body.toString('latin1')
      seen.push({ ...request, text, reply })
      reply(textReply(text))
    },
    health: () => ({ status: 200, body: '{"status":"ok"}' }),
    clock: { now: () => now },
    log: (line) => log.push(line),
    ...options,
  })
  context.after(() => listener.drain())
  return { listener, port: listener.port, seen, log }
}

export function textReply(body: string): Reply {
  return { status: 200, headers: ['Content-Length', String(body.length)], body }
}

export function bytesReply(body: Buffer): Reply {
  return { status: 200, headers: ['Content-Length', String(body.length)], body }
}

/** Waits until it holds. Gives up after `ms`. */
export async function until(holds: () => boolean, ms = 4000): Promise<void> {
  for (let waited = 0; !holds(); waited += 5) {
    if (waited > ms) throw new Error(`waited in vain for ${holds}`)
    await sleep(5)
  }
}
