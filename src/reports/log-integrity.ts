import { blindSpots } from './blind-spots.ts'
import { type Body, columnsOf, type Row } from './report.ts'

/** What came of verifying one journal. */
export type JournalFacts = {
  readonly name: string
  readonly finding:
    | { readonly kind: string; readonly place: string; readonly message: string }
    | undefined
  readonly whole:
    | {
        readonly origin: string
        readonly records: number
        readonly firstRead: number
        readonly segments: number
        readonly checkpoints: number
        readonly signed: number
      }
    | undefined
  /** The newest signed checkpoint beside the journal. */
  readonly checkpoint:
    | { readonly size: number; readonly root: string; readonly signatures: number }
    | undefined
}

export type IntegrityFacts = {
  readonly journals: readonly JournalFacts[]
  /** What is wrong beside the journals. */
  readonly others: readonly {
    readonly kind: string
    readonly place: string
    readonly message: string
  }[]
  readonly publicKey: string | undefined
  readonly keySource: 'given' | 'service' | 'folder'
  /** How many checkpoints that were kept elsewhere the journals were held against. */
  readonly held: number
}

/** A certificate of what was verified, and with what. */
export function logIntegrity(facts: IntegrityFacts): Body {
  const { journals, others, publicKey, keySource, held } = facts
  const rows: Row[] = [
    ...journals.map(journalRow),
    ...others.map(({ kind, place, message }) => ({
      ...{ journal: place, result: 'NOT WHOLE', finding: kind, message },
    })),
  ]
  const wrong = rows.filter(({ result }) => result !== 'whole').length
  return {
    columns: columnsOf({
      journal: 'JOURNAL',
      result: 'RESULT',
      origin: 'ORIGIN',
      records: 'RECORDS',
      from: 'FROM RECORD',
      segments: 'SEGMENTS',
      checkpoints: 'CHECKPOINTS',
      signed: 'SIGNED',
      treeSize: 'TREE SIZE',
      root: 'ROOT',
      signatures: 'SIGNATURES',
      finding: 'FINDING',
      message: 'MESSAGE',
    }),
    rows,
    summary: {
      result: wrong === 0 && journals.length > 0 ? 'whole' : 'NOT WHOLE',
      journals: journals.length,
      records: journals.reduce((sum, { whole }) => sum + (whole?.records ?? 0), 0),
      findings: wrong,
      publicKey: publicKey ?? 'none',
      publicKeyFrom: keySource,
      checkpointsHeld: held,
    },
    sources: ['Every segment of the journals in the data folder, read again for this report.'],
    blindSpots: [
      ...(keySource === 'given'
        ? []
        : [
            'The public key comes from the same machine as the record: compare it with one that you kept.',
          ]),
      ...(held > 0
        ? []
        : [
            'Without a checkpoint that was kept elsewhere a record that was rolled back as a whole, or rewritten by the holder of its key, looks whole: give --checkpoint.',
          ]),
      'The last records are covered by no signed checkpoint for up to a second after they were written.',
      'Whether the delivered log files and digests agree with the record: "audit verify --trail-files" tells.',
      blindSpots.otherJournals,
    ],
  }
}

function journalRow({ name, finding, whole, checkpoint }: JournalFacts): Row {
  return {
    journal: name,
    result: finding === undefined ? 'whole' : 'NOT WHOLE',
    origin: whole?.origin,
    records: whole?.records,
    from: whole?.firstRead,
    segments: whole?.segments,
    checkpoints: whole?.checkpoints,
    signed: whole?.signed,
    treeSize: checkpoint?.size,
    root: checkpoint?.root,
    signatures: checkpoint?.signatures,
    finding: finding?.kind,
    message: finding && `${finding.place}: ${finding.message}`,
  }
}
