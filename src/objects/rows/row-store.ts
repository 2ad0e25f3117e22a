import { internalError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import { keyBytes } from '../keys.ts'
import { chooseParts, partsMax, requirePartNumber } from '../parts.ts'
import {
  type Complete,
  type Deleted,
  type DeleteOptions,
  type Listing,
  type ListQuery,
  type NewUpload,
  nullVersion,
  type ObjectStore,
  type OpenObject,
  type Part,
  type PartListing,
  type Put,
  type PutPart,
  type Upload,
  type UploadListing,
  type UploadName,
  type UploadsQuery,
  type Version,
  type Versioning,
  type VersionListing,
  type VersionName,
  type VersionsQuery,
  type Which,
} from '../port.ts'
import type { Bodies } from './bodies.ts'
import { BodyReader } from './body-reader.ts'
import { type WrittenBody, writeBody } from './body-writer.ts'
import { Leases } from './leases.ts'
import type { Change, Opened, Question } from './messages.ts'
import type { RowsClient } from './rows-client.ts'

/** Rows in SQLite, and the bytes that are too many for them in bodies somewhere. */
export class RowStore implements ObjectStore {
  readonly #rows: RowsClient
  readonly #random: Random
  readonly #bodies: Bodies
  readonly #leases: Leases
  #closing: Promise<void> | undefined

  constructor(rows: RowsClient, bodies: Bodies, random: Random) {
    this.#rows = rows
    this.#bodies = bodies
    this.#random = random
    this.#leases = new Leases(rows, bodies)
  }

  get healthy(): boolean {
    return this.#rows.healthy && this.#bodies.healthy
  }

  async createBucket(bucket: string): Promise<void> {
    await this.#change({ kind: 'create-bucket', bucket })
  }

  async deleteBucket(bucket: string): Promise<void> {
    await this.#change({ kind: 'delete-bucket', bucket })
  }

  async put(bucket: string, key: string, put: Put): Promise<Version> {
    keyBytes(key)
    const target = { bucket, key, ...this.#newVersion(put) }
    const { body, finished } = await this.#write(put.data, (size) =>
      put.finish({ size, versionId: target.versionId }),
    )
    const { segmentSidecar: sidecar, ...beside } = finished
    const change = { kind: 'put', target, beside, sidecar, stored: body.stored } as const
    return this.#commit(body, change) as Promise<Version>
  }

  head(bucket: string, key: string, versionId?: string): Promise<Version> {
    return this.#ask({ kind: 'head', name: { bucket, key, versionId } }) as Promise<Version>
  }

  async open(bucket: string, key: string, { versionId, range }: Which = {}): Promise<OpenObject> {
    const release = this.#leases.take()
    try {
      const opened = await this.#open({ bucket, key, versionId }, range)
      return new BodyReader(opened, this.#bodies, release)
    } catch (error) {
      release()
      throw error
    }
  }

  delete(bucket: string, key: string, options: DeleteOptions): Promise<Deleted> {
    const { versioning, versionId: remove, ifMatch } = options
    const target = { bucket, key, ...this.#newVersion({ versioning }) }
    return this.#change({ kind: 'delete', target, remove, ifMatch }) as Promise<Deleted>
  }

  setTagging(
    bucket: string,
    key: string,
    versionId: string | undefined,
    tagging: string,
  ): Promise<Version> {
    const name = { bucket, key, versionId }
    return this.#change({ kind: 'set-tagging', name, tagging }) as Promise<Version>
  }

  list(bucket: string, query: ListQuery): Promise<Listing> {
    return this.#ask({ kind: 'list', bucket, query }) as Promise<Listing>
  }

  listVersions(bucket: string, query: VersionsQuery): Promise<VersionListing> {
    return this.#ask({ kind: 'versions', bucket, query }) as Promise<VersionListing>
  }

  async createUpload(bucket: string, key: string, upload: NewUpload): Promise<string> {
    keyBytes(key)
    // Uploads of a key are shown in the order of their ids, which begins with the time that the writer's clock has.
    const time = this.#rows.now().toString(16).padStart(12, '0')
    const uploadId = time + this.#random.bytes(20).toString('hex')
    await this.#change({ kind: 'create-upload', name: { bucket, key, uploadId }, upload })
    return uploadId
  }

  upload(name: UploadName): Promise<Upload> {
    return this.#ask({ kind: 'upload', name }) as Promise<Upload>
  }

  async putPart(name: UploadName, number: number, part: PutPart): Promise<Part> {
    requirePartNumber(number)
    const { body, finished } = await this.#write(part.data, (size) => part.finish({ size }))
    const { segmentSidecar: sidecar, etag, attributes } = finished
    const beside = { etag, attributes }
    const { stored } = body
    const change = { kind: 'put-part', name, number, beside, sidecar, stored } as const
    return this.#commit(body, change) as Promise<Part>
  }

  listParts(name: UploadName, query: { after: number; max: number }): Promise<PartListing> {
    return this.#ask({ kind: 'parts', name, ...query }) as Promise<PartListing>
  }

  async complete(name: UploadName, complete: Complete): Promise<Version> {
    const upload = await this.upload(name)
    const { parts: all } = await this.listParts(name, { after: 0, max: partsMax })
    const parts = chooseParts(all, complete.parts)
    const target = { bucket: name.bucket, key: name.key, ...this.#newVersion(complete) }
    const size = parts.reduce((sum, part) => sum + part.size, 0)
    const written = { size, versionId: target.versionId }
    const { segmentSidecars, ...beside } = complete.finish(parts, upload, written)
    if (segmentSidecars.length !== parts.length) throw internalError('a sidecar for each part')
    const change = { kind: 'complete', name, target, beside, parts, segmentSidecars } as const
    return this.#change(change) as Promise<Version>
  }

  async abort(name: UploadName): Promise<void> {
    await this.#change({ kind: 'abort', name })
  }

  listUploads(bucket: string, query: UploadsQuery): Promise<UploadListing> {
    return this.#ask({ kind: 'uploads', bucket, query }) as Promise<UploadListing>
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    // What is still asked of bodies that do not answer ends with them.
    const stopped = this.#leases.stop()
    await this.#bodies.close()
    await stopped
    await this.#rows.close()
  }

  #newVersion<T extends { readonly versioning: Versioning }>(
    given: T,
  ): Pick<T, 'versioning'> & { versionId: string; condition?: Put['condition'] } {
    const { versioning, condition } = given as T & Pick<Put, 'condition'>
    const versionId =
      versioning === 'enabled' ? this.#random.bytes(24).toString('base64url') : nullVersion
    return { versioning, versionId, condition }
  }

  #write<Finished extends { segmentSidecar: Buffer; chunkTags: Buffer }>(
    data: AsyncIterable<Buffer>,
    finish: (size: number) => Finished,
  ): Promise<{ body: WrittenBody; finished: Finished }> {
    if (this.#closing !== undefined) return Promise.reject(internalError('the objects are closed'))
    return writeBody(this.#bodies, data, finish)
  }

  /**
   * What was refused leaves no body behind, nor does a full disk. Only where the rows can no longer be written is it
   * unknown whether one names the body: the next start finds out.
   */
  async #commit(body: WrittenBody, change: Change): Promise<unknown> {
    try {
      return await this.#change(change)
    } catch (error) {
      if (this.#rows.healthy) await body.discard()
      throw error
    }
  }

  async #open(name: VersionName, range?: Which['range']): Promise<Opened> {
    return (await this.#ask({ kind: 'open', name, range })) as Opened
  }

  #ask(question: Question): Promise<unknown> {
    if (this.#closing !== undefined) return Promise.reject(internalError('the objects are closed'))
    return this.#rows.ask(question)
  }

  #change(change: Change): Promise<unknown> {
    if (this.#closing !== undefined) return Promise.reject(internalError('the objects are closed'))
    return this.#rows.change(change)
  }
}
