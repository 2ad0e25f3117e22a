import type { Reply } from '../wire/protocol.ts'
import { type RefusalStatus, servedMethods } from './request-head.ts'

/** Answers to what is no request, or did not come in time: there is nobody to explain it to, so they have no body. */
const replies: Readonly<Record<RefusalStatus | 408, Reply>> = {
  400: bare(400),
  405: bare(405, 'Allow', [...servedMethods].join(', ')),
  408: bare(408),
  411: bare(411),
  414: bare(414),
  417: bare(417),
  431: bare(431),
}

export function refusalReply(status: RefusalStatus | 408): Reply {
  return replies[status]
}

function bare(status: number, ...headers: string[]): Reply {
  return { status, headers: [...headers, 'Content-Length', '0'], body: '' }
}
