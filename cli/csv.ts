import type { Cell, Report } from '../src/reports/report.ts'

/**
 * RFC 4180: fields with commas, quotes or line ends stand in quotes, lines end with CR LF, the first names the columns.
 * A cell that a spreadsheet would take for a formula begins with an apostrophe.
 */
export function csvText({ columns, rows }: Pick<Report, 'columns' | 'rows'>): string {
  const names = columns.map(({ name }) => name)
  const lines = [names, ...rows.map((row) => names.map((name) => row[name]))]
  return lines.map((cells) => `${cells.map(fieldOf).join(',')}\r\n`).join('')
}

/** Also behind a tab or a line end, which some spreadsheets pass over. */
const formula = /^[=+\-@\t\r\n]/

function fieldOf(cell: Cell): string {
  if (typeof cell !== 'string') return cell === undefined ? '' : String(cell)
  const text = formula.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
