import { type CommandLine, parse, serviceOptions, serviceOptionsHelp } from './command-line.ts'
import { withService } from './service-session.ts'

type Listed = {
  readonly quotas: readonly {
    readonly name: string
    readonly meaning: string
    readonly value?: number
    readonly aws?: number
    readonly accounts: readonly { readonly account: string; readonly value: number }[]
  }[]
}

type Changed = { readonly name: string; readonly account?: string; readonly value?: number }

export const listQuotas: CommandLine = {
  words: ['quota', 'list'],
  synopsis: 'quota list',
  summary: 'what the limits are, and what they are at AWS',
  help: `Usage: kagiban quota list [--json] [options]

Shows every quota with its present value, AWS's default, and what is set for single accounts.
Resource quotas hold from the start; request quotas ("requests/…", a second) are off until set.

  --json                       one JSON object
${serviceOptionsHelp}`,
  async run(invocation) {
    const { values } = parse(invocation, { ...serviceOptions, json: { type: 'boolean' } }, [])
    const listed = (await withService(values, invocation.env, (session) =>
      session.send('quota-list', {}),
    )) as Listed
    process.stdout.write(values.json === true ? `${JSON.stringify(listed)}\n` : tableOf(listed))
    return 0
  },
}

function tableOf({ quotas }: Listed): string {
  const line = (name: string, value: string, aws: string, meaning: string) =>
    `${name.padEnd(44)} ${value.padStart(10)} ${aws.padStart(10)}  ${meaning}\n`
  const rows = quotas.flatMap(({ name, value, aws, meaning, accounts }) => [
    line(name, value?.toString() ?? 'off', aws?.toString() ?? '-', meaning),
    ...accounts.map((own) => line(`  account ${own.account}`, String(own.value), '', '')),
  ])
  return line('quota', 'value', 'at AWS', '') + rows.join('')
}

const changeOptions = {
  ...serviceOptions,
  account: { type: 'string' },
  json: { type: 'boolean' },
} as const

export const setQuota: CommandLine = {
  words: ['quota', 'set'],
  synopsis: 'quota set NAME VALUE',
  summary: 'set a limit for everybody, or for one account',
  help: `Usage: kagiban quota set NAME VALUE [--account ACCOUNTID] [--json] [options]

Sets a quota ("kagiban quota list" has their names). It acts on the next call. Request quotas are
requests a second of one account; a caller beyond them gets ThrottlingException, and AWS's SDKs
wait and try again. Each process of a deployment counts for itself.

  --account ACCOUNTID          for this account alone (request quotas)
  --json                       one JSON object
${serviceOptionsHelp}`,
  async run(invocation) {
    const { values, positionals } = parse(invocation, changeOptions, ['NAME', 'VALUE'])
    const [name, value] = positionals
    const input = { name, value, ...(values.account && { account: values.account }) }
    const changed = (await withService(values, invocation.env, (session) =>
      session.send('quota-set', input),
    )) as Changed
    process.stdout.write(values.json === true ? `${JSON.stringify(changed)}\n` : textOf(changed))
    return 0
  },
}

export const unsetQuota: CommandLine = {
  words: ['quota', 'unset'],
  synopsis: 'quota unset NAME',
  summary: 'go back to the limit that holds without a setting',
  help: `Usage: kagiban quota unset NAME [--account ACCOUNTID] [--json] [options]

Takes back what "kagiban quota set" set, for everybody or for one account.

  --account ACCOUNTID          for this account alone
  --json                       one JSON object
${serviceOptionsHelp}`,
  async run(invocation) {
    const { values, positionals } = parse(invocation, changeOptions, ['NAME'])
    const [name] = positionals
    const input = { name, ...(values.account && { account: values.account }) }
    const changed = (await withService(values, invocation.env, (session) =>
      session.send('quota-unset', input),
    )) as Changed
    process.stdout.write(values.json === true ? `${JSON.stringify(changed)}\n` : textOf(changed))
    return 0
  },
}

function textOf({ name, account, value }: Changed): string {
  const whom = account === undefined ? '' : ` for account ${account}`
  return `${name}${whom}: ${value ?? 'off'}\n`
}
