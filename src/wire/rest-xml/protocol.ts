import { internalError, type ServiceError, s3Error } from '../../base/errors.ts'
import type { AccountId } from '../../base/ids.ts'
import { wireError } from '../errors.ts'
import type { BodyStream, HttpRequest, Protocol, Reply, SignedBody } from '../protocol.ts'
import { escapeXml } from '../query/xml.ts'
import type { Member, StructureSchema } from '../schema.ts'
import { validate } from '../validate.ts'
import type { GatheringRoom } from './gathering-room.ts'
import { headersOf } from './headers.ts'
import { planOf } from './plan.ts'
import { isHeader, requestHeaders } from './presigned.ts'
import { readElement, readText } from './read.ts'
import type { S3Resource } from './resource.ts'
import { writeElements, writeText } from './write.ts'
import { parseXml } from './xml.ts'

/** Larger than the largest of S3: the completion of an upload of 10,000 parts, with a checksum each. */
const xmlBytesMax = 4 * 1024 * 1024
/** Of a request whose operation has no body: it is compared with what was signed, and dropped. */
const uselessBytesMax = 64 * 1024
const prolog = '<?xml version="1.0" encoding="UTF-8"?>\n'

/** Headers that are looked at elsewhere: by the signature, by the digests of the body, by nobody but the client. */
const knownHeaders: ReadonlySet<string> = new Set([
  ...['x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token', 'x-amz-user-agent'],
  ...['x-amz-decoded-content-length', 'x-amz-trailer', 'x-amz-sdk-checksum-algorithm'],
  ...['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'].map((each) => `x-amz-checksum-${each}`),
])
const knownParameters: ReadonlySet<string> = new Set([
  ...['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date', 'X-Amz-Expires', 'X-Amz-Signature'],
  ...['X-Amz-SignedHeaders', 'X-Amz-Security-Token', 'X-Amz-Content-Sha256', 'x-id'],
])

/**
 * REST XML as S3 speaks it, for one request: what it names, where its members are, and the answer to it.
 * https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html
 *
 * What a request brings and its operation does not have is refused, not ignored: a header `x-amz-…` or a parameter
 * that meant something to its sender must not be dropped in silence.
 */
export class RestXml implements Protocol {
  readonly name = 'rest-xml'
  readonly #resource: S3Resource
  readonly #namespace: string
  readonly #routed: ReadonlySet<string>
  readonly #room: GatheringRoom
  #giveBack: (() => void) | undefined
  #body: SignedBody | undefined
  #whole: Buffer | undefined

  /** `routed`: parameters that its route has looked at. */
  constructor(
    resource: S3Resource,
    namespace: string,
    routed: ReadonlySet<string>,
    room: GatheringRoom,
  ) {
    this.#resource = resource
    this.#room = room
    this.#routed = routed
    this.#namespace = namespace
  }

  gather(schema: StructureSchema, body: SignedBody, account: AccountId): Promise<void> | undefined {
    this.#body = body
    const member = planOf(schema).payload?.[1]
    const binding = member?.http?.in === 'payload' ? member.http : undefined
    if (binding?.ofObject === true) body.declaresObject()
    if (member?.type === 'stream' || body.length === 0) return undefined
    const bytesMax = binding === undefined ? uselessBytesMax : (binding.bytesMax ?? xmlBytesMax)
    if (body.length > bytesMax) throw s3Error('MaxMessageLengthExceeded')
    if (binding === undefined) return drain(body)
    this.#giveBack = this.#room.take(body.length, account)
    return this.#gather(body)
  }

  release(): void {
    this.#giveBack?.()
  }

