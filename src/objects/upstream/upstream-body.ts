import type { NewBody } from '../rows/bodies.ts'
import type { Budget } from './budget.ts'
import { type Sent, sentOf, type UpstreamEngine, upstreamError } from './engine.ts'
import { UpstreamFailure } from './failure.ts'
import { Gathering } from './gathering.ts'
import type { PartBuffers } from './part-buffers.ts'
import { encodeText, textOf } from './xml.ts'

export type UpstreamBodyOptions = {
  readonly engine: UpstreamEngine
  readonly buffers: PartBuffers
  readonly budget: Budget
}

/** Of one body: what is being sent while the next part gathers. */
const partsAtOnce = 2

/**
 * A body on its way. One that is not larger than a part is put at once, with its length; a larger one, whose length
 * nobody knows before its end, is a multipart upload of parts of one size.
 */
export class UpstreamBody implements NewBody {
  readonly #name: string
  readonly #options: UpstreamBodyOptions
  #gathering: Gathering
  #size = 0
  #uploadId: string | undefined
  readonly #etags: string[] = []
  readonly #sending = new Set<Promise<void>>()
  #failure: unknown
  #asked = false

  constructor(name: string, options: UpstreamBodyOptions) {
    this.#name = name
    this.#options = options
    this.#gathering = new Gathering(options.buffers)
  }

  async add(piece: Buffer): Promise<void> {
    const { bytes: partBytes } = this.#options.buffers
    for (let rest = piece; rest.length > 0; ) {
      // A full part goes when there is more: the whole of a body that fits into one is put without an upload.
      if (this.#gathering.size === partBytes) await this.#sendPart()
      const some = rest.subarray(0, partBytes - this.#gathering.size)
      this.#gathering.add(some)
      this.#size += some.length
      rest = rest.subarray(some.length)
    }
  }

  async end(): Promise<string> {
    try {
      if (this.#uploadId === undefined) await this.#put()
      else await this.#complete()
      return this.#name
    } catch (error) {
      throw unwritten(error)
    }
  }

  /** One attempt: whoever waits has failed already, and what stays is found at a later start. */
  async discard(): Promise<void> {
    await Promise.all(this.#sending)
    this.#gathering.release()
    if (!this.#asked) return
    const { engine } = this.#options
    const name = this.#name
    const uploadId = this.#uploadId
    try {
      if (uploadId !== undefined) {
        await engine.call({ method: 'DELETE', name, query: { uploadId } }, 1).catch(() => {})
      }
      await engine.call({ method: 'DELETE', name }, 1)
    } catch {}
  }

  async #put(): Promise<void> {
    this.#asked = true
    await this.#send(this.#gathering, {})
  }

  async #sendPart(): Promise<void> {
    try {
      this.#uploadId ??= await this.#createUpload()
    } catch (error) {
      throw unwritten(error)
    }
    const index = this.#etags.push('') - 1
    const query = { uploadId: this.#uploadId, partNumber: String(index + 1) }
    const sending = this.#send(this.#gathering, query).then(
      (etag) => {
        this.#etags[index] = etag
      },
      (error: unknown) => {
        this.#failure ??= unwritten(error)
      },
    )
    this.#gathering = new Gathering(this.#options.buffers)
    this.#sending.add(sending)
    void sending.then(() => this.#sending.delete(sending))
    if (this.#sending.size >= partsAtOnce) await Promise.race(this.#sending)
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Answers the ETag. */
  async #send(gathering: Gathering, query: Readonly<Record<string, string>>): Promise<string> {
    try {
      return await this.#sendBytes(gathering.end(), query)
    } finally {
      gathering.release()
    }
  }

  #sendBytes(sent: Sent, query: Readonly<Record<string, string>>): Promise<string> {
    const { engine, budget } = this.#options
    const name = this.#name
    return budget.spend(sent.size, async () => {
      const headers = { 'content-type': 'application/octet-stream' }
      const answer = await engine.call({ method: 'PUT', name, query, headers, sent })
      const { etag } = answer.headers
      if (etag !== undefined && etag !== '') return etag
      throw new UpstreamFailure('it took bytes without an ETag', { passing: false })
    })
  }

  async #createUpload(): Promise<string> {
    this.#asked = true
    const answer = await this.#options.engine.call({
      method: 'POST',
      name: this.#name,
      query: { uploads: '' },
      headers: { 'content-type': 'application/octet-stream' },
    })
    const uploadId = textOf(answer.text, 'UploadId')
    if (uploadId !== undefined && uploadId !== '') return uploadId
    throw new UpstreamFailure('it began an upload without an id', { passing: false })
  }

  async #complete(): Promise<void> {
    const { engine } = this.#options
    const name = this.#name
    await this.#sendPart()
    await Promise.all(this.#sending)
    if (this.#failure !== undefined) throw this.#failure
    const parts = this.#etags.map(
      (etag, index) =>
        `<Part><PartNumber>${index + 1}</PartNumber><ETag>${encodeText(etag)}</ETag></Part>`,
    )
    const xmlns = 'http://s3.amazonaws.com/doc/2006-03-01/'
    const body = `<CompleteMultipartUpload xmlns="${xmlns}">${parts.join('')}</CompleteMultipartUpload>`
    const sent = sentOf(Buffer.from(body))
    const query = { uploadId: this.#uploadId ?? '' }
    const headers = { 'content-type': 'application/xml' }
    await engine.call({ method: 'POST', name, query, headers, sent }).catch((error: unknown) => {
      // It may have been completed by an attempt whose answer was lost.
      if (!(error instanceof UpstreamFailure && error.isAbsence)) throw error
    })
    const { headers: found } = await engine.call({ method: 'HEAD', name })
    if (found['content-length'] === String(this.#size)) return
    const kept = found['content-length']
    throw new UpstreamFailure(`it has ${kept} of ${this.#size} bytes`, { passing: false })
  }
}

function unwritten(error: unknown): Error {
  return upstreamError('a body cannot be written', error)
}
