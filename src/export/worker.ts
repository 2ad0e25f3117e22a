import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../base/clock.ts'
import { systemRandom } from '../base/random.ts'
import { nodeFiles } from '../journal/node-files.ts'
import { CursorFile } from './cursor.ts'
import { FileSink } from './file-sink.ts'
import { Follower } from './follower.ts'
import type { ExportThreadData, FromExports, ToExports } from './messages.ts'
import { type ExportSettings, withoutNewline } from './settings.ts'
import type { Sink } from './sink.ts'
import { SyslogSink } from './syslog-sink.ts'
import { WebhookSink } from './webhook-sink.ts'

const port = parentPort
if (port === null) throw new Error('exports run in a worker thread')
const { exports, journal: directory, cursors, node }: ExportThreadData = workerData
/** What wakes those up that rest. */
const resting = new Set<() => void>()
let ended = false
const journal = { files: nodeFiles, directory }

nodeFiles.makeDirectory(cursors)
const followers = exports.map(
  (settings) =>
    new Follower({
      ...{ settings, journal, rest, clock: systemClock, random: systemRandom },
      sink: sinkOf(settings),
      cursors: new CursorFile(nodeFiles, join(cursors, `${settings.name}.json`)),
      report: (state) => port.postMessage({ kind: 'state', state } satisfies FromExports),
    }),
)

port.on('message', (message: ToExports) => {
  if (message.kind !== 'end') return
  ended = true
  for (const follower of followers) follower.end()
  for (const wake of resting) wake()
})

await Promise.all(followers.map((follower) => follower.run()))
port.close()

function sinkOf(settings: ExportSettings): Sink {
  if (settings.type === 'file') return new FileSink(settings, node)
  const ca = settings.caFile === undefined ? undefined : readFileSync(settings.caFile)
  if (settings.type === 'syslog') return new SyslogSink(settings, { node, ca })
  const secret = Buffer.from(withoutNewline(readFileSync(settings.secretFile)))
  return new WebhookSink(settings, { secret, ca, clock: systemClock })
}

function rest(ms: number): Promise<void> {
  if (ended) return Promise.resolve()
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer)
      resting.delete(wake)
      resolve()
    }
    const timer = setTimeout(wake, ms)
    resting.add(wake)
  })
}
