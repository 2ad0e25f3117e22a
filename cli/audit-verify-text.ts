import { vkeyText } from '../src/journal/note-keys.ts'
import { NotWhole } from '../src/journal/verify/finding.ts'
import type { FolderReport, JournalReport } from '../src/journal/verify/folder-verification.ts'
import type { VerifiedJournal } from '../src/journal/verify/journal-verification.ts'
import type { KeySource } from './checkpoint-key.ts'
import { forTerminal } from './explain.ts'

export function wrongOf({ journals, findings }: FolderReport): NotWhole[] {
  const inJournals = journals.flatMap(({ outcome }) =>
    outcome instanceof NotWhole ? [outcome] : [],
  )
  return [...findings, ...inJournals]
}

/** What is wrong, and where. */
export function sentenceOf({ kind, place, message }: NotWhole): string {
  const { file, byte, record } = place
  const parts = [
    file,
    byte === undefined ? '' : `byte ${byte}`,
    record === undefined ? '' : `record ${record}`,
  ]
  return `${kind}: ${parts.filter((part) => part !== '').join(', ')}: ${forTerminal(message)}.`
}

/** What was found whole, journal by journal, and by whose key. */
export function summaryOf(report: FolderReport, source: KeySource): string {
  const lines = report.journals.map(journalLine)
  return `${[...lines, keyLine(report, source)].join('\n')}\n`
}

function journalLine({ name, outcome }: JournalReport): string {
  if (outcome instanceof NotWhole) return `${name}: NOT WHOLE (${outcome.kind})`
  const { records, firstRead, segments, checkpoints, signed, torn } = outcome
  const parts = [`${name}: whole: ${records} records in ${segments} segments`]
  if (firstRead > 0) parts.push(`read from record ${firstRead} on`)
  parts.push(`${checkpoints} signed checkpoints, the last of ${signed} records`)
  const uncovered = records - Math.max(signed, firstRead)
  if (uncovered > 0) parts.push(`the last ${uncovered} records are covered by none yet`)
  if (torn !== undefined) {
    parts.push(
      `behind them, at byte ${torn.byte} of ${torn.file}, a write that did not come to its end, which is no tampering`,
    )
  }
  return parts.join('; ')
}

function keyLine({ keys, keyFile }: FolderReport, source: KeySource): string {
  const [key] = keys
  const text = key === undefined ? 'none' : key.publicKey.toString('hex')
  if (source === 'given') return `key: ${text}, as given`
  if (source === 'service') return `key: ${text}, of the service that runs over this folder`
  return `key: ${text}, taken from ${keyFile}, which whoever can change this folder can exchange with all the rest: compare it with one that you kept`
}

export function jsonOf(report: FolderReport, source: KeySource) {
  const [key] = report.keys
  return {
    whole: wrongOf(report).length === 0,
    journals: report.journals.map(({ name, outcome }) => ({ name, ...outcomeJson(outcome) })),
    findings: report.findings.map(findingJson),
    key: {
      source,
      publicKey: key?.publicKey.toString('hex'),
      file: report.keyFile,
      names: report.keys.filter(({ name }) => name !== '').map(vkeyText),
    },
  }
}

function outcomeJson(outcome: VerifiedJournal | NotWhole) {
  return outcome instanceof NotWhole
    ? { whole: false, finding: findingJson(outcome) }
    : { whole: true, ...outcome }
}

function findingJson({ kind, place, message }: NotWhole) {
  return { kind, ...place, message }
}
