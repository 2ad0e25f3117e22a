import { join } from 'node:path'
import { internalError } from '../../base/errors.ts'
import type { Bodies, NewBody, OpenBody } from '../rows/bodies.ts'
import { type Disk, errorCode, type OpenFile } from './disk.ts'

/** Each write is on the disk when it has returned; two at a time keep the disk busy while the next one gathers. */
const writtenBytes = 1024 * 1024
const writesAtOnce = 2

/** Large enough that a read costs little beside its bytes, small enough that many readers fit into memory. */
const readBytes = 256 * 1024

/** As `BodyFolders` makes them. Rows that somebody else wrote must lead to no other file. */
const nameForm = /^[a-z0-9-]{1,32}\/[0-9a-f]{1,32}-\d{1,15}\/\d{1,9}$/

export type FileBodiesOptions = {
  readonly disk: Disk
  /** `<data>/objects/bodies` */
  readonly folder: string
  /** The name of a new, empty file there. */
  readonly newName: () => Promise<string>
}

/** Bodies in files of this machine. `BodyFolders` makes their names, and removes those that a crash left. */
export class FileBodies implements Bodies {
  readonly healthy = true
  readonly #options: FileBodiesOptions

  constructor(options: FileBodiesOptions) {
    this.#options = options
  }

  create(): NewBody {
    return new NewFile(this.#options)
  }

  async open(name: string): Promise<OpenBody> {
    const { disk, folder } = this.#options
    if (!nameForm.test(name)) throw internalError('a row names a body that is none')
    try {
      return new FileBody(await disk.open(join(folder, name), 'read'))
    } catch (error) {
      throw unread(error)
    }
  }

  async remove(name: string): Promise<void> {
    const { disk, folder } = this.#options
    if (!nameForm.test(name)) return
    try {
      await disk.remove(join(folder, name))
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw unwritten(error)
    }
  }

  async close(): Promise<void> {}
}

class NewFile implements NewBody {
  readonly #options: FileBodiesOptions
  #gathered: Buffer[] = []
  #gatheredBytes = 0
  #name: string | undefined
  #file: OpenFile | undefined
  #position = 0
  readonly #writes = new Set<Promise<void>>()
  #failure: unknown

  constructor(options: FileBodiesOptions) {
    this.#options = options
  }

  async add(piece: Buffer): Promise<void> {
    this.#gathered.push(piece)
    this.#gatheredBytes += piece.length
    if (this.#gatheredBytes >= writtenBytes) await this.#write()
  }

  async end(): Promise<string> {
    await this.#write()
    await Promise.all(this.#writes)
    if (this.#failure !== undefined) throw this.#failure
    await this.#close().catch((error: unknown) => {
      throw unwritten(error)
    })
    if (this.#name === undefined) throw internalError('a body has no file')
    return this.#name
  }

  async discard(): Promise<void> {
    await Promise.all(this.#writes)
    await this.#close().catch(() => {})
    if (this.#name === undefined) return
    // What stays is removed at the next start.
    await this.#options.disk.remove(join(this.#options.folder, this.#name)).catch(() => {})
  }

  /** Begins to write what is gathered, and waits until there is room for another one. */
  async #write(): Promise<void> {
    const file = await this.#open()
    const buffers = this.#gathered
    const position = this.#position
    this.#position += this.#gatheredBytes
    this.#gathered = []
    this.#gatheredBytes = 0
    const write = writeAll(file, buffers, position).catch((error: unknown) => {
      this.#failure ??= unwritten(error)
    })
    this.#writes.add(write)
    void write.then(() => this.#writes.delete(write))
    if (this.#writes.size >= writesAtOnce) await Promise.race(this.#writes)
    if (this.#failure !== undefined) throw this.#failure
  }

  async #open(): Promise<OpenFile> {
    if (this.#file !== undefined) return this.#file
    const { disk, folder, newName } = this.#options
    this.#name = await newName()
    try {
      this.#file = await disk.open(join(folder, this.#name), 'write')
    } catch (error) {
      throw unwritten(error)
    }
    return this.#file
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }
}

class FileBody implements OpenBody {
  readonly #file: OpenFile

  constructor(file: OpenFile) {
    this.#file = file
  }

  async *read(start: number, end: number): AsyncIterable<Buffer> {
    const read = (at: number) =>
      at < end ? readFully(this.#file, Math.min(readBytes, end - at), at) : undefined
    // One piece is read ahead while the reader has the one before.
    let next = read(start)
    try {
      for (let at = start; next !== undefined; ) {
        const piece = await next
        at += piece.length
        next = read(at)
        yield piece
      }
    } finally {
      // A reader that leaves early leaves no read behind that would fail unseen, or meet a closed file.
      await next?.catch(() => {})
    }
  }

  async close(): Promise<void> {
    // Of a file that was only read nothing is lost when closing it fails.
    await this.#file.close().catch(() => {})
  }
}

function unread(error: unknown): Error {
  return internalError(`a body cannot be read: ${String(error)}`, error)
}

function unwritten(error: unknown): Error {
  return internalError(`a body cannot be written: ${String(error)}`, error)
}

async function readFully(file: OpenFile, length: number, position: number): Promise<Buffer> {
  const into = Buffer.allocUnsafe(length)
  let done = 0
  while (done < length) {
    const count = await file.read(into, done, length - done, position + done).catch((error) => {
      throw unread(error)
    })
    if (count === 0) throw internalError('the file of a body is shorter than its row says')
    done += count
  }
  return into
}

/** Writes all of it, however short the single writes are. */
async function writeAll(
  file: OpenFile,
  buffers: readonly Buffer[],
  position: number,
): Promise<void> {
  let rest = buffers
  let at = position
  while (rest.length > 0) {
    // The system takes at most 1024 buffers at a time.
    const some = rest.slice(0, 1000)
    const written = await file.write(some, at)
    if (written <= 0 && some.some(({ length }) => length > 0)) {
      throw new Error('a write wrote nothing')
    }
    at += written
    rest = without(rest, written, some.length)
  }
}

/** What is left of the buffers behind the first `count` bytes, of which at most `most` buffers were offered. */
function without(buffers: readonly Buffer[], count: number, most: number): readonly Buffer[] {
  let left = count
  for (const [index, buffer] of buffers.entries()) {
    if (index === most) return buffers.slice(most)
    if (left < buffer.length) return [buffer.subarray(left), ...buffers.slice(index + 1)]
    left -= buffer.length
  }
  return []
}
