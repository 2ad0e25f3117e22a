import { MemoryBuckets } from './testing/buckets.ts'
import { describeTrailBuckets } from './testing/conformance.ts'
import { account, other } from './testing/world.ts'

describeTrailBuckets('in memory', async () => {
  const buckets = new MemoryBuckets()
  buckets.owners.set('own', account).set('open', other).set('closed', account)
  buckets.closed.add('closed')
  return {
    ...{ buckets, own: 'own', open: 'open', closed: 'closed' },
    read: async (bucket, key) => buckets.in(bucket).get(key),
    dispose: async () => {},
  }
})
