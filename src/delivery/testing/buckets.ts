import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { AccountId } from '../../base/ids.ts'
import {
  DeliveryFailure,
  type TrailBuckets,
  type TrailFile,
  type TrailObstacle,
} from '../bucket.ts'

export type StoredFile = {
  readonly body: Buffer
  readonly metadata: Readonly<Record<string, string>>
}

/** Buckets in memory. */
export class MemoryBuckets implements TrailBuckets {
  readonly owners = new Map<string, AccountId>()
  /** Names of buckets whose policy does not let CloudTrail put files. */
  readonly closed = new Set<string>()
  /** By `bucket/key`. */
  readonly files = new Map<string, TrailFile>()
  /** Every put, in order, as `bucket/key`. */
  readonly puts: string[] = []
  /** Called before each put; what it throws is the put's failure. */
  before: (file: TrailFile) => void | Promise<void> = () => {}
  /** Called after each put took place. */
  after: (file: TrailFile) => void | Promise<void> = () => {}

  async check({ bucket }: { readonly bucket: string }): Promise<TrailObstacle | undefined> {
    if (!this.owners.has(bucket)) return 'no-bucket'
    return this.closed.has(bucket) ? 'no-permission' : undefined
  }

  async put(file: TrailFile): Promise<void> {
    await this.before(file)
    const refusal = await this.check(file)
    if (refusal === 'no-bucket') throw new DeliveryFailure('NoSuchBucket', file.bucket)
    if (refusal === 'no-permission') throw new DeliveryFailure('AccessDenied', file.bucket)
    this.puts.push(`${file.bucket}/${file.key}`)
    this.files.set(`${file.bucket}/${file.key}`, file)
    await this.after(file)
  }

  /** The files of a bucket by their keys. */
  in(bucket: string): Map<string, StoredFile> {
    const found = new Map<string, StoredFile>()
    for (const file of this.files.values()) if (file.bucket === bucket) found.set(file.key, file)
    return found
  }
}

/** Buckets as folders, which outlive the process that writes to them. Metadata stands in a file of its own. */
export class FolderBuckets implements TrailBuckets {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async check(): Promise<undefined> {}

  async put({ bucket, key, body, metadata }: TrailFile): Promise<void> {
    const path = join(this.#folder, bucket, key)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(`${path}.tmp`, body)
    writeFileSync(`${path}.meta`, JSON.stringify(metadata))
    renameSync(`${path}.tmp`, path)
  }

  in(bucket: string): Map<string, StoredFile> {
    const top = join(this.#folder, bucket)
    const found = new Map<string, StoredFile>()
    for (const entry of readdirSync(top, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.gz')) continue
      const path = join(entry.parentPath, entry.name)
      const metadata = JSON.parse(readFileSync(`${path}.meta`, 'utf8')) as Record<string, string>
      found.set(relative(top, path), { body: readFileSync(path), metadata })
    }
    return found
  }
}
