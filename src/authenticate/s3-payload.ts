import { createHash, type Hash, hash } from 'node:crypto'
import { type ServiceError, s3Error } from '../base/errors.ts'
import { AwsChunked } from '../wire/aws-chunked.ts'
import type { HttpRequest, SignedBody } from '../wire/protocol.ts'
import { mismatch } from './refusals.ts'
import type { RequestHeaders } from './request-headers.ts'
import { DeclaredDigests } from './s3-digests.ts'
import type { ChunkKey } from './signing-key.ts'

/** What a chunk is signed with and behind: the day's key, the time and scope, and the signature of the head. */
export type ChunkSeal = {
  readonly key: ChunkKey
  readonly timestamp: string
  readonly scope: string
  readonly seed: string
}

const emptyHash = hash('sha256', '', 'hex')
const chunkBytesMin = 8192
const lengthPattern = /^\d{1,15}$/

/**
 * The body of a request to S3, as its head says it must be: its bytes are handed on as they come, and the iteration
 * ends only if all of it was as it was signed and declared, so nothing may be made visible before that.
 *
 * Throws 'MissingContentLength', 'NotImplemented', and what `DeclaredDigests` throws; iterating throws
 * 'IncompleteBody', 'XAmzContentSHA256Mismatch', 'BadDigest', 'invalid-signature' for a chunk, and others of S3.
 */
export class S3Payload implements SignedBody {
  readonly #length: number
  readonly #request: HttpRequest
  readonly #contentSha256: string
  readonly #digests: DeclaredDigests
  readonly #seal: ChunkSeal | undefined

  constructor(
    request: HttpRequest,
    headers: RequestHeaders,
    contentSha256: string,
    seal: ChunkSeal | undefined,
  ) {
    this.#request = request
    this.#contentSha256 = contentSha256
    this.#seal = seal
    const trailers = contentSha256.endsWith('-TRAILER')
    this.#digests = new DeclaredDigests(headers, trailers)
    this.#length = this.#isChunked ? decodedLength(headers) : plainLength(request)
  }

  get length(): number {
    return this.#length
  }

  get checksum() {
    return this.#digests.checksum
  }

  /** What the headers declare is not of these bytes but of an object: it is not compared. */
  declaresObject(): void {
    this.#digests.ignoreChecksum()
  }

  cancel(): void {
    this.#seal?.key.wipe()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    try {
      if (this.#isChunked) yield* this.#chunks()
      else yield* this.#plain()
      this.#digests.verify()
    } finally {
      this.cancel()
    }
  }

  get #isChunked(): boolean {
    return this.#contentSha256.startsWith('STREAMING-')
  }

  #pieces(): AsyncIterable<Buffer> | Iterable<Buffer> {
    const { stream, body } = this.#request
    return stream ?? (body.length === 0 ? [] : [body])
  }

  async *#plain(): AsyncGenerator<Buffer, void> {
    const sha256 = this.#contentSha256 === 'UNSIGNED-PAYLOAD' ? undefined : createHash('sha256')
    let left = this.#length
    for await (const piece of this.#pieces()) {
      left -= piece.length
      sha256?.update(piece)
      this.#digests.update(piece)
      yield piece
    }
    if (left !== 0) throw s3Error('IncompleteBody')
    const computed = sha256?.digest('hex') ?? this.#contentSha256
    if (computed !== this.#contentSha256) {
      throw s3Error('XAmzContentSHA256Mismatch', {
        ClientComputedContentSHA256: this.#contentSha256,
        S3ComputedContentSHA256: computed,
      })
    }
  }

  async *#chunks(): AsyncGenerator<Buffer, void> {
    const trailers = this.#contentSha256.endsWith('-TRAILER')
    const chunks = new AwsChunked({ signed: this.#seal !== undefined, trailers })
    const chain = this.#seal && new SignatureChain(this.#seal)
    let left = this.#length
    let before = chunkBytesMin
    for await (const piece of this.#pieces()) {
      chunks.feed(piece)
      for (let event = chunks.next(); event !== 'more'; event = chunks.next()) {
        if (event === 'chunk') {
          // Only the last one may be small, signed or not: each costs more than its bytes.
          if (chunks.size > 0 && before < chunkBytesMin) throw s3Error('InvalidChunkSizeError')
          before = chunks.size
          if (chunks.size > left) throw s3Error('IncompleteBody')
          left -= chunks.size
          chain?.begin(chunks.size, chunks.signature)
        } else if (event === 'data') {
          chain?.update(chunks.data)
          this.#digests.update(chunks.data)
          yield chunks.data
        } else if (event === 'chunk-end') chain?.end()
        else if (event === 'trailers') this.#digests.take(chunks.trailers, chain)
      }
    }
    if (!chunks.isEnded || left !== 0) throw s3Error('IncompleteBody')
  }
}

/** Each chunk is signed together with the signature before it, so none can be left out, moved or repeated. */
export class SignatureChain {
  readonly #seal: ChunkSeal
  #previous: string
  #claimed = ''
  #hash: Hash | undefined

  constructor(seal: ChunkSeal) {
    this.#seal = seal
    this.#previous = seal.seed
  }

  begin(size: number, signature: string): void {
    this.#claimed = signature
    this.#hash = createHash('sha256')
    // The empty chunk has no data that could end.
    if (size === 0) this.end()
  }

  update(data: Buffer): void {
    this.#hash?.update(data)
  }

  end(): void {
    const digest = this.#hash?.digest('hex') ?? ''
    this.#verify('AWS4-HMAC-SHA256-PAYLOAD', `${emptyHash}\n${digest}`, this.#claimed)
  }

  /** `text`: the trailers as they are signed, a line each. */
  requireTrailer(text: string, signature: string): void {
    this.#verify('AWS4-HMAC-SHA256-TRAILER', hash('sha256', text, 'hex'), signature)
  }

  #verify(kind: string, signed: string, claimed: string): void {
    const { key, timestamp, scope } = this.#seal
    const text = `${kind}\n${timestamp}\n${scope}\n${this.#previous}\n${signed}`
    if (!key.verifies(text, claimed)) throw chunkMismatch(kind)
    this.#previous = claimed
  }
}

function chunkMismatch(kind: string): ServiceError {
  return mismatch(`${kind} of a chunk or trailer`)
}

function decodedLength({ names, values }: RequestHeaders): number {
  const given = names.flatMap((name, at) =>
    name === 'x-amz-decoded-content-length' ? [values[at] ?? ''] : [],
  )
  const [length = ''] = given
  if (given.length !== 1 || !lengthPattern.test(length)) throw s3Error('MissingContentLength')
  return Number(length)
}

function plainLength({ stream, body }: HttpRequest): number {
  if (stream === undefined) return body.length
  if (stream.length === undefined) throw s3Error('NotImplemented', { Header: 'Transfer-Encoding' })
  return stream.length
}
