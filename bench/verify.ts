import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeFiles } from '../src/journal/node-files.ts'
import { NotWhole } from '../src/journal/verify/finding.ts'
import { verifyFolder } from '../src/journal/verify/folder-verification.ts'
import { eventText, WrittenJournal } from '../tests/support/journal-world.ts'
import { median } from './measure.ts'

/**
 * How many events a second `kagiban audit verify` reads and verifies on one core. By hand:
 * `node bench/verify.ts [EVENTS] [THOROUGH]`, on a machine that does nothing else.
 */
const events = Number(process.argv[2] ?? 300_000)
const thorough = process.argv[3] !== undefined
const runs = 3
const batchSize = 64
const checkpointEvery = 5000

const folder = mkdtempSync(join(tmpdir(), 'kagiban-bench-'))
try {
  const journal = new WrittenJournal(folder, 'main', 64 * 1024 * 1024)
  let next = checkpointEvery
  while (journal.records < events) {
    journal.batch(batchSize)
    if (journal.records < next) continue
    journal.checkpoint()
    next += checkpointEvery
  }
  journal.checkpoint()
  journal.close()
  const rates: number[] = []
  for (let run = 0; run < runs; run += 1) {
    const before = process.cpuUsage()
    const begun = performance.now()
    verify()
    const seconds = (performance.now() - begun) / 1000
    const { user, system } = process.cpuUsage(before)
    const ofCpu = journal.records / ((user + system) / 1e6)
    rates.push(ofCpu)
    process.stdout.write(
      `${Math.round(journal.records / seconds)} events a second, ${Math.round(ofCpu)} a second of CPU\n`,
    )
  }
  process.stdout.write(
    `${journal.records} events of ${Buffer.byteLength(eventText(events))} bytes: median ${Math.round(median(rates))} a second of CPU\n`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function verify(): void {
  const report = verifyFolder({
    files: nodeFiles,
    journals: join(folder, 'journal'),
    rootLog: undefined,
    keys: [],
    held: [],
    since: undefined,
    thorough,
    progress: () => {},
    wait: () => false,
  })
  for (const { outcome } of report.journals) if (outcome instanceof NotWhole) throw outcome
}
