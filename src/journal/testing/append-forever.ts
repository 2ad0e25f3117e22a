import { writeSync } from 'node:fs'
import { systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import { openJournal } from '../journal.ts'
import { publicKey, signWithKey } from './fixtures.ts'

/**
 * Run as a process: appends to the journal of the directory in argv until it is killed (or `argv[3]` records), and
 * prints `index:text` of each record once it is acknowledged. Texts begin with `argv[4]`.
 */
const [, , directory = '', count = '', prefix = 'r'] = process.argv
const journal = await openJournal({
  directory,
  node: 'test',
  sign: signWithKey,
  publicKey,
  clock: systemClock,
  random: systemRandom,
  segmentBytes: 64 * 1024,
  checkpointIntervalMs: 20,
})
writeSync(1, 'open\n')
let left = count === '' ? Number.POSITIVE_INFINITY : Number(count)

async function append(appender: number): Promise<void> {
  for (let index = 0; left > 0; index += 1) {
    left -= 1
    const text = `${prefix}-${appender}-${index}-${'x'.repeat((index * 37) % 900)}`
    writeSync(1, `${await journal.append(text)}:${text}\n`)
  }
}

await Promise.all(Array.from({ length: 16 }, (_, appender) => append(appender)))
await journal.close()
