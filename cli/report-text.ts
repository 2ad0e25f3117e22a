import type { Report, Row } from '../src/reports/report.ts'
import { printable, printableLines } from './explain-text.ts'

/** A report as an operator reads it: a table, and below it what it says and what it cannot see. */
export function reportText(report: Report): string {
  const { question, since, until, madeAt, scope, summary, sources, blindSpots, evidence } = report
  const of = Object.entries(scope).map(([name, value]) => `${name} ${value}`)
  const lines = [
    question,
    [`${report.report}, made at ${madeAt}, ${since} to ${until}`, ...of].join(', '),
    '',
    ...(report.rows.length === 0 ? ['Nothing was found.'] : tableLines(report)),
    '',
    ...Object.entries(summary).map(([name, value]) => `${name}: ${value}`),
  ]
  if (report.truncated) lines.push('There is more: give a greater --limit, or a shorter period.')
  lines.push('', 'Made of:', ...sources.map(item), '', 'It cannot see:', ...blindSpots.map(item))
  lines.push('', 'May serve as evidence for:')
  for (const [framework, places] of Object.entries(evidence.labels)) {
    lines.push(item(`${framework}: ${places.join(', ')}`))
  }
  return printableLines([...lines, evidence.note])
}

const item = (text: string) => `- ${text}`

/** Columns without any value are left out. */
function tableLines({ columns, rows }: Report): string[] {
  const shown = columns.filter(({ name }) => rows.some((row) => cellText(row, name) !== ''))
  const widths = shown.map(({ name, title }) =>
    rows.reduce((width, row) => Math.max(width, cellText(row, name).length), title.length),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd()
  return [
    line(shown.map(({ title }) => title)),
    ...rows.map((row) => line(shown.map(({ name }) => cellText(row, name)))),
  ]
}

function cellText(row: Row, name: string): string {
  const cell = row[name]
  return cell === undefined ? '' : printable(String(cell)).replaceAll('\n', '\\u{a}')
}
