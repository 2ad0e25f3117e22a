import { Worker } from 'node:worker_threads'
import { internalError } from '../../base/errors.ts'
import { explain } from './database.ts'
import type { FromRows, ToRows } from './messages.ts'
import { Rows, type RowsOptions, type RowsSeams } from './rows.ts'

/** The way to rows, one message at a time. */
export interface Channel {
  send(message: ToRows): Promise<FromRows>
  close(): Promise<void>
}

/** Rows in a thread of their own, which holds up nobody while it waits for the disk. */
export async function openThread(options: RowsOptions): Promise<Channel> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: options,
    name: options.writer === undefined ? 'objects-read' : 'objects-write',
  })
  const ready = Promise.withResolvers<void>()
  let waiting: PromiseWithResolvers<FromRows> | undefined
  let ended: string | undefined
  const end = (reason: string) => {
    ended ??= reason
    ready.reject(new Error(reason))
    waiting?.resolve({ failed: reason, lasting: true })
    waiting = undefined
  }
  worker.on('message', (message: FromRows | 'ready') => {
    if (message === 'ready') return ready.resolve()
    const answered = waiting
    waiting = undefined
    answered?.resolve(revive(message) as FromRows)
  })
  worker.on('error', (error) => end(explain(error)))
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      end('the thread of the objects ended')
      resolve()
    })
  })
  await ready.promise
  return {
    send(message) {
      if (ended !== undefined) return Promise.resolve({ failed: ended, lasting: true })
      if (waiting !== undefined) return Promise.reject(internalError('one message at a time'))
      waiting = Promise.withResolvers()
      worker.postMessage(compact(message))
      return waiting.promise
    },
    async close() {
      worker.postMessage('close')
      await exited
    },
  }
}

/** Rows without a thread, for tests. */
export async function openInline(options: RowsOptions, seams: RowsSeams): Promise<Channel> {
  const rows = new Rows(options, seams)
  return {
    send: async (message) => rows.handle(message),
    close: async () => rows.close(),
  }
}

/** Buffers arrive as plain arrays of bytes. */
function revive(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  }
  if (typeof value !== 'object' || value === null) return value
  // In place: nobody else has what a message brought, and listings are long.
  const fields = value as Record<string, unknown>
  for (const name in fields) {
    const field = fields[name]
    if (typeof field === 'object' && field !== null) fields[name] = revive(field)
  }
  return fields
}

/** A message takes the whole memory along that a buffer is a part of, unless the buffer is made one of its own. */
function compact(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map(compact)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, compact(each)]))
}
