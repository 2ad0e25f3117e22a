import { ServiceError } from '../base/errors.ts'
import { wireError } from './errors.ts'
import { hasMediaType, soleHeader } from './header.ts'
import { readJson } from './json/read.ts'
import { quote, writeJson } from './json/write.ts'
import type { HttpRequest, Protocol, Reply } from './protocol.ts'
import { validate } from './validate.ts'
import { wipeSensitive } from './wipe.ts'

/**
 * AWS JSON 1.1: `POST /` with `X-Amz-Target: Prefix.Operation` and a JSON object.
 * https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
const mediaType = 'application/x-amz-json-1.1'

/** A longer X-Amz-Target names no operation of ours. */
const targetLengthMax = 256

export const awsJson: Protocol = {
  name: 'json',

  /**
   * AWS chooses the protocol by the Content-Type, so that without `application/x-amz-json-1.1` (parameters may
   * follow) there is no operation to find: 'unknown-operation'. Version 1.0 is not offered by KMS.
   */
  decode(schema, request) {
    if (!hasMediaType(request, mediaType)) throw new ServiceError('unknown-operation')
    const input = readJson(schema, request.body)
    try {
      validate(schema, input)
    } catch (error) {
      wipeSensitive(schema, input)
      throw error
    }
    return input
  },

  encode(_operation, schema, output, requestId) {
    return reply(200, requestId, schema === undefined ? '' : writeJson(schema, output))
  },

  /** `{"__type":"NotFoundException","message":"…"}`; AccessDeniedException alone spells it `Message`. */
  encodeError(error, requestId, signingName) {
    const { name, status, message } = wireError(error, 'json', signingName)
    const member = error.code === 'access-denied' ? 'Message' : 'message'
    const text = message === undefined ? '' : `,"${member}":${quote(message)}`
    return reply(status, requestId, `{"__type":"${name}"${text}}`)
  },
}

function reply(status: number, requestId: string, body: string | Buffer): Reply {
  const headers = [
    'x-amzn-RequestId',
    requestId,
    'Content-Type',
    mediaType,
    'Content-Length',
    String(body.length),
  ]
  return { status, headers, body }
}

/**
 * What `X-Amz-Target` asks for, split at its last dot: prefixes may hold dots themselves. Undefined unless the
 * request is a POST to `/` with exactly one such header.
 */
export function targetOf(
  request: HttpRequest,
): { readonly prefix: string; readonly operation: string } | undefined {
  if (request.method !== 'POST') return undefined
  if (request.target !== '/' && !request.target.startsWith('/?')) return undefined
  const target = soleHeader(request, 'x-amz-target')
  if (target === undefined || target.length > targetLengthMax) return undefined
  const dot = target.lastIndexOf('.')
  if (dot <= 0 || dot === target.length - 1) return undefined
  return { prefix: target.slice(0, dot), operation: target.slice(dot + 1) }
}
