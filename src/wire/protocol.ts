import type { ServiceError } from '../base/errors.ts'
import type { StructureSchema } from './schema.ts'

/** A complete HTTP request, as the listener hands it over. */
export type HttpRequest = {
  readonly method: string
  /** The request target exactly as sent: path and query. */
  readonly target: string
  /** Name, value, name, value …, in the order and spelling of arrival. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  readonly remoteAddress: string
  readonly tls?: { readonly version: string; readonly cipher: string }
}

export type Reply = {
  readonly status: number
  /** Name, value, name, value …; Content-Length and the request id included. */
  readonly headers: readonly string[]
  /** Latin-1 text, or bytes. Bytes hold a secret and are wiped once they are sent. */
  readonly body: string | Buffer
}

/** One of AWS's protocols. Throws ServiceError 'serialization', 'validation' or 'unknown-operation'. */
export interface Protocol {
  readonly name: 'json' | 'query'
  decode(schema: StructureSchema, request: HttpRequest): unknown
  encode(
    operation: string,
    schema: StructureSchema | undefined,
    output: unknown,
    requestId: string,
  ): Reply
  /** `signingName` is the service's, when the request got as far as one: KMS names its internal failures itself. */
  encodeError(error: ServiceError, requestId: string, signingName?: string): Reply
}
