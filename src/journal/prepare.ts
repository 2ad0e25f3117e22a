import { join } from 'node:path'
import { preparationName } from './directory.ts'
import { errorCode, type Files, writeAll } from './files.ts'
import { segmentName } from './segment.ts'

/** About what a batch under load weighs, so that one step delays a batch by no more than one more batch would. */
const stepBytes = 512 * 1024
const zeros = Buffer.alloc(stepBytes)

/**
 * Makes the next segment: a file of zeros, written out in steps under a temporary name. Writing zeros, rather than
 * reserving space, is what makes later writes cheap: they change no metadata that would have to be flushed too.
 */
export class Preparation {
  readonly number: number
  readonly bytes: number
  readonly #files: Files
  readonly #directory: string
  #file: number | undefined
  #done = 0
  #finished = false

  constructor(files: Files, directory: string, number: number, bytes: number) {
    this.#files = files
    this.#directory = directory
    this.number = number
    this.bytes = bytes
  }

  get done(): number {
    return this.#done
  }

  /** Writes the next part. Answers whether the segment is ready. */
  step(): boolean {
    if (this.#finished) return true
    const temporary = join(this.#directory, preparationName)
    this.#file ??= this.#files.open(temporary, 'create')
    const length = Math.min(stepBytes, this.bytes - this.#done)
    writeAll(this.#files, this.#file, zeros, 0, length, this.#done)
    this.#done += length
    if (this.#done < this.bytes) return false
    this.#files.close(this.#file)
    this.#file = undefined
    const path = join(this.#directory, segmentName(this.number))
    // Nothing may ever be renamed over a segment.
    if (exists(this.#files, path)) throw new Error(`${path} exists already`)
    this.#files.rename(temporary, path)
    this.#files.flushDirectory(this.#directory)
    this.#finished = true
    return true
  }

  /** Gives up and frees the space. A step after it begins anew with a new file. */
  abandon(): void {
    if (this.#file !== undefined) this.#files.close(this.#file)
    this.#file = undefined
    this.#done = 0
    if (!this.#finished) this.#files.remove(join(this.#directory, preparationName))
  }
}

function exists(files: Files, path: string): boolean {
  try {
    files.identify(path)
    return true
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw error
  }
}

/** Only a lack of space may pass: another error of the disk is not to be waited out. */
export function isLackOfSpace(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'ENOSPC' || code === 'EDQUOT'
}
