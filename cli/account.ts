import { type CommandLine, parse, serviceOptions, serviceOptionsHelp } from './command-line.ts'
import { withService } from './service-session.ts'

type CreatedAccount = {
  readonly account: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export const createAccount: CommandLine = {
  words: ['account', 'create'],
  synopsis: 'account create ACCOUNTID',
  summary: 'add an account, and show its root user’s access key once',
  help: `Usage: kagiban account create ACCOUNTID [--json] [options]

Makes an account (twelve digits) with a root user, and prints that user's access key. The secret
is shown this once; afterwards only the key core can use it.

  --json                       one JSON object: account, accessKeyId, secretAccessKey
${serviceOptionsHelp}`,
  async run(invocation) {
    const { values, positionals } = parse(
      invocation,
      { ...serviceOptions, json: { type: 'boolean' } },
      ['ACCOUNTID'],
    )
    const [account] = positionals
    const created = (await withService(values, invocation.env, (session) =>
      session.send('account-create', { account }),
    )) as CreatedAccount
    process.stdout.write(
      values.json === true
        ? `${JSON.stringify(created)}\n`
        : `account            ${created.account}\naccess key id      ${created.accessKeyId}\nsecret access key  ${created.secretAccessKey}\n`,
    )
    return 0
  },
}
