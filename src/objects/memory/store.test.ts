import { systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import { describeObjectStore } from '../conformance.ts'
import { SharedObjects } from './kept.ts'
import { MemoryObjectStore } from './store.ts'

describeObjectStore('memory', async () => {
  const shared = new SharedObjects()
  return {
    open: async () => new MemoryObjectStore(systemClock, systemRandom, shared),
    dispose: async () => undefined,
  }
})
