import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../base/clock.ts'
import { nodeFiles } from '../node-files.ts'
import { LookupIndex } from './lookup-index.ts'
import type { FromLookup, LookupThreadData, Question, ToLookup } from './messages.ts'

/**
 * In the background: so long at a time, then thirty times as long asleep, or longer while there is nothing to do. What
 * is left over is caught up with when somebody asks. A peak is left for later so; an index that stays behind takes
 * more and more time for itself, up to half of a processor after a minute, so that it carries a load that lasts.
 */
const sliceMs = 4
const maxSliceMs = 64
const restFactor = 30
const minRestMs = 120
const maxRestMs = 1000
/** Slices in a row that did not come to the journal's end, after which the share of the work is doubled. */
const behindSlices = 100

const port = parentPort
if (port === null) throw new Error('the index runs in a worker thread')
const { journals, file, retentionDays, shownDays, now }: LookupThreadData = workerData

let offset = now - systemClock.now()
const clock = { now: () => systemClock.now() + offset }
const index = new LookupIndex({ journals, file, retentionDays, shownDays, clock, files: nodeFiles })
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
    return { kind: 'found', id, answer: index.answer(question) }
  } catch (error) {
    return { kind: 'failed', id, reason: error instanceof Error ? error.message : String(error) }
  }
}

let behind = 0

function slice(): void {
  const share = 2 ** Math.min(4, Math.floor(behind / behindSlices))
  const length = Math.min(maxSliceMs, sliceMs * share)
  const start = performance.now()
  const worked = workedQuietly(length)
  const took = performance.now() - start
  behind = worked && took >= length ? behind + 1 : 0
  if (worked) rest = Math.max(minRestMs / share, (took * restFactor) / share ** 1.25)
  else rest = Math.min(rest * 2, maxRestMs)
  timer = setTimeout(slice, rest)
}

/** A damaged journal or a full disk is reported to who asks; the background tries again after a rest. */
function workedQuietly(ms: number): boolean {
  try {
    return index.work(ms)
  } catch {
    return false
  }
}
