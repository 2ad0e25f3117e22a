import { parentPort, workerData } from 'node:worker_threads'
import type { Files } from '../files.ts'
import { nodeFiles } from '../node-files.ts'
import { serveJournal } from '../serve.ts'

/**
 * The journal's thread with a file system that fails at the first batch of at least `JOURNAL_FAULT_BYTES` bytes. With
 * `JOURNAL_FAULT_EXIT` the thread ends there instead.
 */
const { JOURNAL_FAULT_BYTES, JOURNAL_FAULT_EXIT } = process.env
const least = Number(JOURNAL_FAULT_BYTES)

const files: Files = {
  ...nodeFiles,
  write(file, from, offset, length, position) {
    const isFrame = from[offset + 39] === 0x0a
    if (isFrame && position >= 4096 && length >= least) {
      if (JOURNAL_FAULT_EXIT !== undefined) process.exit(1)
      throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' })
    }
    return nodeFiles.write(file, from, offset, length, position)
  },
}

if (parentPort !== null) serveJournal(parentPort, workerData, files)
