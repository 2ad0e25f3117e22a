import { randomBytes } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketEncryptionCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { present } from './expect.ts'
import type { Seeded } from './seeded.ts'
import type { TestServer } from './server.ts'

/** What an object says of itself in every kilobyte: if it stands anywhere on a disk, bytes were kept in plain. */
export const plainMark = `PLAIN-${randomBytes(12).toString('hex')}-PLAIN`

/** What a key holds: the id of its content, or nothing. */
type State = string | undefined

/** Objects that workers put, copy, assemble and delete, and what each may be after a kill. */
export class S3World {
  readonly bucket = 'killed'
  readonly #acknowledged = new Map<string, State>()
  /** What was asked for and not answered. */
  readonly #pending = new Map<string, State>()
  #counter = 0
  answers = 0

  async found(server: TestServer, keyArn: string): Promise<void> {
    const s3 = clientOf(server)
    await s3.send(new CreateBucketCommand({ Bucket: this.bucket }))
    const rule = { SSEAlgorithm: 'aws:kms' as const, KMSMasterKeyID: keyArn }
    await s3.send(
      new PutBucketEncryptionCommand({
        Bucket: this.bucket,
        ServerSideEncryptionConfiguration: {
          Rules: [{ ApplyServerSideEncryptionByDefault: rule }],
        },
      }),
    )
    s3.destroy()
  }

  /** Until told to stop, in several workers that each have keys of their own. */
  async work(server: TestServer, random: Seeded, stopped: () => boolean): Promise<void> {
    const s3 = clientOf(server)
    const workers = Array.from({ length: 4 }, async (_, worker) => {
      while (!stopped()) {
        const key = `w${worker}/k${random.between(0, 6)}`
        await this.#change(s3, key, worker, random).catch(() => {})
      }
    })
    await Promise.all(workers)
    s3.destroy()
  }

  async #change(s3: S3Client, key: string, worker: number, random: Seeded): Promise<void> {
    const chance = random.between(0, 10)
    if (chance < 2) {
      return this.#acknowledge(key, undefined, () =>
        s3.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key })),
      )
    }
    const source = `w${worker}/k${random.between(0, 6)}`
    const copied = this.#acknowledged.get(source)
    if (chance < 4 && copied !== undefined && source !== key && !this.#pending.has(source)) {
      const CopySource = `${this.bucket}/${source}`
      return this.#acknowledge(key, copied, () =>
        s3.send(new CopyObjectCommand({ Bucket: this.bucket, Key: key, CopySource })),
      )
    }
    const isLarge = chance >= 9
    const id = `${this.#counter++}-${isLarge ? 5 * 1024 * 1024 + 77 : random.between(0, 300_000)}`
    await this.#acknowledge(key, id, () =>
      isLarge
        ? this.#assemble(s3, key, id)
        : s3.send(new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: contentOf(id) })),
    )
  }

  /** One change of a key at a time: before it is answered both states are possible, afterwards one. */
  async #acknowledge(key: string, state: State, change: () => Promise<unknown>): Promise<void> {
    if (this.#pending.has(key)) return
    this.#pending.set(key, state)
    try {
      await change()
      this.answers += 1
      this.#acknowledged.set(key, state)
      this.#pending.delete(key)
    } catch (error) {
      if (!(error instanceof S3ServiceException) || error.$response === undefined) return
      // A refusal is an answer, too: nothing has changed.
      if (error.$metadata.httpStatusCode !== 500) this.#pending.delete(key)
    }
  }

  async #assemble(s3: S3Client, Key: string, id: string): Promise<void> {
    const at = { Bucket: this.bucket, Key }
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(at))
    const content = contentOf(id)
    const first = 5 * 1024 * 1024
    const parts = []
    for (const [index, Body] of [content.subarray(0, first), content.subarray(first)].entries()) {
      const PartNumber = index + 1
      const { ETag } = await s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber, Body }))
      parts.push({ ETag, PartNumber })
    }
    const complete = { ...at, UploadId, MultipartUpload: { Parts: parts } }
    await s3.send(new CompleteMultipartUploadCommand(complete))
    await s3.send(new AbortMultipartUploadCommand({ ...at, UploadId })).catch(() => {})
  }

  /** Throws when a key holds anything but what it was left with, or what was being done to it. */
  async verify(server: TestServer): Promise<void> {
    const s3 = clientOf(server)
    const listed = await this.#listed(s3)
    const keys = new Set([...this.#acknowledged.keys(), ...this.#pending.keys(), ...listed])
    for (const key of keys) {
      const state = await this.#stateOf(s3, key)
      const possible = [this.#acknowledged.get(key)]
      if (this.#pending.has(key)) possible.push(this.#pending.get(key))
      if (!possible.includes(state)) {
        throw new Error(`${key} holds ${state}, and not ${possible.join(' or ')}`)
      }
      if (listed.has(key) !== (state !== undefined)) throw new Error(`${key} is listed wrongly`)
      this.#acknowledged.set(key, state)
      this.#pending.delete(key)
    }
    s3.destroy()
  }

  async #listed(s3: S3Client): Promise<Set<string>> {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: this.bucket }))
    return new Set(Contents.map(({ Key }) => present(Key)))
  }

  async #stateOf(s3: S3Client, Key: string): Promise<State> {
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: this.bucket, Key }))
      const content = Buffer.from(await present(Body).transformToByteArray())
      const id = content.subarray(0, 40).toString().split('|')[0] ?? ''
      if (!content.equals(contentOf(id))) throw new Error(`${Key} is not whole`)
      return id
    } catch (error) {
      if (error instanceof S3ServiceException && error.name === 'NoSuchKey') return undefined
      throw error
    }
  }
}

/** `<number>-<size>|`, then the mark over and over. */
function contentOf(id: string): Buffer {
  const head = Buffer.from(`${id}|`)
  const size = Number(id.split('-')[1])
  return Buffer.concat([head, Buffer.alloc(size, plainMark)])
}

export function clientOf(
  { endpoint, region, credentials: own }: TestServer,
  credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } = own,
): S3Client {
  return new S3Client({
    ...{ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 },
    requestHandler: { requestTimeout: 20_000, connectionTimeout: 5000 },
  })
}
