import { createHash, type Hash } from 'node:crypto'
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksum,
  checksumBytes,
  isChecksumAlgorithm,
} from '../base/checksums.ts'
import { s3Error } from '../base/errors.ts'
import { mismatch } from './refusals.ts'
import type { RequestHeaders } from './request-headers.ts'
import { invalidRequest } from './s3-refusals.ts'

const prefix = 'x-amz-checksum-'

type Declared = { readonly algorithm: ChecksumAlgorithm; readonly value: string }
type TrailerChain = { requireTrailer(text: string, signature: string): void }

/**
 * The digests that a client declares of its body: Content-MD5, one `x-amz-checksum-*` header, or one trailer.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
export class DeclaredDigests {
  readonly #md5: Hash | undefined
  readonly #declaredMd5: string | undefined
  readonly #trailer: ChecksumAlgorithm | undefined
  #declared: Declared | undefined
  #sum: Checksum | undefined
  #verified = false

  constructor(headers: RequestHeaders, trailers: boolean) {
    this.#declaredMd5 = fieldOf(headers, 'content-md5')
    if (this.#declaredMd5 !== undefined) {
      if (!isBase64Of(this.#declaredMd5, 16)) throw s3Error('InvalidDigest')
      this.#md5 = createHash('md5')
    }
    this.#declared = declaredIn(headers)
    const trailer = trailerOf(headers)
    // What is announced and cannot come would pass for a digest that was compared.
    if (trailer !== undefined && !trailers) throw unsupportedTrailer()
    this.#trailer = trailer
    if (this.#declared !== undefined && this.#trailer !== undefined) throw severalChecksums()
    const asked = fieldOf(headers, 'x-amz-sdk-checksum-algorithm')
    const algorithm = this.#declared?.algorithm ?? this.#trailer
    if (asked !== undefined && algorithm === undefined) {
      throw invalidRequest(
        'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were ' +
          'found.',
      )
    }
    if (asked !== undefined && asked.toLowerCase() !== algorithm) {
      throw invalidRequest('Value for x-amz-sdk-checksum-algorithm header is invalid.')
    }
    this.#sum = algorithm && checksum(algorithm)
  }

  /** What was declared, once it was found to be so. */
  get checksum(): Declared | undefined {
    return this.#verified ? this.#declared : undefined
  }

  ignoreChecksum(): void {
    this.#declared = undefined
    this.#sum = undefined
  }

  update(bytes: Buffer): void {
    this.#md5?.update(bytes)
    this.#sum?.update(bytes)
  }

  /** Takes the trailers in: the one that was announced and, in a signed body, the signature of it. */
  take(trailers: ReadonlyMap<string, string>, chain: TrailerChain | undefined): void {
    const algorithm = this.#trailer
    const value = trailers.get(`${prefix}${algorithm}`)
    const others = trailers.size - (algorithm === undefined ? 0 : 1) - (chain === undefined ? 0 : 1)
    if (algorithm !== undefined && value === undefined) throw s3Error('MalformedTrailerError')
    if (others !== 0) throw s3Error('MalformedTrailerError')
    if (chain !== undefined) {
      const signature = trailers.get('x-amz-trailer-signature')
      if (signature === undefined) throw mismatch('trailers without a signature')
      const text = algorithm === undefined ? '' : `${prefix}${algorithm}:${value}\n`
      chain.requireTrailer(text, signature)
    }
    if (algorithm === undefined || value === undefined) return
    if (!isBase64Of(value, checksumBytes[algorithm])) throw invalidValue(algorithm)
    this.#declared = { algorithm, value }
  }

  /** Throws 'BadDigest'. */
  verify(): void {
    const md5 = this.#md5?.digest('base64')
    if (md5 !== this.#declaredMd5) {
      throw s3Error(
        'BadDigest',
        { ExpectedDigest: this.#declaredMd5 ?? '', CalculatedDigest: md5 ?? '' },
        { text: 'The Content-MD5 you specified did not match what we received.' },
      )
    }
    const computed = this.#sum?.digest().toString('base64')
    if (computed !== this.#declared?.value) {
      const name = this.#declared?.algorithm.toUpperCase() ?? ''
      throw s3Error('BadDigest', undefined, {
        text: `The ${name} you specified did not match the calculated checksum.`,
      })
    }
    this.#verified = true
  }
}

function declaredIn(headers: RequestHeaders): Declared | undefined {
  let declared: Declared | undefined
  for (const [at, name] of headers.names.entries()) {
    if (!name.startsWith(prefix)) continue
    const algorithm = name.slice(prefix.length)
    if (!isChecksumAlgorithm(algorithm)) continue
    const value = headers.values[at] ?? ''
    if (declared !== undefined) throw severalChecksums()
    if (!isBase64Of(value, checksumBytes[algorithm])) throw invalidValue(algorithm)
    declared = { algorithm, value }
  }
  return declared
}

function trailerOf(headers: RequestHeaders): ChecksumAlgorithm | undefined {
  const value = fieldOf(headers, 'x-amz-trailer')
  if (value === undefined) return undefined
  const name = value.toLowerCase()
  const algorithm = name.slice(prefix.length)
  if (!name.startsWith(prefix) || !isChecksumAlgorithm(algorithm)) {
    throw unsupportedTrailer()
  }
  return algorithm
}

function fieldOf({ names, values }: RequestHeaders, wanted: string): string | undefined {
  const at = names.indexOf(wanted)
  if (at === -1) return undefined
  if (names.includes(wanted, at + 1)) throw invalidRequest(`${wanted} stands twice`)
  return values[at]
}

/** Canonical Base64 of so many bytes, and of nothing else. */
function isBase64Of(text: string, bytes: number): boolean {
  const decoded = Buffer.from(text, 'base64')
  return decoded.length === bytes && decoded.toString('base64') === text
}

function unsupportedTrailer() {
  return invalidRequest('The value specified in the x-amz-trailer header is not supported')
}

function severalChecksums() {
  return invalidRequest(
    'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
  )
}

function invalidValue(algorithm: ChecksumAlgorithm) {
  return invalidRequest(`Value for ${prefix}${algorithm} header is invalid.`)
}
