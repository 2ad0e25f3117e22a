/**
 * What the journal needs of a file system, as calls that block. Its own port, so that each call can be made to fail
 * and a power cut can be played in tests. Every failure is an exception with the system's `code`.
 *
 * There is no flush: what `write` answers is on the disk, because files are opened for synchronized writing
 * (O_DSYNC). One call per batch costs less than two, and Node's permission model forbids fsync on descriptors.
 */
export interface Files {
  /** Makes the directory and its parents unless they exist, durably. */
  makeDirectory(path: string): void
  /** The names in a directory, in no order. */
  list(directory: string): string[]
  /** 'create' empties a file that exists. */
  open(path: string, mode: 'read' | 'write' | 'create'): number
  close(file: number): void
  /** Answers the bytes read; 0 at the end. May be fewer than asked. */
  read(file: number, into: Buffer, offset: number, length: number, position: number): number
  /** Answers the bytes written, which are then on the disk. May be fewer than asked. */
  write(file: number, from: Buffer, offset: number, length: number, position: number): number
  identifyOpen(file: number): FileIdentity
  /** Throws ENOENT if there is none. */
  identify(path: string): FileIdentity
  rename(from: string, to: string): void
  /** No failure if there is none. */
  remove(path: string): void
  /** Makes the names in a directory durable: after creating, renaming, removing. */
  flushDirectory(path: string): void
}

export type FileIdentity = {
  readonly device: number
  readonly inode: number
  readonly bytes: number
}

export function sameFile(one: FileIdentity, other: FileIdentity): boolean {
  return one.device === other.device && one.inode === other.inode && one.bytes === other.bytes
}

/** Writes all of it, however short the single writes are. */
export function writeAll(
  files: Files,
  file: number,
  from: Buffer,
  offset: number,
  length: number,
  position: number,
): void {
  let done = 0
  while (done < length) {
    const written = files.write(file, from, offset + done, length - done, position + done)
    if (written <= 0) throw new Error(`a write of ${length - done} bytes wrote ${written}`)
    done += written
  }
}

/** Reads up to `length` bytes, however short the single reads are. Fewer only at the end of the file. */
export function readFully(
  files: Files,
  file: number,
  into: Buffer,
  offset: number,
  length: number,
  position: number,
): number {
  let done = 0
  while (done < length) {
    const count = files.read(file, into, offset + done, length - done, position + done)
    if (count === 0) break
    done += count
  }
  return done
}

/** The content of a small file, or undefined if there is none. Throws if it is larger than `limit` bytes. */
export function readSmallFile(files: Files, path: string, limit: number): Buffer | undefined {
  let file: number
  try {
    file = files.open(path, 'read')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    const buffer = Buffer.alloc(limit + 1)
    const length = readFully(files, file, buffer, 0, buffer.length, 0)
    if (length > limit) throw new Error(`${path} is larger than ${limit} bytes`)
    return buffer.subarray(0, length)
  } finally {
    files.close(file)
  }
}

/** Replaces a small file in one step: readers see the old content or the new. */
export function replaceFile(files: Files, path: string, content: Buffer): void {
  const temporary = `${path}.tmp`
  const file = files.open(temporary, 'create')
  try {
    writeAll(files, file, content, 0, content.length, 0)
  } finally {
    files.close(file)
  }
  files.rename(temporary, path)
}

export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
