import { dirname } from 'node:path'

/** The part of Stryker's report (mutation-testing-report-schema 2) that is read here. */
export type Report = {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: Mutant[] }>>
}
type Mutant = {
  readonly mutatorName: string
  readonly replacement?: string
  readonly status: string
  readonly location: { readonly start: { readonly line: number; readonly column: number } }
}

export type Survivor = {
  readonly file: string
  readonly line: number
  /** How survivors.md names it: `file`, the line it begins in, what stands in its place. */
  readonly name: string
  readonly covered: boolean
}
export type Score = { detected: number; undetected: number; explained: number }
export type Outcome = {
  readonly byFolder: ReadonlyMap<string, Score>
  readonly total: Score
  readonly survivors: readonly Survivor[]
}

const excerptCharsMax = 100

/** Counts as Stryker does: killed and timed out are detected; survived and never run are not; errors do not count. */
export function scoreOf(report: Report, explained: ReadonlySet<string>): Outcome {
  const byFolder = new Map<string, Score>()
  const total = emptyScore()
  const survivors: Survivor[] = []
  for (const [file, { source, mutants }] of Object.entries(report.files)) {
    const score = byFolder.get(dirname(file)) ?? emptyScore()
    byFolder.set(dirname(file), score)
    const lines = source.split('\n')
    for (const { status, location, replacement = '', mutatorName } of mutants) {
      if (status === 'Killed' || status === 'Timeout') {
        score.detected++
        total.detected++
      }
      if (status !== 'Survived' && status !== 'NoCoverage') continue
      score.undetected++
      total.undetected++
      const { line } = location.start
      const name = nameOf(file, lines[line - 1] ?? '', replacement || mutatorName)
      if (explained.has(name)) {
        score.explained++
        total.explained++
      } else survivors.push({ file, line, name, covered: status === 'Survived' })
    }
  }
  return { byFolder, total, survivors }
}

/** per cent; 100 where there was nothing to detect */
export function percent({ detected, undetected }: Score): number {
  const all = detected + undetected
  return all === 0 ? 100 : (100 * detected) / all
}

/**
 * The survivors that survivors.md explains: under a heading with the file's path, items of the form
 * "- `LINE` → `REPLACEMENT`: why". An item without a reason explains nothing.
 */
export function explainedIn(markdown: string): Set<string> {
  const names = new Set<string>()
  let file = ''
  for (const line of markdown.split('\n')) {
    file = /^## `?([^`\s]+\.ts)`?$/.exec(line)?.[1] ?? file
    const [, , source, , replacement, reason] =
      /^- (`+) ?(.+?) ?\1 → (`+) ?(.*?) ?\3: (.+)$/.exec(line) ?? []
    if (source === undefined || replacement === undefined || reason === undefined) continue
    names.add(nameOf(file, source, replacement))
  }
  return names
}

function nameOf(file: string, line: string, replacement: string): string {
  return `${file}\n${excerpt(line)}\n${excerpt(replacement)}`
}

function excerpt(code: string): string {
  return code.replace(/\s+/g, ' ').trim().slice(0, excerptCharsMax).trim()
}

function emptyScore(): Score {
  return { detected: 0, undetected: 0, explained: 0 }
}
