import { readFileSync } from 'node:fs'
import { type Finding, lintPolicy, severities } from '../src/authorize/lint/lint.ts'
import type { PolicyKind } from '../src/authorize/policy/document.ts'
import { type CommandLine, parse, UsageError } from './command-line.ts'

const kinds: readonly PolicyKind[] = [
  'key',
  'identity',
  'trust',
  'bucket',
  'service-control',
  'resource-control',
]

export const lint: CommandLine = {
  words: ['lint'],
  synopsis: 'lint FILE…',
  summary: 'what is wrong, dangerous or pointless in policies',
  help: `Usage: kagiban lint FILE… [--kind KIND] [--json]

Reads policy documents and says what would be refused, what lets in more than it seems to, what is
likely to surprise and what could be shorter, each with its line and column. It asks no service, and
whether the principals that a policy names exist is not looked at.

  --kind KIND                  key (the default), identity, trust, bucket, service-control,
                               resource-control
  --json                       one JSON object a file: file, findings

Exit codes: 0 no errors and no security findings; 1 there are some; 2 not understood.
`,
  async run(invocation) {
    const options = { kind: { type: 'string' }, json: { type: 'boolean' } } as const
    const files = invocation.argv.filter((argument, index) =>
      isFile(argument, index, invocation.argv),
    )
    const { values } = parse(invocation, options, files.length === 0 ? ['FILE…'] : files)
    const kind = kinds.find((each) => each === (values.kind ?? 'key'))
    if (kind === undefined) throw new UsageError(`--kind is one of ${kinds.join(', ')}.`)
    let grave = false
    for (const file of files) {
      const findings = lintPolicy(readFileSync(file, 'utf8'), kind)
      grave ||= findings.some(({ severity }) => severity === 'error' || severity === 'security')
      process.stdout.write(
        values.json === true ? `${JSON.stringify({ file, findings })}\n` : textOf(file, findings),
      )
    }
    return grave ? 1 : 0
  },
}

function isFile(argument: string, index: number, argv: readonly string[]): boolean {
  return !argument.startsWith('--') && argv[index - 1] !== '--kind'
}

function textOf(file: string, findings: readonly Finding[]): string {
  if (findings.length === 0) return `${file}: nothing found\n`
  const lines = findings.map(
    ({ severity, check, line, column, path, sentence }) =>
      `${file}:${line}:${column}: ${severity}: ${sentence} (${check}${path === '' ? '' : `, ${path}`})\n`,
  )
  const counts = severities
    .map((severity) => [severity, findings.filter((each) => each.severity === severity).length])
    .filter(([, count]) => count !== 0)
    .map(([severity, count]) => `${severity} ${count}`)
  return `${lines.join('')}${file}: ${counts.join(', ')}\n`
}
