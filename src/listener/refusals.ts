import type { Reply } from '../wire/protocol.ts'
import { type RefusalStatus, servedMethods } from './request-head.ts'

/*
 * Answers to requests that never become requests of a service. Where an SDK may be at the other end, the body is the
 * error of AWS's JSON protocol.
 * https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
 */
export const bodyTooLarge = json(
  413,
  'RequestEntityTooLargeException',
  'The request body is larger than this service accepts.',
)
export const overloaded = json(
  503,
  'ServiceUnavailable',
  'The request has failed due to a temporary failure of the server.',
)
export const failed = json(500, 'InternalFailure')

/** Answers to what is no request, or did not come in time: there is nobody to explain it to, so they have no body. */
const bareReplies: Readonly<Record<RefusalStatus | 408, Reply>> = {
  400: bare(400),
  405: bare(405, 'Allow', [...servedMethods].join(', ')),
  408: bare(408),
  411: bare(411),
  414: bare(414),
  417: bare(417),
  431: bare(431),
}

export function refusalOf(status: RefusalStatus | 408): Reply {
  return bareReplies[status]
}

function json(status: number, type: string, message?: string): Reply {
  const body = JSON.stringify({ __type: type, message })
  const headers = [
    'Content-Type',
    'application/x-amz-json-1.1',
    'Content-Length',
    String(body.length),
  ]
  return { status, headers, body }
}

function bare(status: number, ...headers: string[]): Reply {
  return { status, headers: [...headers, 'Content-Length', '0'], body: '' }
}
