import { parentPort, workerData } from 'node:worker_threads'
import type { Files } from '../files.ts'
import { nodeFiles } from '../node-files.ts'
import { serveJournal } from '../serve.ts'

/**
 * The journal's thread with a file system that fails: `?call=write&size=90` fails the first write whose length has at
 * least `size` bytes and is not a preparation's, `?crash` ends the thread there instead.
 */
const { searchParams } = new URL(import.meta.url)
const least = Number(searchParams.get('size'))

const files: Files = {
  ...nodeFiles,
  write(file, from, offset, length, position) {
    if (
      position >= 4096 &&
      length >= least &&
      from[offset + 36] !== undefined &&
      from[offset + 39] === 10
    ) {
      if (searchParams.has('crash')) process.exit(1)
      throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' })
    }
    return nodeFiles.write(file, from, offset, length, position)
  },
}

if (parentPort !== null) serveJournal(parentPort, workerData, files)
