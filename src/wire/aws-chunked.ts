import { s3Error } from '../base/errors.ts'

/**
 * Reads the content coding `aws-chunked`: chunks with their signatures where there are any, the empty chunk that ends
 * them, and trailers where there are any. Pure; the outcome does not depend on where its pieces were cut.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
export type AwsChunkedForm = { readonly signed: boolean; readonly trailers: boolean }

/**
 * What was found: a `chunk` begins, of `size` bytes and with a `signature`; `data` of it; it is over (`chunk-end`;
 * the empty one has no end of its own); all `trailers` were read, which is the end.
 */
export type AwsChunkedEvent = 'chunk' | 'data' | 'chunk-end' | 'trailers' | 'end' | 'more'

const lineBytesMax = 128
const trailerBytesMax = 4096
const trailersMax = 8
const sizePattern = /^[0-9a-fA-F]{1,12}$/
const signedPattern = /^([0-9a-fA-F]{1,12});chunk-signature=([0-9a-f]{64})$/
const trailerPattern = /^([a-z0-9-]{1,64}):[ \t]*([\x21-\x7e]{0,256})\s*$/

export class AwsChunked {
  readonly #form: AwsChunkedForm
  #state: 'header' | 'data' | 'data-end' | 'trailers' | 'end' = 'header'
  #line = ''
  #left = 0
  #trailerBytes = 0
  size = 0
  signature = ''
  data: Buffer = Buffer.alloc(0)
  readonly trailers = new Map<string, string>()
  #at = 0
  #input: Buffer = this.data

  constructor(form: AwsChunkedForm) {
    this.#form = form
  }

  feed(input: Buffer): void {
    this.#input = input
    this.#at = 0
  }

  get isEnded(): boolean {
    return this.#state === 'end'
  }

  /** To be called until it needs more. Throws what S3 answers to chunks that break the rules. */
  next(): AwsChunkedEvent {
    for (;;) {
      if (this.#state === 'data' && this.#left === 0) {
        this.#state = 'data-end'
        return 'chunk-end'
      }
      if (this.#state === 'data') return this.#takeData()
      if (this.#state === 'end') {
        if (this.#at < this.#input.length) throw malformed('bytes behind the end')
        return 'more'
      }
      const line = this.#takeLine()
      if (line === undefined) return 'more'
      const event = this.#readLine(line)
      if (event !== undefined) return event
    }
  }

  #takeData(): AwsChunkedEvent {
    const taken = Math.min(this.#left, this.#input.length - this.#at)
    if (taken === 0) return 'more'
    this.data = this.#input.subarray(this.#at, this.#at + taken)
    this.#at += taken
    this.#left -= taken
    return 'data'
  }

  #readLine(line: string): AwsChunkedEvent | undefined {
    switch (this.#state) {
      case 'data-end':
        if (line !== '') throw malformed('a chunk is longer than it says')
        this.#state = 'header'
        return undefined
      case 'header':
        return this.#readHeader(line)
      default:
        return this.#readTrailer(line)
    }
  }

  #readHeader(line: string): AwsChunkedEvent {
    const [, size = line, signature = ''] = (this.#form.signed && signedPattern.exec(line)) || []
    if (!sizePattern.test(size)) throw malformed('the header of a chunk')
    this.size = Number.parseInt(size, 16)
    this.signature = signature
    this.#left = this.size
    // Behind the empty chunk there is no data, and so no line end of it.
    this.#state = this.size === 0 ? 'trailers' : 'data'
    return 'chunk'
  }

  #readTrailer(line: string): AwsChunkedEvent | undefined {
    if (line === '') {
      this.#state = 'end'
      return this.#form.trailers ? 'trailers' : 'end'
    }
    const [, name = '', value = ''] = trailerPattern.exec(line) ?? []
    if (!this.#form.trailers || name === '' || this.trailers.has(name)) {
      throw s3Error('MalformedTrailerError')
    }
    if (this.trailers.size === trailersMax) throw s3Error('MalformedTrailerError')
    this.trailers.set(name, value)
    return undefined
  }

  /** A line without its CRLF, once it is whole. */
  #takeLine(): string | undefined {
    const end = this.#input.indexOf(0x0a, this.#at)
    const to = end === -1 ? this.#input.length : end + 1
    const max = this.#state === 'trailers' ? trailerBytesMax : lineBytesMax
    const taken = to - this.#at
    if (this.#state === 'trailers') this.#trailerBytes += taken
    if (this.#line.length + taken > max || this.#trailerBytes > trailerBytesMax) {
      throw malformed('a line that is too long')
    }
    this.#line += this.#input.toString('latin1', this.#at, to)
    this.#at = to
    if (end === -1) return undefined
    const line = this.#line
    this.#line = ''
    if (!line.endsWith('\r\n')) throw malformed('a line without CRLF')
    return line.slice(0, -2)
  }
}

function malformed(detail: string) {
  return s3Error('IncompleteBody', undefined, { detail })
}
