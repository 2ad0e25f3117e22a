import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../base/clock.ts'
import { nodeFiles } from '../node-files.ts'
import { LookupIndex } from './lookup-index.ts'
import type { FromLookup, LookupThreadData, Question, ToLookup } from './messages.ts'

/**
 * In the background: so long at a time, then thirty times as long asleep, or longer while there is nothing to do. What
 * is left over is caught up with when somebody asks.
 */
const sliceMs = 4
const restFactor = 30
const minRestMs = 120
const maxRestMs = 1000

const port = parentPort
if (port === null) throw new Error('the index runs in a worker thread')
const { journals, file, retentionDays, now }: LookupThreadData = workerData

let offset = now - systemClock.now()
const clock = { now: () => systemClock.now() + offset }
const index = new LookupIndex({ journals, file, retentionDays, clock, files: nodeFiles })
let rest = minRestMs
let timer = setTimeout(slice, rest)

port.on('message', (message: ToLookup) => {
  if (message.kind === 'close') {
    clearTimeout(timer)
    index.close()
    port.close()
    return
  }
  offset = message.now - systemClock.now()
  port.postMessage(answer(message.id, message.question))
})

function answer(id: number, question: Question): FromLookup {
  try {
    const found = question.kind === 'find' ? index.find(question.query) : index.last(question.query)
    return { kind: 'found', id, answer: found }
  } catch (error) {
    return { kind: 'failed', id, reason: error instanceof Error ? error.message : String(error) }
  }
}

function slice(): void {
  const start = performance.now()
  if (workedQuietly()) rest = Math.max(minRestMs, (performance.now() - start) * restFactor)
  else rest = Math.min(rest * 2, maxRestMs)
  timer = setTimeout(slice, rest)
}

/** A damaged journal or a full disk is reported to who asks; the background tries again after a rest. */
function workedQuietly(): boolean {
  try {
    return index.work(sliceMs)
  } catch {
    return false
  }
}
