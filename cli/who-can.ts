import type { WhoCan } from '../src/authorize/analyse/who-can.ts'
import { whoCanText } from './analysis-text.ts'
import { type CommandLine, parse, serviceOptions, serviceOptionsHelp } from './command-line.ts'
import { jsonText } from './explain.ts'
import { withService } from './service-session.ts'

const unknown = 3

export const whoCan: CommandLine = {
  words: ['who-can'],
  synopsis: 'who-can KEY',
  summary: 'who can use a key, under which conditions, and how',
  help: `Usage: kagiban who-can KEY [--action ACTION] [--all] [--json] [options]

Lists every principal of the deployment, and kinds of those who may come, with what each can do on
the key: ALWAYS, or CONDITIONAL with the condition and a request that is allowed. NEVER is a proof.
UNKNOWN means that it cannot be told, and is no guess.

  KEY                          key id, key ARN, alias name or alias ARN
  --action ACTION              one permission, as in kms:Decrypt
  --all                        those who never can as well
  --json                       one JSON object, with all of them
${serviceOptionsHelp}
Exit codes: 0 all is told; 1 it could not be done; 2 it was not understood; 3 something is unknown.
`,
  async run(invocation) {
    const options = {
      ...serviceOptions,
      action: { type: 'string' },
      all: { type: 'boolean' },
      json: { type: 'boolean' },
    } as const
    const { values, positionals } = parse(invocation, options, ['KEY'])
    const [key] = positionals
    const input = { key, ...(values.action && { action: values.action }) }
    const found = (await withService(values, invocation.env, (session) =>
      session.send('who-can', input),
    )) as WhoCan
    process.stdout.write(
      values.json === true ? jsonText(found) : whoCanText(found, values.all === true),
    )
    return found.rows.some(({ status }) => status === 'UNKNOWN') ? unknown : 0
  },
}
