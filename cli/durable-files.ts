import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs'
import { OperatorError } from '../src/operator/socket.ts'

/** What backup and restore need of the disk. The operator's command runs without a permission model, so fsync works. */

/** Makes a file, mode 0600, that is on the disk on return. Throws EEXIST rather than replace one, or follow a link. */
export function writeNew(path: string, chunks: Iterable<Buffer>): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    for (const chunk of chunks) {
      for (let done = 0; done < chunk.length; ) done += writeSync(file, chunk, done)
    }
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Of a file or a directory: after this, what was written to it, or the names in it, survive a power failure. */
export function flush(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/**
 * The bytes of a regular file. A link is refused: the service may write where a backup is taken from, and must not
 * have it read what it cannot read itself.
 */
export function readPlain(path: string): Buffer {
  const file = openWithoutLink(path)
  try {
    if (!fstatSync(file).isFile()) throw new OperatorError(`${path} is not a regular file.`)
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

function openWithoutLink(path: string): number {
  try {
    // Without O_NONBLOCK a named pipe would keep the command waiting.
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOOP') throw error
    throw new OperatorError(`${path} is a link, not a regular file.`)
  }
}
