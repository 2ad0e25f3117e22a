import { type CommandLine, parse, serviceOptions, serviceOptionsHelp } from './command-line.ts'
import { type LogStatus, logLines } from './log-status.ts'
import { withService } from './service-session.ts'

type Status = {
  readonly healthy: boolean
  readonly objectsHealthy: boolean
  readonly failure?: string
  readonly endpoint?: string
  readonly account: string
  readonly regions: readonly string[]
  readonly accounts: number
  readonly keys: number
  readonly buckets: number
  readonly records: number
  readonly journal: {
    readonly checkpointSize: number
    readonly signerFailure?: string
    readonly preparationFailure?: string
    readonly cut: number
  }
  readonly exports: readonly {
    readonly name: string
    readonly type: string
    readonly behind: number
    readonly deliveredAt?: number
    readonly failure?: {
      readonly since: number
      readonly reason: string
      readonly attempts: number
    }
  }[]
  readonly log?: LogStatus
  readonly trails?: {
    readonly delivers: boolean
    readonly trails: number
    readonly lagMs: number
    readonly failures: readonly { trail: string; region: string; reason: string }[]
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
what troubles the audit journal and its exports. Exit code 1 when it is not healthy.

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
    ['health', healthOf(found)],
    ['accounts', `${found.accounts} (first: ${found.account})`],
    ['Regions', found.regions.join(', ')],
    ['keys', String(found.keys)],
    ['buckets', String(found.buckets)],
    [
      'audit records',
      `${found.records}, ${found.journal.checkpointSize} under a signed checkpoint`,
    ],
    ...troubles(found.journal),
    ...found.exports.map(exportLine),
    ...(found.log === undefined ? [] : logLines(found.log)),
    ...trailLines(found.trails),
    ['root', found.keyCore.rootDriver],
    ...found.keyCore.regions.map((entry) => [
      `domain key ${entry.region}`,
      `generation ${entry.activeGeneration}, since ${new Date(entry.activeSince).toISOString()}`,
    ]),
  ]
  return `${lines.map(([name = '', value = '']) => `${name.padEnd(24)} ${value}`).join('\n')}\n`
}

function healthOf({ healthy, objectsHealthy, failure }: Status): string {
  if (healthy) return 'good'
  const objects = objectsHealthy
    ? undefined
    : 'the object store does not answer or cannot be written'
  return `failed: ${failure ?? objects ?? 'the service log says why'}`
}

/** How far behind the record it is, and why. A receiver that is away makes nothing unhealthy: it misses nothing. */
function exportLine({ name, type, behind, deliveredAt, failure }: Status['exports'][number]) {
  const at = (ms: number) => new Date(ms).toISOString()
  const lag = behind === 0 ? 'up to date' : `${behind} entries behind`
  const last = deliveredAt === undefined ? '' : `, last at ${at(deliveredAt)}`
  const failed =
    failure === undefined
      ? ''
      : `; failing since ${at(failure.since)}, ${failure.attempts} times: ${failure.reason}`
  return [`export ${name}`, `${type}, ${lag}${last}${failed}`]
}

/** How far behind the delivery to trails is, and what it fails at. */
function trailLines(found: Status['trails']): string[][] {
  if (found === undefined || (found.trails === 0 && found.failures.length === 0)) return []
  const lag = found.lagMs < 2000 ? 'in time' : `${Math.floor(found.lagMs / 1000)} s behind`
  const who = found.delivers ? lag : 'delivered by another process'
  return [
    ['trails', `${found.trails}, ${who}`],
    ...found.failures.map(({ trail, region, reason }) => [
      'trail delivery',
      trail === '' ? `fails: ${reason}` : `${trail} in ${region} fails: ${reason}`,
    ]),
  ]
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
