import { jsonCodec, Mirror } from '../../mirror.ts'
import { StoreConflict } from '../../port.ts'
import { openSqliteStore } from '../store.ts'

/**
 * A process of its own that adds one to a row that all writers share, `count` times, and writes each acknowledged
 * sum on a line of its own. Arguments: the store's file, a name for its own rows, the count.
 */
const [file = '', name = '', count = '0'] = process.argv.slice(2)
const store = await openSqliteStore({ file })
const mirror = new Mirror(store)
const sums = mirror.table<number>('sum', jsonCodec())
const own = mirror.table<string>('own', jsonCodec())
await mirror.load()

for (let done = 0; done < Number(count); ) {
  await mirror.refresh()
  const sum = (sums.get('shared') ?? 0) + 1
  const puts = [sums.put('shared', sum), own.put(`${name}-${sum}`, 'x'.repeat(500))]
  try {
    await mirror.commit(puts, [{ id: `${name}-${sum}`, record: '{}' }])
    process.stdout.write(`${sum}\n`)
    done += 1
  } catch (error) {
    if (!(error instanceof StoreConflict)) throw error
  }
}
await store.close()
