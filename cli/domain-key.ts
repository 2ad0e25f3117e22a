import { type CommandLine, parse, serviceOptions, serviceOptionsHelp } from './command-line.ts'
import { withService } from './service-session.ts'

type Rotated = {
  readonly rotated: readonly { region: string; generation: number; rewrapped: number }[]
}

export const rotateDomainKey: CommandLine = {
  words: ['domain-key', 'rotate'],
  synopsis: 'domain-key rotate',
  summary: 'replace domain keys now, and re-wrap what they wrap',
  help: `Usage: kagiban domain-key rotate [--region REGION] [--json] [options]

Makes a new domain key in each Region (or in one), and wraps all key material under it. Requests
go on meanwhile. The service does this by itself every --domain-key-hours.

  --region REGION              only this Region
  --json                       as one JSON object
${serviceOptionsHelp}`,
  async run(invocation) {
    const { values } = parse(
      invocation,
      { ...serviceOptions, region: { type: 'string' }, json: { type: 'boolean' } },
      [],
    )
    const input = values.region === undefined ? {} : { region: values.region }
    const answer = (await withService(values, invocation.env, (session) =>
      session.send('domain-key-rotate', input),
    )) as Rotated
    const text = answer.rotated
      .map(
        (entry) =>
          `${entry.region}: generation ${entry.generation}, ${entry.rewrapped} key materials re-wrapped\n`,
      )
      .join('')
    process.stdout.write(values.json === true ? `${JSON.stringify(answer)}\n` : text)
    return 0
  },
}
