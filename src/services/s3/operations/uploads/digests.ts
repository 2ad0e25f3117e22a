import { createHash } from 'node:crypto'
import { type ChecksumAlgorithm, checksum } from '../../../../base/checksums.ts'
import type { Random } from '../../../../base/random.ts'
import type { StoredEncryption } from '../../attributes.ts'
import { newEtag } from '../../etag.ts'

/** What is computed of plaintext on its way to be encrypted. */
export class Digests {
  readonly #md5
  readonly #checksum

  /** `mode`: how it is encrypted. AWS promises an MD5 as the ETag for SSE-S3 alone, and it costs. */
  constructor(mode: StoredEncryption['mode'], algorithm: ChecksumAlgorithm | undefined) {
    this.#md5 = mode === 'AES256' ? createHash('md5') : undefined
    this.#checksum = algorithm && checksum(algorithm)
  }

  async *of(data: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    for await (const piece of data) {
      this.#md5?.update(piece)
      this.#checksum?.update(piece)
      yield piece
    }
  }

  /** Hexadecimal. To be called once, when all has passed. */
  etag(random: Random): string {
    return this.#md5?.digest('hex') ?? newEtag(random)
  }

  /** Base64. To be called once, when all has passed. */
  checksum(): string | undefined {
    return this.#checksum?.digest().toString('base64')
  }
}
