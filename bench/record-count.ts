import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { projectRoot } from '../tests/support/server.ts'

/** Events of each name in the audit record of a data folder; read as a stream, because there may be a million. */
export async function countRecords(data: string): Promise<Map<string, number>> {
  const child = spawn(
    process.execPath,
    [join(projectRoot, 'cli/kagiban.mjs'), 'audit', 'export', '--data', data],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const counts = new Map<string, number>()
  for await (const line of createInterface({ input: child.stdout })) {
    const name = /"eventName":"(\w+)"/.exec(line)?.[1] ?? 'no name'
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const code = child.exitCode ?? (await new Promise((resolve) => child.once('exit', resolve)))
  if (code !== 0) throw new Error(`kagiban audit export ended with code ${code}`)
  return counts
}
