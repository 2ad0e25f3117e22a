import type { HttpRequest, Reply } from '../wire/protocol.ts'
import type { DateHeader } from './date-header.ts'
import type { Limits } from './limits.ts'
import type { RequestHead } from './request-head.ts'

/** What all connections of a listener have in common. */
export type Shared = {
  readonly limits: Limits
  readonly date: DateHeader
  readonly onRequest: (request: HttpRequest, reply: (reply: Reply) => void) => void
  /** Whether the body of a request is handed over as it comes. */
  readonly streams: (head: RequestHead) => boolean
  readonly health: () => Reply
  readonly log: (line: string) => void
  /** Counts sweeps: the clock of all deadlines. */
  tick: number
  /** Bytes that requests hold. */
  bufferedBytes: number
  /** Connections that are open. */
  connections: number
  draining: boolean
}
