import { readFileSync, statSync } from 'node:fs'
import type { DiffAccess } from '../src/authorize/analyse/diff-access.ts'
import { diffText } from './analysis-text.ts'
import {
  type CommandLine,
  parse,
  serviceOptions,
  serviceOptionsHelp,
  UsageError,
} from './command-line.ts'
import { jsonText } from './explain.ts'
import { withService } from './service-session.ts'

const exitCodes = { PASS: 0, FAIL: 1, UNKNOWN: 3 }
const policyBytesMax = 32_768

export const diffAccess: CommandLine = {
  words: ['diff-access'],
  synopsis: 'diff-access KEY OLD NEW',
  summary: 'what a new key policy allows that the old one does not',
  help: `Usage: kagiban diff-access KEY OLD.json NEW.json [--json] [options]

Compares two key policies for a key as it is, with the identities, grants and guardrails there are.
PASS is a proof that the new one allows nobody anything new. FAIL comes with a request for each
principal and permission that is new, and the statements that make the difference.

  KEY                          key id, key ARN, alias name or alias ARN
  OLD.json, NEW.json           files with key policies, as GetKeyPolicy shows them
  --json                       one JSON object
${serviceOptionsHelp}
Exit codes: 0 nothing is new; 1 something is, or it could not be done; 2 it was not understood;
3 unknown.
`,
  async run(invocation) {
    const options = { ...serviceOptions, json: { type: 'boolean' } } as const
    const { values, positionals } = parse(invocation, options, ['KEY', 'OLD.json', 'NEW.json'])
    const [key, before = '', after = ''] = positionals
    // First of all: paths are relative to the folder that the command was given in.
    const input = { key, old: policyIn(before), new: policyIn(after) }
    const found = (await withService(values, invocation.env, (session) =>
      session.send('diff-access', input),
    )) as DiffAccess
    process.stdout.write(values.json === true ? jsonText(found) : diffText(found))
    return exitCodes[found.result]
  },
}

function policyIn(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false })
  if (stat?.isFile() !== true) throw new UsageError(`There is no file ${file}.`)
  if (stat.size > policyBytesMax) throw new UsageError(`${file} is longer than a key policy.`)
  return readFileSync(file, 'utf8')
}
