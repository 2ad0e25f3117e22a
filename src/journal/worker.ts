import { parentPort, workerData } from 'node:worker_threads'
import { nodeFiles } from './node-files.ts'
import { serveJournal } from './serve.ts'

if (parentPort === null) throw new Error('the journal runs in a worker thread')
serveJournal(parentPort, workerData, nodeFiles)
