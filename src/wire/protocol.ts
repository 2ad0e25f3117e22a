import type { ChecksumAlgorithm } from '../base/checksums.ts'
import type { ServiceError } from '../base/errors.ts'
import type { AccountId } from '../base/ids.ts'
import type { StructureSchema } from './schema.ts'

/**
 * Bytes on their way, in pieces, to be iterated once. Whoever iterates sets the pace. A piece is the iterator's: it is
 * overwritten as soon as the next one is asked for, so what is to be kept is copied.
 */
export type BodyStream = AsyncIterable<Buffer> & {
  /** Bytes in all. What ends before that, or goes on beyond, throws. */
  readonly length: number
  /** To be called in place of iterating, when nobody will. */
  cancel?(): void
  /** All of it, where it is there already: to be taken in place of iterating. */
  readonly whole?: Buffer
}

/** The body of a request that must be as it was signed and declared: iterating it throws at its end where it is not. */
export type SignedBody = BodyStream & {
  /** The checksum that was declared and compared: known once the body was read to its end. In Base64. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined
  /** The checksum that the headers declare is not that of these bytes: it is not compared. */
  declaresObject(): void
  cancel(): void
}

/** The body of a request that is still coming: undefined as a length when only its end will tell. */
export type IncomingStream = AsyncIterable<Buffer> & { readonly length: number | undefined }

/** An HTTP request, as the listener hands it over: complete, or with a body that is pulled from the client. */
export type HttpRequest = {
  readonly method: string
  /** The request target exactly as sent: path and query. */
  readonly target: string
  /** Name, value, name, value …, in the order and spelling of arrival. */
  readonly rawHeaders: readonly string[]
  /** Empty where there is a stream. */
  readonly body: Buffer
  readonly stream?: IncomingStream
  readonly remoteAddress: string
  readonly tls?: { readonly version: string; readonly cipher: string }
}

export type Reply = {
  readonly status: number
  /** Name, value, name, value …; Content-Length and the request id included. */
  readonly headers: readonly string[]
  /**
   * Latin-1 text, bytes, or bytes on their way. Bytes hold a secret and are wiped once they are sent: of a stream each
   * piece, which is the connection's from then on.
   */
  readonly body: string | Buffer | BodyStream
}

/** One of AWS's protocols. Throws ServiceError 'serialization', 'validation' or 'unknown-operation'. */
export interface Protocol {
  readonly name: 'json' | 'query' | 'rest-xml'
  /**
   * Of a protocol of streams: takes in what `decode` needs of the body before it can be called, or undefined when that
   * is nothing. Rejects as `decode` throws. The room for it is the account's, until `release`.
   */
  gather?(schema: StructureSchema, body: SignedBody, account: AccountId): Promise<void> | undefined
  /** To be called when the call that something was gathered for is over. */
  release?(): void
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
