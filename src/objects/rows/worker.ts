import { parentPort, workerData } from 'node:worker_threads'
import { nodeDisk } from '../files/disk.ts'
import type { ToRows } from './messages.ts'
import { Rows, type RowsOptions } from './rows.ts'

const port = parentPort
if (port === null) throw new Error('the rows run in a worker thread')
const options: RowsOptions = workerData
const rows = new Rows(options, { disk: nodeDisk.sync })
port.postMessage('ready')

port.on('message', (message: ToRows | 'close') => {
  if (message !== 'close') {
    port.postMessage(rows.handle(message))
    return
  }
  rows.close()
  port.close()
})

/** In steps between messages. What cannot be removed now is tried again at the next start. */
function sweep(): void {
  try {
    if (rows.sweepOrphans()) setImmediate(sweep)
  } catch {}
}
if (options.writer !== undefined) setImmediate(sweep)
