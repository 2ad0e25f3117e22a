import { ServiceError } from '../../base/errors.ts'
import type { ObjectOpener } from '../../objects/encryption/open.ts'
import type { OpenObject } from '../../objects/port.ts'
import type { BodyStream } from '../../wire/protocol.ts'
import type { Bounds } from './ranges.ts'
import { s3Refusal } from './refusals.ts'

/** What is decrypted before it is answered: a failure is then answered as one, and no stream is needed. One chunk. */
const wholeBytesMax = 64 * 1024

/**
 * The plaintext of an open object, or of a range of it, as the body of an answer: nothing that was not verified. Closes
 * the object and wipes its keys however it ends: at its end, when it breaks off, when its reader leaves, or is never
 * begun (`cancel`). When this rejects, the object is still the caller's to close.
 */
export async function plaintextAnswer(
  object: OpenObject,
  opener: ObjectOpener,
  { start, end }: Bounds,
): Promise<BodyStream> {
  const plaintext = new Plaintext(object, opener, start, end)
  return plaintext.length <= wholeBytesMax ? wholeStream(await plaintext.gather()) : plaintext
}

class Plaintext implements BodyStream {
  readonly length: number
  readonly #object: OpenObject
  readonly #opener: ObjectOpener
  readonly #start: number
  readonly #end: number
  #closed = false

  constructor(object: OpenObject, opener: ObjectOpener, start: number, end: number) {
    this.#object = object
    this.#opener = opener
    this.#start = start
    this.#end = end
    this.length = end - start
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    try {
      yield* this.#opener.decrypt(this.#object, this.#start, this.#end)
    } catch (error) {
      // The connection breaks off; the operator is told why.
      const refusal = s3Refusal(error)
      throw refusal instanceof ServiceError ? new Error(refusal.detail, { cause: error }) : error
    } finally {
      await this.#close()
    }
  }

  cancel(): void {
    this.#close().catch(() => {})
  }

  async gather(): Promise<Buffer> {
    const pieces: Buffer[] = []
    try {
      for await (const piece of this.#opener.decrypt(this.#object, this.#start, this.#end)) {
        pieces.push(piece)
      }
    } catch (error) {
      this.#opener.wipe()
      for (const piece of pieces) piece.fill(0)
      throw s3Refusal(error)
    }
    await this.#close()
    const [only] = pieces
    if (only !== undefined && pieces.length === 1) return only
    const joined = Buffer.concat(pieces)
    for (const piece of pieces) piece.fill(0)
    return joined
  }

  async #close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#opener.wipe()
    await this.#object.close()
  }
}

function wholeStream(whole: Buffer): BodyStream {
  return {
    whole,
    length: whole.length,
    cancel: () => void whole.fill(0),
    async *[Symbol.asyncIterator]() {
      yield whole
    },
  }
}
