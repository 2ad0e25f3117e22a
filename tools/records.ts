import type { TestContext } from 'node:test'
import { makers, writeGolden } from '../tests/records/golden.ts'

/** Writes the records anew that `tests/records/records.test.ts` compares with; look at what changed. */
const cleanups: (() => unknown)[] = []
const context = { after: (cleanup: () => unknown) => cleanups.push(cleanup) }

for (const [service, make] of Object.entries(makers)) {
  const { records } = await make(context as unknown as TestContext)
  writeGolden(service, records)
  console.log(`${service}: ${Object.keys(records).length} cases`)
}
for (const cleanup of cleanups.reverse()) await cleanup()
