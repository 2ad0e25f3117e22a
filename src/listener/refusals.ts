import { STATUS_CODES } from 'node:http'
import type { Reply } from '../wire/protocol.ts'

/**
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
export const headersTooLarge: Reply = { status: 431, headers: ['Content-Length', '0'], body: '' }

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

/** An answer to bytes that are no request, to be written as it is before the connection is closed. */
export function bareAnswer(status: number, date: string): string {
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nDate: ${date}\r\n` +
    'Content-Length: 0\r\nConnection: close\r\n\r\n'
  )
}

/** The status for an error of the HTTP parser; undefined where nobody is left to tell. */
export function statusOf(error: NodeJS.ErrnoException): number | undefined {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return 431
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 413
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408
    default:
      return error.code?.startsWith('HPE_') === true ? 400 : undefined
  }
}
