import { questions } from '../src/reports/questions.ts'
import { type Report, reportNames } from '../src/reports/report.ts'
import {
  type CommandLine,
  dataDirectory,
  type Invocation,
  parse,
  serviceOptions,
  serviceOptionsHelp,
  UsageError,
} from './command-line.ts'
import { csvText } from './csv.ts'
import { jsonText } from './explain.ts'
import { logReport } from './report-log.ts'
import { reportText } from './report-text.ts'
import { withService } from './service-session.ts'

const options = {
  ...serviceOptions,
  since: { type: 'string' },
  until: { type: 'string' },
  account: { type: 'string' },
  region: { type: 'string' },
  key: { type: 'string' },
  object: { type: 'string' },
  bucket: { type: 'string' },
  limit: { type: 'string' },
  checkpoint: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  csv: { type: 'boolean' },
} as const

/** What restricts the reports that the service makes. */
const restrictions = ['since', 'until', 'account', 'region', 'key', 'object', 'bucket'] as const

const list = reportNames.map((name) => `  ${name.padEnd(26)} ${questions[name]}`).join('\n')

export const report: CommandLine = {
  words: ['report'],
  synopsis: 'report NAME',
  summary: 'answers to the questions of auditors, with their evidence',
  help: `Usage: kagiban report NAME [OBJECT] [options]

${list}

  --since TIME, --until TIME   the period (the last 90 days): a time in UTC, as in 2026-11-24 or
                               2026-11-24T06:00:00Z, or so long ago, as in 90d or 12h
  --account ID, --region NAME  of this account, of this Region alone
  --key KEY                    of this key alone: key id, key ARN, alias name or alias ARN;
                               allowed-but-never-used needs it. For log-integrity the public key of
                               the checkpoints, as in "audit verify"
  --object OBJECT              s3://BUCKET/KEY, s3://BUCKET/PREFIX* or an object's ARN; object-access
                               needs it, and takes it behind its name as well
  --bucket BUCKET              of this bucket alone, for encryption-coverage
  --limit N                    rows at most (10000, up to 100000)
  --checkpoint FILE            for log-integrity: a signed checkpoint that was kept elsewhere (any
                               number of times)
  --json, --csv                one JSON object; lines of RFC 4180, without what stands below a table
${serviceOptionsHelp}
Every line names its events. Every report says what it was made of and what it cannot see.

Exit codes: 0 done; 1 it could not be done, or log-integrity found the record not whole; 2 it was not
understood.
`,
  async run(invocation) {
    const { values, positionals } = parse(invocation, options, ['NAME'], ['OBJECT'])
    if (values.json === true && values.csv === true) throw new UsageError('Give --json or --csv.')
    const name = reportNames.find((each) => each === positionals[0])
    if (name === undefined) {
      throw new UsageError(`There is no report '${positionals[0]}'; ${reportNames.join(', ')}.`)
    }
    const given = { ...values, ...objectBehind(name, positionals[1], values) }
    const found =
      name === 'log-integrity'
        ? await ofLog(given, invocation)
        : await ofService(name, given, invocation)
    process.stdout.write(textOf(found, values))
    return found.report === 'log-integrity' && found.summary['result'] !== 'whole' ? 1 : 0
  },
}

type Values = ReturnType<typeof parse<typeof options>>['values']

/** `report object-access s3://bucket/key`, in place of the option. */
function objectBehind(name: string, object: string | undefined, values: Values) {
  if (object === undefined) return {}
  if (name !== 'object-access') throw new UsageError(`${name} takes no argument '${object}'.`)
  if (values.object !== undefined) throw new UsageError('Give one object.')
  return { object }
}

function ofLog(values: Values, invocation: Invocation): Promise<Report> {
  const strange = [...restrictions.filter((name) => name !== 'key'), 'limit'] as const
  for (const name of strange) {
    if (values[name] !== undefined) throw new UsageError(`log-integrity takes no --${name}.`)
  }
  return logReport({
    dataDir: dataDirectory(values.data, invocation.env),
    key: values.key,
    checkpoints: values.checkpoint ?? [],
    quiet: values.json === true || values.csv === true,
  })
}

async function ofService(name: string, values: Values, { env }: Invocation): Promise<Report> {
  if (values.checkpoint !== undefined) throw new UsageError(`${name} takes no --checkpoint.`)
  const given = restrictions.flatMap((each) =>
    values[each] === undefined ? [] : [[each, values[each]] as const],
  )
  if (values.limit !== undefined && !/^\d{1,6}$/.test(values.limit)) {
    throw new UsageError('--limit is a number.')
  }
  const input = {
    ...{ report: name, ...Object.fromEntries(given) },
    ...(values.limit !== undefined && { limit: Number(values.limit) }),
  }
  return (await withService(values, env, (session) => session.send('report', input))) as Report
}

function textOf(found: Report, { json, csv }: Values): string {
  if (json === true) return jsonText(found)
  return csv === true ? csvText(found) : reportText(found)
}
