import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { FileSettings } from './settings.ts'
import { DeliveryError, type Entry, lines, type Sink, type SinkState } from './sink.ts'

const { O_CREAT, O_DSYNC, O_EXCL, O_RDWR, O_WRONLY } = constants
const sameNameMax = 100

/**
 * Lines in files of a folder. A file is named by the index of its first entry and never renamed; one that has its size
 * is left, and another begun. After a kill the same bytes are written again to the same place, so that a file holds
 * each entry once; where it was moved away or cut meanwhile, another is begun.
 */
export class FileSink implements Sink {
  readonly #settings: FileSettings
  readonly #node: string
  #open: { readonly file: string; readonly handle: FileHandle } | undefined
  #closed = false

  constructor(settings: FileSettings, node: string) {
    this.#settings = settings
    this.#node = node
  }

  async deliver(entries: readonly Entry[], state: SinkState | undefined): Promise<SinkState> {
    const bytes = lines(entries)
    try {
      const { handle, file, at } = await this.#fileFor(entries, bytes, state)
      await writeAll(handle, bytes, at)
      return { file, bytes: at + bytes.length }
    } catch (error) {
      // What is written to next is opened anew: the folder may have been mounted again.
      await this.#release()
      throw error
    }
  }

  close(): void {
    this.#closed = true
    void this.#release()
  }

  async #fileFor(entries: readonly Entry[], bytes: Buffer, state: SinkState | undefined) {
    if (this.#closed) throw new DeliveryError('the export ends')
    if (state !== undefined && state.bytes < this.#settings.maxFileBytes) {
      const handle = await this.#known(state)
      if (handle !== undefined) return { handle, file: state.file, at: state.bytes }
    }
    await this.#release()
    const made = await this.#another(entries[0]?.index ?? 0, bytes)
    this.#open = made
    return { ...made, at: 0 }
  }

  /** The file of before, unless it was moved away or is shorter than what was written to it. */
  async #known({ file, bytes }: SinkState): Promise<FileHandle | undefined> {
    const path = join(this.#settings.directory, basename(file))
    let handle: FileHandle
    try {
      handle = await open(path, O_WRONLY | O_DSYNC)
    } catch (error) {
      if (isCode(error, 'ENOENT')) return undefined
      throw error
    }
    // Opened each time, by its name: one that was moved away would swallow what is written to it.
    await this.#release()
    this.#open = { file, handle }
    const { size } = await handle.stat()
    return size < bytes ? undefined : handle
  }

  async #another(first: number, bytes: Buffer): Promise<{ file: string; handle: FileHandle }> {
    const { name, directory } = this.#settings
    const stem = `${name}-${this.#node}-${String(first).padStart(12, '0')}`
    for (let count = 1; count <= sameNameMax; count++) {
      const file = count === 1 ? `${stem}.jsonl` : `${stem}.${count}.jsonl`
      try {
        const flags = O_RDWR | O_DSYNC | O_CREAT | O_EXCL
        return { file, handle: await open(join(directory, file), flags, 0o600) }
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error
        const handle = await open(join(directory, file), O_RDWR | O_DSYNC)
        if (await beginsAs(handle, bytes)) return { file, handle }
        await handle.close()
      }
    }
    throw new DeliveryError(`there are ${sameNameMax} files ${stem}*.jsonl`)
  }

  async #release(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.handle.close().catch(() => {})
  }
}

/** Whether a file holds nothing but the beginning of these bytes: a kill came before the cursor named it. */
async function beginsAs(handle: FileHandle, bytes: Buffer): Promise<boolean> {
  const { size } = await handle.stat()
  if (size > bytes.length) return false
  const found = Buffer.alloc(size)
  const { bytesRead } = await handle.read(found, 0, size, 0)
  return bytesRead === size && found.equals(bytes.subarray(0, size))
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const left = bytes.length - done
    const { bytesWritten } = await handle.write(bytes, done, left, position + done)
    done += bytesWritten
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
