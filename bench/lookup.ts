import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { LookupIndex } from '../src/journal/lookup/lookup-index.ts'
import { nodeFiles } from '../src/journal/node-files.ts'
import type { LookupAttribute } from '../src/journal/port.ts'
import {
  account,
  eventId,
  journalOf,
  keyArn,
  rareName,
  region,
  userName,
  Writer,
} from './lookup-journal.ts'

const help = `Usage: node bench/lookup.ts [options]

Writes a journal of made-up KMS events in the temporary directory (TMPDIR), indexes it as the service
does, and says at growing sizes how fast that was, what a row takes, and how long a page of 50 takes.

Options
  --events N     events at the end                              (1000000)
  --days D       over so many days              (as dense as 100 million a year)
  --steps N      how often is measured                          (4)
  -h, --help     this text
`

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    days: { type: 'string' },
    steps: { type: 'string', default: '4' },
    help: { type: 'boolean', short: 'h' },
  },
})

const queries: readonly (readonly [string, LookupAttribute, string] | readonly [string])[] = [
  ['every event'],
  ['a busy key', 'ResourceName', keyArn(0)],
  ['a quiet key', 'ResourceName', keyArn(1990)],
  ['no such key', 'ResourceName', keyArn(5000)],
  ['a busy user', 'Username', userName(0)],
  ['a quiet user', 'Username', userName(395)],
  ['no such user', 'Username', 'nobody'],
  ['a rare name', 'EventName', rareName],
  ['an event id', 'EventId', eventId(10)],
  ['writes', 'ReadOnly', 'false'],
  ['a resource type', 'ResourceType', 'AWS::KMS::Key'],
  ['an event source', 'EventSource', 'sts.amazonaws.com'],
]

if (values.help === true) process.stdout.write(help)
else {
  const events = Number(values.events)
  measure(events, Number(values.days ?? (events * 365) / 100e6), Number(values.steps))
}

function measure(events: number, days: number, steps: number): void {
  const data = mkdtempSync(join(tmpdir(), 'kagiban-lookup-'))
  try {
    const start = Date.UTC(2026, 0, 1)
    const end = start + days * 86_400_000
    const writer = new Writer(journalOf(data), { start, everyMs: (end - start) / events })
    const file = join(data, 'index', 'main.db')
    const index = new LookupIndex({
      ...{ journals: join(data, 'journal'), file, retentionDays: 366, shownDays: 366 },
      ...{ clock: { now: () => end }, files: nodeFiles },
    })
    for (let step = 1; step <= steps; step += 1) {
      const from = Math.round((events * (step - 1)) / steps)
      const to = Math.round((events * step) / steps)
      writer.writeUpTo(to)
      measureStep(index, join(data, 'index'), from, to, writer.bytes)
    }
    index.close()
    writer.close()
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

function measureStep(
  index: LookupIndex,
  folder: string,
  from: number,
  to: number,
  written: number,
) {
  const begun = performance.now()
  const used = process.cpuUsage()
  while (index.work(1000));
  const seconds = (performance.now() - begun) / 1000
  const { user, system } = process.cpuUsage(used)
  const size = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
  const rate = Math.round((to - from) / seconds).toLocaleString('en')
  say(`${to.toLocaleString('en')} events (${Math.round(written / to)} bytes each in the journal)`)
  const cpu = Math.round((to - from) / ((user + system) / 1e6)).toLocaleString('en')
  say(
    `  indexed ${rate} a second, ${cpu} in a second of one processor; ${(size / to).toFixed(0)} bytes an event in the index`,
  )
  for (const [name, key, value] of queries) {
    const attribute = key === undefined ? undefined : { key, value: value ?? '' }
    const query = { account, region, attribute, from: 0, to: Number.MAX_SAFE_INTEGER, limit: 50 }
    const times: number[] = []
    let found = 0
    let after: number | undefined
    for (let page = 0; page < 10; page += 1) {
      const at = performance.now()
      const { records, next } = index.find({ ...query, after })
      times.push(performance.now() - at)
      found += records.length
      after = next
      if (next === undefined) break
    }
    const worst = Math.max(...times).toFixed(1)
    say(
      `  ${name.padEnd(16)} ${String(found).padStart(4)} events, worst page ${worst.padStart(7)} ms`,
    )
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
