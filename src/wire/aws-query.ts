import { ServiceError } from '../base/errors.ts'
import { wireError } from './errors.ts'
import type { HttpRequest, Protocol, Reply } from './protocol.ts'
import { type Field, parseForm } from './query/form.ts'
import { readForm } from './query/read.ts'
import { escapeXml, writeXml } from './query/xml.ts'
import { validate } from './validate.ts'
import { wipeSensitive } from './wipe.ts'

/**
 * AWS Query, the protocol of STS and IAM: a form in, XML out.
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 *
 * `namespace` is the XML namespace, `version` the API version that every request must name.
 */
export function awsQuery(namespace: string, version: string): Protocol {
  const xmlns = escapeXml(namespace)
  return {
    name: 'query',

    decode(schema, request) {
      const form = parseForm(request)
      if (textOf(form, 'Version') !== version) throw unknownAction(form)
      const input = readForm(schema, form)
      try {
        validate(schema, input)
      } catch (error) {
        wipeSensitive(schema, input)
        throw error
      }
      return input
    },

    encode(operation, schema, output, requestId) {
      const result =
        schema === undefined
          ? ''
          : `<${operation}Result>${writeXml(schema.members, output)}</${operation}Result>`
      const metadata = `<ResponseMetadata><RequestId>${escapeXml(requestId)}</RequestId></ResponseMetadata>`
      return reply(
        200,
        requestId,
        `<${operation}Response xmlns="${xmlns}">${result}${metadata}</${operation}Response>`,
      )
    },

    encodeError(error, requestId, signingName) {
      const { name, status, message } = wireError(error, 'query', signingName)
      const type = status < 500 ? 'Sender' : 'Receiver'
      const text = message === undefined ? '' : `<Message>${escapeXml(message)}</Message>`
      return reply(
        status,
        requestId,
        `<ErrorResponse xmlns="${xmlns}"><Error><Type>${type}</Type><Code>${name}</Code>${text}</Error>` +
          `<RequestId>${escapeXml(requestId)}</RequestId></ErrorResponse>`,
      )
    },
  }
}

/** What an AWS Query request asks for; undefined for what it does not name, and when it is no form at all. */
export function actionOf(request: HttpRequest): {
  readonly action: string | undefined
  readonly version: string | undefined
} {
  try {
    const form = parseForm(request)
    return { action: textOf(form, 'Action'), version: textOf(form, 'Version') }
  } catch (error) {
    if (error instanceof ServiceError) return { action: undefined, version: undefined }
    throw error
  }
}

function textOf(form: Field, name: string): string | undefined {
  const field = form.fields?.get(name)
  return field?.fields === undefined ? field?.text : undefined
}

/** What a message repeats of the request is bounded. */
const echoMax = 64

function unknownAction(form: Field): ServiceError {
  const action = (textOf(form, 'Action') ?? '').slice(0, echoMax)
  const asked = (textOf(form, 'Version') ?? 'NO_VERSION_SPECIFIED').slice(0, echoMax)
  return new ServiceError(
    'unknown-operation',
    `Could not find operation ${action} for version ${asked}`,
  )
}

function reply(status: number, requestId: string, body: string): Reply {
  const headers = [
    'x-amzn-RequestId',
    requestId,
    'Content-Type',
    'text/xml',
    'Content-Length',
    String(body.length),
  ]
  return { status, headers, body }
}
