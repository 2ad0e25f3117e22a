import { join } from 'node:path'
import { JournalDamage } from '../damage.ts'
import { type Files, readFully } from '../files.ts'
import {
  type FrameHeader,
  frameHeaderBytes,
  frameOverhead,
  maxBodyBytes,
  readFrame,
} from '../frame.ts'
import { segmentName } from '../segment.ts'

const maxOpenFiles = 8
/** What most records take, so that one read does. */
const firstRead = 8 * 1024

/** Reads single records out of segments, of which it keeps a few open. */
export class RecordFiles {
  readonly #files: Files
  readonly #open = new Map<string, number>()
  readonly #buffer = Buffer.alloc(maxBodyBytes + frameOverhead)

  constructor(files: Files) {
    this.#files = files
  }

  read(directory: string, segment: number, offset: number): string {
    const path = join(directory, segmentName(segment))
    const file = this.#file(path)
    const buffer = this.#buffer
    const header: FrameHeader = { length: 0, sequence: 0, batch: 0, batchEnd: 0, type: 0 }
    let length = readFully(this.#files, file, buffer, 0, firstRead, offset)
    const whole = frameOverhead + (length < frameOverhead ? 0 : buffer.readUInt32BE(0))
    if (whole > length && whole <= buffer.length) {
      length += readFully(this.#files, file, buffer, length, whole - length, offset + length)
    }
    const found = readFrame(buffer, 0, length, header)
    if (found !== undefined) throw new JournalDamage(path, offset, 'an indexed record', found)
    return buffer.toString('utf8', frameHeaderBytes, frameHeaderBytes + header.length)
  }

  close(): void {
    for (const file of this.#open.values()) this.#files.close(file)
    this.#open.clear()
  }

  #file(path: string): number {
    const known = this.#open.get(path)
    if (known !== undefined) {
      this.#open.delete(path)
      this.#open.set(path, known)
      return known
    }
    const file = this.#files.open(path, 'read')
    this.#open.set(path, file)
    const [oldest] = this.#open
    if (this.#open.size > maxOpenFiles && oldest !== undefined) {
      this.#files.close(oldest[1])
      this.#open.delete(oldest[0])
    }
    return file
  }
}
