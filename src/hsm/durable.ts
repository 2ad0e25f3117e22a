import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_SYNC, O_WRONLY } = constants
const temporarySuffix = '.tmp'

/**
 * Replaces a file so that after a power failure it holds either the old bytes or the new ones, and, once this has
 * returned, the new ones. The file's mode is 0600. `beforeRename` may throw to leave the old file in place.
 *
 * Node's permission model forbids fsync, even on files that may be written. O_SYNC takes its place: the new file is
 * written synchronously, and after the rename its first byte is written again, in place and with the same value. The
 * rename changed the same inode, so that this second write returns only when the rename is on disk too (ext4, XFS and
 * btrfs). Where fsync is allowed, the directory is flushed as well.
 */
export function writeDurably(
  directory: string,
  name: string,
  bytes: Buffer,
  beforeRename: () => void = () => {},
): void {
  const path = join(directory, name)
  const unique = randomBytes(8).toString('hex')
  const temporary = join(directory, `${name}.${unique}${temporarySuffix}`)
  try {
    writeSynchronously(temporary, bytes, O_WRONLY | O_CREAT | O_EXCL)
    beforeRename()
    renameSync(temporary, path)
  } catch (error) {
    removeIfThere(temporary)
    throw error
  }
  writeSynchronously(path, bytes.subarray(0, 1), O_WRONLY)
  if (process.permission === undefined) flushDirectory(directory)
}

/** What interrupted writes have left behind. Only for the holder of the lock: others' writes would be lost. */
export function sweepTemporaries(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (name.endsWith(temporarySuffix)) removeIfThere(join(directory, name))
  }
}

export function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

/** The file's bytes and permission bits; undefined when there is none. A symbolic link is an error. */
export function readPlainFile(
  path: string,
  bytesMax: number,
): { bytes: Buffer; mode: number } | undefined {
  let fd: number
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  try {
    const { mode, size } = fstatSync(fd)
    if (size > bytesMax) throw new Error(`${path} is longer than ${bytesMax} bytes`)
    const bytes = Buffer.alloc(size)
    let done = 0
    while (done < size) {
      const count = readSync(fd, bytes, done, size - done, done)
      if (count === 0) throw new Error(`${path} became shorter while it was read`)
      done += count
    }
    return { bytes, mode: mode & 0o777 }
  } finally {
    closeSync(fd)
  }
}

function writeSynchronously(path: string, bytes: Buffer, flags: number): void {
  const fd = openSync(path, flags | O_SYNC | O_NOFOLLOW, 0o600)
  try {
    let done = 0
    while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, done)
  } finally {
    closeSync(fd)
  }
}

function flushDirectory(directory: string): void {
  const fd = openSync(directory, O_RDONLY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
