import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { systemClock } from '../src/base/clock.ts'
import { parseCheckpoint } from '../src/journal/checkpoint.ts'
import { checkpointName } from '../src/journal/directory.ts'
import { nodeFiles } from '../src/journal/node-files.ts'
import { NotWhole } from '../src/journal/verify/finding.ts'
import { NoKey, verifyFolder } from '../src/journal/verify/folder-verification.ts'
import { OperatorError } from '../src/operator/socket.ts'
import { type JournalFacts, logIntegrity } from '../src/reports/log-integrity.ts'
import { questions } from '../src/reports/questions.ts'
import { framed, type Report } from '../src/reports/report.ts'
import { chooseKeys, segmentsBytes, waiting } from './audit-verify.ts'
import { readKeys } from './checkpoint-key.ts'
import { Progress } from './progress.ts'

export type LogReportOptions = {
  readonly dataDir: string
  /** As in `audit verify`. */
  readonly key: string | undefined
  readonly checkpoints: readonly string[]
  readonly quiet: boolean
}

/**
 * The certificate of the log. It is made here and not by the service: it reads every segment, which would keep calls
 * waiting, and says nothing of itself to what it verifies.
 */
export async function logReport(options: LogReportOptions): Promise<Report> {
  const { dataDir } = options
  const journals = join(dataDir, 'journal')
  const rootLog = join(dataDir, 'root-log')
  if (!existsSync(journals)) throw new OperatorError(`There is no Kagiban data in ${dataDir}.`)
  const given = options.key === undefined ? [] : readKeys(options.key)
  const files = options.checkpoints.map((file) => resolve(file))
  const held = files.map((file) => ({ file, note: readFileSync(file, 'utf8') }))
  const { keys, source } = await chooseKeys(given, dataDir)
  const progress = new Progress(!options.quiet)
  const total = segmentsBytes(journals)
  try {
    const found = verifyFolder({
      ...{ files: nodeFiles, journals, keys, held, since: undefined, thorough: false },
      rootLog: existsSync(rootLog) ? rootLog : undefined,
      progress: (journal, bytes, record) => progress.add(journal, bytes, record, total),
      wait: waiting(),
    })
    const now = systemClock.now()
    const frame = { now, period: { since: 0, until: now }, scope: { data: dataDir } }
    return framed(
      { report: 'log-integrity', question: questions['log-integrity'], ...frame },
      logIntegrity({
        journals: found.journals.map(({ name, outcome }, at) => {
          // The root log, if there is one, is verified first.
          const directory = at === 0 && existsSync(rootLog) ? rootLog : join(journals, name)
          return journalFacts(directory, name, outcome)
        }),
        others: found.findings.map(findingOf),
        publicKey: found.keys[0]?.publicKey.toString('hex'),
        keySource: source,
        held: held.length,
      }),
    )
  } catch (error) {
    if (error instanceof NoKey) {
      throw new OperatorError('There is no public key to verify the checkpoints with: give --key.')
    }
    throw error
  } finally {
    progress.end()
  }
}

function journalFacts(
  directory: string,
  name: string,
  outcome: JournalFacts['whole'] | NotWhole,
): JournalFacts {
  const checkpoint = checkpointOf(join(directory, checkpointName))
  return outcome instanceof NotWhole
    ? { name, finding: findingOf(outcome), whole: undefined, checkpoint }
    : { name, finding: undefined, whole: outcome, checkpoint }
}

function findingOf({ kind, place, message }: NotWhole) {
  const { file, byte, record } = place
  const parts = [
    file,
    byte === undefined ? '' : `byte ${byte}`,
    record === undefined ? '' : `record ${record}`,
  ]
  return { kind, place: parts.filter((part) => part !== '').join(', '), message }
}

function checkpointOf(file: string): JournalFacts['checkpoint'] {
  if (!existsSync(file)) return undefined
  const parsed = parseCheckpoint(readFileSync(file, 'utf8'))
  if (typeof parsed === 'string') return undefined
  const { size, root, signatures } = parsed
  return {
    size,
    root: Buffer.from(root, 'latin1').toString('base64'),
    signatures: signatures.length,
  }
}
