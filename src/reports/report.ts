import { type Evidence, evidenceOf } from './evidence.ts'

export type Cell = string | number | boolean | undefined

/** A member of each row, and its heading in a table. */
export type Column = { readonly name: string; readonly title: string }

export type Row = Readonly<Record<string, Cell>>

/** Both inclusive, ms since the epoch. */
export type Period = { readonly since: number; readonly until: number }

/** What every report is. All times in it are ISO 8601, in UTC. */
export type Report = {
  readonly report: ReportName
  /** The auditor's question that it answers. */
  readonly question: string
  readonly madeAt: string
  readonly since: string
  readonly until: string
  /** What it was restricted to. */
  readonly scope: Readonly<Record<string, string>>
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
  /** There is more than the limit lets through. */
  readonly truncated: boolean
  readonly summary: Readonly<Record<string, number | string>>
  /** What it was made of. */
  readonly sources: readonly string[]
  /** What it cannot see. */
  readonly blindSpots: readonly string[]
  readonly evidence: Evidence
}

export const reportNames = [
  'object-access',
  'key-use',
  'unused-keys',
  'allowed-but-never-used',
  'rotation',
  'privileged-use',
  'cross-account-use',
  'grants',
  'deletion',
  'encryption-coverage',
  'log-integrity',
] as const
export type ReportName = (typeof reportNames)[number]

/** What one report adds to what all have. */
export type Body = Pick<Report, 'columns' | 'rows' | 'summary' | 'sources' | 'blindSpots'> & {
  readonly truncated?: boolean
}

export type Frame = {
  readonly report: ReportName
  readonly question: string
  readonly now: number
  readonly period: Period
  readonly scope: Readonly<Record<string, string>>
}

export function framed({ report, question, now, period, scope }: Frame, body: Body): Report {
  return {
    report,
    question,
    madeAt: isoTime(now),
    since: isoTime(period.since),
    until: isoTime(period.until),
    scope,
    truncated: false,
    ...body,
    evidence: evidenceOf(report),
  }
}

/** Columns by their headings. */
export function columnsOf(titles: Readonly<Record<string, string>>): readonly Column[] {
  return Object.entries(titles).map(([name, title]) => ({ name, title }))
}

/** In whole seconds, as records have it. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z')
}

const dayMs = 86_400_000

/** Whole days between two times. */
export function daysBetween(from: number, to: number): number {
  return Math.max(0, Math.floor((to - from) / dayMs))
}
