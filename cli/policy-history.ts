import type { PolicyHistory } from '../src/configuration/policy-history.ts'
import type { PolicyVersion } from '../src/configuration/policy-version.ts'
import { diffText } from './analysis-text.ts'
import { type CommandLine, parse, serviceOptions, serviceOptionsHelp } from './command-line.ts'
import { jsonText } from './explain.ts'
import { printableLines } from './explain-text.ts'
import { lineChanges } from './line-changes.ts'
import { withService } from './service-session.ts'

export const policyHistory: CommandLine = {
  words: ['policy', 'history'],
  synopsis: 'policy history KEY',
  summary: 'each version of the policy of a key or a bucket: who, when, and what it newly allowed',
  help: `Usage: kagiban policy history KEY [--json] [options]
       kagiban policy history s3://BUCKET [--json] [options]

Shows every version that the policy of a key or a bucket ever had, the oldest first: who brought it,
when and by which event, the lines that changed, and, of a key, what it allowed that the version
before did not, among the identities, grants and guardrails that there are now. Keys that are gone
are known by their ids, buckets by their names.

  KEY                          key id, key ARN, alias name or alias ARN
  s3://BUCKET                  a bucket; its ARN will do as well
  --json                       one JSON object
${serviceOptionsHelp}`,
  async run(invocation) {
    const options = { ...serviceOptions, json: { type: 'boolean' } } as const
    const { values, positionals } = parse(invocation, options, ['KEY'])
    const [key] = positionals
    const found = (await withService(values, invocation.env, (session) =>
      session.send('policy-history', { key }),
    )) as PolicyHistory
    process.stdout.write(values.json === true ? jsonText(found) : historyText(found))
    return 0
  },
}

function historyText({ key, versions, deletedAt }: PolicyHistory): string {
  const lines = [key]
  for (const [index, version] of versions.entries()) {
    lines.push('', ...versionLines(index + 1, version, versions[index - 1]))
  }
  if (deletedAt !== undefined)
    lines.push(
      '',
      `${deletedAt}  ${key.startsWith('arn:aws:s3:') ? 'the bucket' : 'the key'} was deleted`,
    )
  return printableLines(lines)
}

function versionLines(
  number: number,
  { time, policy, event, newlyAllowed }: PolicyVersion,
  before: PolicyVersion | undefined,
): string[] {
  const lines = [`version ${number}  ${time}`]
  if (event === undefined) lines.push('  as it stood when configurations began to be recorded')
  else {
    const from = event.sourceIp === undefined ? '' : ` from ${event.sourceIp}`
    lines.push(`  ${event.name} by ${event.principal}${from}`, `  event ${event.eventId}`)
  }
  const shown = before === undefined ? [] : lineChanges(linesOf(before.policy), linesOf(policy))
  const text = before === undefined ? linesOf(policy).map((line) => `  ${line}`) : shown
  lines.push(...text.map((line) => `    ${line}`))
  if (newlyAllowed !== undefined) {
    const [, ...found] = diffText(newlyAllowed).trimEnd().split('\n')
    const nothing = newlyAllowed.result === 'PASS' ? ['nothing that was not allowed before'] : found
    lines.push(
      '  newly allowed',
      ...nothing.filter((line) => line !== '').map((line) => `    ${line}`),
    )
  }
  return lines
}

/** One member or value a line, so that what changed stands out. */
function linesOf(policy: string): readonly string[] {
  try {
    return JSON.stringify(JSON.parse(policy), undefined, 2).split('\n')
  } catch {
    return policy.split('\n')
  }
}
