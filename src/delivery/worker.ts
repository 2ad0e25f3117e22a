import { parentPort, workerData } from 'node:worker_threads'
import { nodeFiles } from '../journal/node-files.ts'
import { DeliveryJournals } from './journals.ts'
import type { Asks, DeliveryThreadData, FromThread, Kind, ToThread } from './messages.ts'

const port = parentPort
if (port === null) throw new Error('delivery reads the journals in a worker thread')
const data: DeliveryThreadData = workerData
const journals = new DeliveryJournals({ ...data, files: nodeFiles })

port.on('message', (message: ToThread) => {
  if (message.kind === 'close') {
    journals.close()
    port.close()
    return
  }
  port.postMessage(answerTo(message))
})

function answerTo(message: Exclude<ToThread, { kind: 'close' }>): FromThread {
  try {
    return { answer: answer(message) }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}

function answer(message: Exclude<ToThread, { kind: 'close' }>): Asks[Kind]['answer'] {
  switch (message.kind) {
    case 'positions':
      return journals.positions()
    case 'find': {
      const { origin, from, to, eventId } = message.question
      return journals.find(origin, from, to, eventId)
    }
    case 'collect':
      return journals.collect(message.question)
    case 'checkpoint':
      return journals.checkpoint()
    case 'lock':
      return journals.lock()
  }
}
