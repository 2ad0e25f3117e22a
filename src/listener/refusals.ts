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
