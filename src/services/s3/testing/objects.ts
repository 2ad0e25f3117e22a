import { createHash } from 'node:crypto'
import type { TestContext } from 'node:test'
import { systemRandom } from '../../../base/random.ts'
import { MemoryObjectStore } from '../../../objects/memory/store.ts'
import type { OpenObject, Segment, Which } from '../../../objects/port.ts'
import { House, type HouseOptions } from '../../../testing/house.ts'
import { type S3Answer, s3Call, s3Ok } from '../../../testing/s3-calls.ts'

export type Versions = 'Enabled' | 'Suspended'

/** A house with one bucket, `bucket`. */
export async function openWithBucket(
  t: TestContext,
  { versioning, ...options }: HouseOptions & { readonly versioning?: Versions } = {},
): Promise<House> {
  const house = await House.open(t, options)
  await s3Ok(house, 'PUT', '/bucket')
  if (versioning !== undefined) await setVersioning(house, versioning)
  return house
}

export async function setVersioning(house: House, status: Versions): Promise<void> {
  const body = `<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`
  await s3Ok(house, 'PUT', '/bucket', { query: { versioning: '' }, body })
}

export function deleteMany(
  house: House,
  objects: readonly { readonly key: string; readonly versionId?: string; readonly etag?: string }[],
  { quiet = false, ...sending }: { quiet?: boolean } & Parameters<typeof s3Call>[3] = {},
): Promise<S3Answer> {
  const elements = objects.map(({ key, versionId, etag }) => {
    const version = versionId === undefined ? '' : `<VersionId>${versionId}</VersionId>`
    const tag = etag === undefined ? '' : `<ETag>${etag}</ETag>`
    return `<Object><Key>${key}</Key>${version}${tag}</Object>`
  })
  const body = `<Delete>${elements.join('')}${quiet ? '<Quiet>true</Quiet>' : ''}</Delete>`
  const headers = { 'content-md5': createHash('md5').update(body).digest('base64') }
  return s3Call(house, 'POST', '/bucket', { query: { delete: '' }, body, headers, ...sending })
}

/** The headers of a request with a customer's key. */
export function customerHeaders(key: Buffer): Readonly<Record<string, string>> {
  const prefix = 'x-amz-server-side-encryption-customer'
  return {
    [`${prefix}-algorithm`]: 'AES256',
    [`${prefix}-key`]: key.toString('base64'),
    [`${prefix}-key-md5`]: createHash('md5').update(key).digest('base64'),
  }
}

/** A store that counts what is open, and alters what is read. */
export class WatchedObjects extends MemoryObjectStore {
  opened = 0
  closed = 0
  /** Called for each piece that is read, with its place in the segment. */
  alter: (piece: Buffer, at: number) => void = () => {}

  constructor() {
    super({ now: () => Date.UTC(2026, 4, 6, 7, 8, 9, 123) }, systemRandom)
  }

  override async open(bucket: string, key: string, which?: Which): Promise<OpenObject> {
    const object = await super.open(bucket, key, which)
    this.opened += 1
    const alter = (piece: Buffer, at: number) => this.alter(piece, at)
    return {
      ...object,
      async *data(segment: Segment, start: number, end: number) {
        let at = start
        for await (const piece of object.data(segment, start, end)) {
          for (let from = 0; from < piece.length; from += pieceBytes) {
            const part = piece.subarray(from, from + pieceBytes)
            alter(part, at)
            at += part.length
            yield part
          }
        }
      },
      close: async () => {
        this.closed += 1
        await object.close()
      },
    }
  }
}

const pieceBytes = 64 * 1024