  async #gather(body: BodyStream): Promise<void> {
    const whole = Buffer.alloc(body.length)
    let filled = 0
    for await (const piece of body) filled += piece.copy(whole, filled)
    this.#whole = whole.subarray(0, filled)
  }

  decode(schema: StructureSchema, request: HttpRequest): unknown {
    const headers = requestHeaders(request.rawHeaders, this.#resource.query)
    const input: Record<string, unknown> = {}
    for (const [name, member] of planOf(schema).members) {
      const value = this.#read(member, headers, request)
      if (value !== undefined) input[name] = value
    }
    this.#refuseUnknown(schema, headers)
    validate(schema, input)
    return input
  }

  #read(member: Member, headers: ReadonlyMap<string, string>, request: HttpRequest): unknown {
    const { http } = member
    const { bucket, key, query } = this.#resource
    switch (http?.in) {
      case 'label':
        return http.name === 'Bucket' ? bucket : key
      case 'header':
        return textIn(member, headers.get(http.name), http.name)
      case 'query':
        return textIn(member, query.get(http.name), http.name)
      case 'prefix':
        return entriesBehind(headers, http.name)
      case 'payload':
        return this.#readPayload(member, http.root, request)
      default:
        throw internalError('a member of an input that has no place in the request')
    }
  }

  #readPayload(
    member: Member,
    root: string | undefined,
    { method, rawHeaders, stream }: HttpRequest,
  ) {
    const whole = this.#whole
    if (member.type === 'stream') {
      if (
        stream === undefined &&
        method === 'PUT' &&
        !headersOf(rawHeaders).has('content-length')
      ) {
        throw s3Error('MissingContentLength')
      }
      return this.#body
    }
    if (whole === undefined || whole.length === 0) {
      if (member.required === true) throw s3Error('MissingRequestBodyError')
      return undefined
    }
    if (member.type === 'blob') return whole
    if (member.type === 'string') return whole.toString('utf8')
    const document = parseXml(whole)
    if (document.name !== root) throw s3Error('MalformedXML')
    return readElement(member, document)
  }

  #refuseUnknown(schema: StructureSchema, headers: ReadonlyMap<string, string>): void {
    const { headers: bound, parameters: asked, prefixes } = planOf(schema)
    for (const name of headers.keys()) {
      if (!name.startsWith('x-amz-') || knownHeaders.has(name) || bound.has(name)) continue
      if (!prefixes.some((prefix) => name.startsWith(prefix))) {
        throw s3Error('NotImplemented', { Header: name.slice(0, 128) })
      }
    }
    for (const name of this.#resource.query.keys()) {
      if (knownParameters.has(name) || asked.has(name) || this.#routed.has(name)) continue
      if (isHeader(name, this.#resource.query)) continue
      throw s3Error(
        'NotImplemented',
        { Parameter: name.slice(0, 128) },
        { text: 'A parameter you provided implies functionality that is not implemented' },
      )
    }
  }

  encode(
    operation: string,
    schema: StructureSchema | undefined,
    output: unknown,
    requestId: string,
  ): Reply {
    const headers = idHeaders(requestId)
    if (schema === undefined)
      return { status: 200, headers: [...headers, ...lengthOf(0)], body: '' }
    const values = output as Readonly<Record<string, unknown>>
    let status = schema.status ?? 200
    for (const [name, member] of planOf(schema).members) {
      const value = values[name]
      const { http } = member
      if (value === undefined || http === undefined) continue
      if (http.in === 'status') status = value as number
      else if (http.in === 'header') headers.push(http.name, writeText(member, value))
      else if (http.in === 'prefix') {
        const entries = Object.entries(value as Readonly<Record<string, string>>)
        for (const [key, text] of entries) headers.push(http.name + key, text)
      }
    }
    return this.#withBody(operation, schema, values, status, headers)
  }

  #withBody(
    operation: string,
    schema: StructureSchema,
    values: Readonly<Record<string, unknown>>,
    status: number,
    headers: string[],
  ): Reply {
    const { payload, hasElements } = planOf(schema)
    const [name, member] = payload ?? []
    const value = name === undefined ? undefined : values[name]
    if (member?.type === 'stream' && value !== undefined) {
      const stream = value as BodyStream
      const body = stream.whole ?? stream
      return { status, headers: [...headers, ...lengthOf(body.length)], body }
    }
    if ((member?.type === 'string' || member?.type === 'blob') && value !== undefined) {
      const body = Buffer.isBuffer(value) ? value : Buffer.from(String(value))
      return { status, headers: [...headers, ...lengthOf(body.length)], body }
    }
    // An answer to HEAD says how long the object is, where its members have that header.
    if (!hasElements) {
      const isLengthKnown = headers.some((each) => each.toLowerCase() === 'content-length')
      const length = status === 204 || status === 304 || isLengthKnown ? [] : lengthOf(0)
      return { status, headers: [...headers, ...length], body: '' }
    }
    const root = schema.root ?? `${operation}Result`
    const xmlns = escapeXml(this.#namespace)
    const text = `${prolog}<${root} xmlns="${xmlns}">${writeElements(schema.members, values)}</${root}>`
    return { status, headers: [...headers, ...xmlHeaders(text)], body: text }
  }

  encodeError(error: ServiceError, requestId: string): Reply {
    const { name, status, message } = wireError(error, 'rest-xml')
    const headers = [...idHeaders(requestId), ...Object.entries(error.headers ?? {}).flat()]
    if (status === 304) return { status, headers, body: '' }
    const said = { Code: name, Message: message ?? name, ...error.members }
    const more = {
      Resource: this.#resource.path,
      RequestId: requestId,
      HostId: hostIdOf(requestId),
    }
    let text = `${prolog}<Error>`
    for (const [element, value] of Object.entries({ ...said, ...more })) {
      text += `<${element}>${escapeXml(value)}</${element}>`
    }
    text += '</Error>'
    return { status, headers: [...headers, ...xmlHeaders(text)], body: text }
  }
}

async function drain(body: BodyStream): Promise<void> {
  for await (const _ of body);
}

function textIn(member: Member, text: string | undefined, name: string): unknown {
  if (text === undefined) return undefined
  return readText(member, text, () =>
    s3Error('InvalidArgument', { ArgumentName: name, ArgumentValue: text.slice(0, 256) }),
  )
}

function entriesBehind(
  headers: ReadonlyMap<string, string>,
  prefix: string,
): Record<string, string> | undefined {
  const found = [...headers].filter(([name]) => name.startsWith(prefix))
  if (found.length === 0) return undefined
  return Object.fromEntries(found.map(([name, value]) => [name.slice(prefix.length), value]))
}

function idHeaders(requestId: string): string[] {
  return ['x-amz-request-id', requestId, 'x-amz-id-2', hostIdOf(requestId)]
}

/** S3 names the host that answered; here there is one, and no more to say than which request it was. */
export function hostIdOf(requestId: string): string {
  return Buffer.from(requestId, 'latin1').toString('base64')
}

function lengthOf(bytes: number): readonly string[] {
  return ['Content-Length', String(bytes)]
}

function xmlHeaders(text: string): readonly string[] {
  return ['Content-Type', 'application/xml', ...lengthOf(text.length)]
}
