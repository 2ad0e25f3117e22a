import { Identities } from '../src/identities/identities.ts'
import { Accounts } from '../src/operator/accounts.ts'
import { KmsState } from '../src/services/kms/state.ts'
import { Mirror } from '../src/storage/mirror.ts'
import { openSqliteStore } from '../src/storage/sqlite/store.ts'

/**
 * `node --expose-gc heap-of-keys.ts STORE`: loads the records of a store as the service does, and prints the bytes of
 * heap that are in use then, after a full collection, and how many keys there are. A process of its own, because the
 * service takes no code from outside that could look into it.
 */
const [, , file = ''] = process.argv
const store = await openSqliteStore({ file })
const mirror = new Mirror(store)
const accounts = new Accounts(mirror, new Identities(mirror))
const state = new KmsState(mirror)
await mirror.load()
if (globalThis.gc === undefined) throw new Error('give --expose-gc')
globalThis.gc()
globalThis.gc()
const { heapUsed, external } = process.memoryUsage()
process.stdout.write(
  JSON.stringify({
    bytes: heapUsed + external,
    keys: state.keys.size,
    accounts: accounts.size,
  }),
)
await store.close()
