import { type CommandLine, parse, serviceOptions, serviceOptionsHelp } from './command-line.ts'
import { withService } from './service-session.ts'

type Status = {
  readonly healthy: boolean
  readonly failure?: string
  readonly endpoint?: string
  readonly account: string
  readonly regions: readonly string[]
  readonly accounts: number
  readonly keys: number
  readonly records: number
  readonly journal: {
    readonly checkpointSize: number
    readonly signerFailure?: string
    readonly preparationFailure?: string
    readonly cut: number
  }
  readonly keyCore: {
    readonly rootDriver: string
    readonly regions: readonly { region: string; activeGeneration: number; activeSince: number }[]
  }
}

export const status: CommandLine = {
  words: ['status'],
  synopsis: 'status [--json]',
  summary: 'how the service is, and what it holds',
  help: `Usage: kagiban status [--json] [options]

Shows whether the service runs, its endpoint, accounts, keys, audit records and domain keys, and
what troubles the audit journal. Exit code 1 when it is not healthy.

  --json                       as one JSON object
${serviceOptionsHelp}`,
  async run(invocation) {
    const { values } = parse(invocation, { ...serviceOptions, json: { type: 'boolean' } }, [])
    const { found, running } = await withService(values, invocation.env, async (session) => ({
      found: (await session.send('status')) as Status,
      running: session.running,
    }))
    process.stdout.write(
      values.json === true ? `${JSON.stringify({ running, ...found })}\n` : show(found, running),
    )
    return found.healthy ? 0 : 1
  },
}

function show(found: Status, running: boolean): string {
  const lines = [
    ['service', running ? `running at ${found.endpoint}` : 'stopped'],
    ['health', found.healthy ? 'good' : `failed: ${found.failure ?? 'the service log says why'}`],
    ['accounts', `${found.accounts} (first: ${found.account})`],
    ['Regions', found.regions.join(', ')],
    ['keys', String(found.keys)],
    [
      'audit records',
      `${found.records}, ${found.journal.checkpointSize} under a signed checkpoint`,
    ],
    ...troubles(found.journal),
    ['root', found.keyCore.rootDriver],
    ...found.keyCore.regions.map((entry) => [
      `domain key ${entry.region}`,
      `generation ${entry.activeGeneration}, since ${new Date(entry.activeSince).toISOString()}`,
    ]),
  ]
  return `${lines.map(([name = '', value = '']) => `${name.padEnd(24)} ${value}`).join('\n')}\n`
}

/** What goes wrong with the journal and does not end it, or was mended at its start. */
function troubles({ signerFailure, preparationFailure, cut }: Status['journal']): string[][] {
  const lines: string[][] = []
  if (signerFailure !== undefined) lines.push(['checkpoints', `cannot be signed: ${signerFailure}`])
  if (preparationFailure !== undefined) {
    lines.push(['next segment', `cannot be prepared: ${preparationFailure}`])
  }
  if (cut > 0) lines.push(['torn end', `${cut} bytes, of no answered call, were cut at the start`])
  return lines
}
