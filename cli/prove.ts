import type { Separation } from '../src/authorize/analyse/separation.ts'
import { separationText } from './analysis-text.ts'
import { type CommandLine, parse, serviceOptions, serviceOptionsHelp } from './command-line.ts'
import { jsonText } from './explain.ts'
import { withService } from './service-session.ts'

const exitCodes = { PROVEN: 0, VIOLATED: 1, UNKNOWN: 3 }

export const proveSeparation: CommandLine = {
  words: ['prove', 'separation-of-duties'],
  synopsis: 'prove separation-of-duties KEY',
  summary: 'that nobody can come to both administer and use a key',
  help: `Usage: kagiban prove separation-of-duties KEY [--json] [options]

Proves that no principal can come to both sides of a key, by itself, through roles, credentials,
groups, policies that it can write, or grants; or shows the shortest way there is. The proof comes
with what it assumes.

  KEY                          key id, key ARN, alias name or alias ARN
  --json                       one JSON object
${serviceOptionsHelp}
Exit codes: 0 proven; 1 violated, or it could not be done; 2 it was not understood; 3 unknown.
`,
  async run(invocation) {
    const options = { ...serviceOptions, json: { type: 'boolean' } } as const
    const { values, positionals } = parse(invocation, options, ['KEY'])
    const [key] = positionals
    const found = (await withService(values, invocation.env, (session) =>
      session.send('prove-separation-of-duties', { key }),
    )) as Separation
    process.stdout.write(values.json === true ? jsonText(found) : separationText(found))
    return exitCodes[found.result]
  },
}
