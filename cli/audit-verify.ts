import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { defaults } from '../src/config.ts'
import type { TrailFilesReport } from '../src/delivery/trail-files.ts'
import { nodeFiles } from '../src/journal/node-files.ts'
import type { VerifierKey } from '../src/journal/note-keys.ts'
import { NotWhole } from '../src/journal/verify/finding.ts'
import {
  type FolderReport,
  NoKey,
  verifyFolder,
} from '../src/journal/verify/folder-verification.ts'
import { checkTrailFiles, trailFilesSummary } from './audit-trail-files.ts'
import { jsonOf, sentenceOf, summaryOf, wrongOf } from './audit-verify-text.ts'
import { type KeySource, keyHelp, keyOfService, readKeys } from './checkpoint-key.ts'
import { type CommandLine, dataDirectory, parse, UsageError } from './command-line.ts'
import { jsonText } from './explain.ts'
import { Progress } from './progress.ts'

const exitCodes = { whole: 0, notWhole: 1, unread: 3 }

const options = {
  data: { type: 'string' },
  checkpoint: { type: 'string', multiple: true },
  since: { type: 'string' },
  key: { type: 'string' },
  records: { type: 'boolean' },
  'trail-files': { type: 'string' },
  bucket: { type: 'string' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
} as const

export const verifyAudit: CommandLine = {
  words: ['audit', 'verify'],
  synopsis: 'audit verify',
  summary: 'read the whole audit record again and find what was altered',
  help: `Usage: kagiban audit verify [--checkpoint FILE …] [--since TIME|INDEX] [--key KEY] [--records]
                            [--json] [--quiet] [--data DIR]

Reads the journals of all processes in a data folder, whether the service runs, is stopped, or the
folder is a copy, and changes nothing. It verifies every checksum, number and header, the Merkle
tree against every signed checkpoint, and every signature; and that the record goes on from the
checkpoints that you kept elsewhere. If something is wrong it says in one sentence what and where.

  --checkpoint FILE            a signed checkpoint that was kept elsewhere (any number of times): a
                               record that was rolled back, or rewritten and signed anew, is found
  --since TIME|INDEX           begin with the segment that has the record INDEX, or the records since
                               TIME, as in 2026-11-24T06:00:00Z; the checkpoints vouch for the rest
${keyHelp};
                               without it, the running service's, or the one beside the journal
  --records                    parse every event, and look for event ids that stand twice (slower)
  --trail-files DIR            a downloaded copy of a trail's bucket, from its top: its digests and log
                               files have to be what the journal says was delivered; with --since
                               TIME, digests before it need not be there
  --bucket NAME                which bucket that is, where it cannot be told from the digests
  --json                       one JSON object
  --quiet                      no progress on standard error
  --data DIR                   data folder [KAGIBAN_DATA] (./data)

Exit codes: 0 whole; 1 not whole; 2 it was not understood; 3 it could not be read.
`,
  async run(invocation) {
    const { values } = parse(invocation, options, [])
    const dataDir = dataDirectory(values.data, invocation.env)
    const since = values.since === undefined ? undefined : readSince(values.since)
    const given = values.key === undefined ? [] : readKeys(values.key)
    const files = (values.checkpoint ?? []).map((file) => resolve(file))
    const progress = new Progress(values.quiet !== true && values.json !== true)
    try {
      const journals = join(dataDir, 'journal')
      const rootLog = join(dataDir, 'root-log')
      if (!existsSync(journals)) return unread(`There is no Kagiban data in ${dataDir}.`)
      const { keys, source } = await chooseKeys(given, dataDir)
      const held = files.map((file) => ({ file, note: readFileSync(file, 'utf8') }))
      const total = segmentsBytes(journals)
      const report = verifyFolder({
        ...{ files: nodeFiles, journals, keys, held, since },
        rootLog: existsSync(rootLog) ? rootLog : undefined,
        thorough: values.records === true,
        progress: (journal, bytes, record) => progress.add(journal, bytes, record, total),
        wait: waiting(),
      })
      progress.end()
      const directory = values['trail-files']
      const trails =
        directory === undefined
          ? undefined
          : checkTrailFiles(resolve(directory), journals, {
              bucket: values.bucket,
              since: since !== undefined && 'time' in since ? since.time : undefined,
            })
      return tell(report, source, values.json === true, trails)
    } catch (error) {
      progress.end()
      if (error instanceof NotWhole) return wrong(error)
      if (error instanceof NoKey) return unread(noKey)
      if (error instanceof Error && 'code' in error) return unread(error.message)
      throw error
    }
  },
}

const noKey =
  'There is no public key beside the journals to verify the checkpoints with: give --key.'

export async function chooseKeys(
  given: readonly VerifierKey[],
  dataDir: string,
): Promise<{ keys: readonly VerifierKey[]; source: KeySource }> {
  if (given.length > 0) return { keys: given, source: 'given' }
  const nodes = new Set([defaults.node, ...readdirSync(join(dataDir, 'journal'))])
  for (const node of nodes) {
    const key = await keyOfService(dataDir, node)
    if (key !== undefined) return { keys: [key], source: 'service' }
  }
  return { keys: [], source: 'folder' }
}

function tell(
  report: FolderReport,
  source: KeySource,
  json: boolean,
  trails: TrailFilesReport | undefined,
): number {
  const wrongs = wrongOf(report)
  const faults = trails?.faults ?? []
  if (json) {
    const trailFiles = trails === undefined ? {} : { trailFiles: trails }
    process.stdout.write(jsonText({ ...jsonOf(report, source), ...trailFiles }))
  } else {
    process.stdout.write(summaryOf(report, source))
    if (trails !== undefined) process.stdout.write(trailFilesSummary(trails))
  }
  for (const finding of wrongs) wrong(finding)
  for (const { message } of faults) process.stderr.write(`kagiban: ${message}\n`)
  return wrongs.length + faults.length === 0 ? exitCodes.whole : exitCodes.notWhole
}

function wrong(finding: NotWhole): number {
  process.stderr.write(`kagiban: ${sentenceOf(finding)}\n`)
  return exitCodes.notWhole
}

function unread(message: string): number {
  process.stderr.write(`kagiban: ${message}\n`)
  return exitCodes.unread
}

/** An index in digits, or a time of ISO 8601. */
function readSince(text: string): { record: number } | { time: number } {
  if (/^\d{1,15}$/.test(text)) return { record: Number(text) }
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time)) return { time }
  throw new UsageError(`--since: '${text}' is neither a record's index nor a time.`)
}

const waitMs = 100
const waitMsMax = 3000

/** The service signs once a second: a journal that has no checkpoint yet gets one. */
export function waiting(): () => boolean {
  const cell = new Int32Array(new SharedArrayBuffer(4))
  let waited = 0
  return () => {
    if (waited >= waitMsMax) return false
    waited += waitMs
    Atomics.wait(cell, 0, 0, waitMs)
    return true
  }
}

export function segmentsBytes(journals: string): number {
  const names = readdirSync(journals, { recursive: true, encoding: 'utf8' })
  return names
    .filter((name) => name.endsWith('.seg'))
    .reduce((sum, name) => sum + nodeFiles.identify(join(journals, name)).bytes, 0)
}
