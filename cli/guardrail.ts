import { readFileSync } from 'node:fs'
import { type CommandLine, parse, serviceOptions, serviceOptionsHelp } from './command-line.ts'
import { withService } from './service-session.ts'

type Shown = {
  readonly kind: string
  readonly name: string
  readonly arn: string
  readonly targets: readonly string[]
  readonly text?: string
}

const options = {
  ...serviceOptions,
  kind: { type: 'string' },
  json: { type: 'boolean' },
} as const

const optionsHelp = `  --kind KIND                  service-control (the default) or resource-control
  --json                       one JSON object
${serviceOptionsHelp}`

const targets = `TARGET is "organization" (every account of the deployment) or an account id.`

export const listGuardrails: CommandLine = {
  words: ['guardrail', 'list'],
  synopsis: 'guardrail list',
  summary: 'the organisation’s guardrails, and what they are attached to',
  help: `Usage: kagiban guardrail list [--json] [options]

Service control policies bound what the principals of an account may do; resource control policies
what may be done with its resources, whoever does it. Neither allows anything by itself.

  --json                       one JSON object
${serviceOptionsHelp}`,
  async run(invocation) {
    const { values } = parse(invocation, { ...serviceOptions, json: options.json }, [])
    const listed = (await withService(values, invocation.env, (session) =>
      session.send('guardrail-list', {}),
    )) as { readonly organizationId: string; readonly guardrails: readonly Shown[] }
    process.stdout.write(values.json === true ? `${JSON.stringify(listed)}\n` : tableOf(listed))
    return 0
  },
}

export const showGuardrail = named('show', 'NAME', 'show what a guardrail says', {
  text: 'Prints the text of a guardrail.',
  print: ({ text }) => `${text}\n`,
})

export const putGuardrail: CommandLine = {
  words: ['guardrail', 'put'],
  synopsis: 'guardrail put NAME FILE',
  summary: 'make or change a guardrail',
  help: `Usage: kagiban guardrail put NAME FILE [--kind KIND] [--json] [options]

Reads a policy document from FILE and keeps it as the guardrail NAME. It binds nobody until it is
attached; where it is attached already, it acts on the next call.

${optionsHelp}`,
  async run(invocation) {
    const { values, positionals } = parse(invocation, options, ['NAME', 'FILE'])
    const [name, file = ''] = positionals
    const input = { kind: kindOf(values), name, text: readFileSync(file, 'utf8') }
    const put = await withService(values, invocation.env, (session) =>
      session.send('guardrail-put', input),
    )
    process.stdout.write(values.json === true ? `${JSON.stringify(put)}\n` : `${name} is kept.\n`)
    return 0
  },
}

export const deleteGuardrail = named('delete', 'NAME', 'delete a guardrail', {
  text: 'Deletes a guardrail that is attached to nothing.',
  print: ({ name }) => `${name} is deleted.\n`,
})

export const attachGuardrail = attaching('attach', 'make a guardrail bind a target', {
  text: `${targets}
A call has to be allowed by one of the policies at each of the two levels, and denied by none. What
allows all (FullAWSAccess, RCPFullAWSAccess) is attached to every target from the beginning.`,
  print: ({ name, target }) => `${name} binds ${target}.\n`,
})

export const detachGuardrail = attaching('detach', 'take a guardrail off a target', {
  text: `${targets}
Detaching FullAWSAccess leaves what the other policies of that target allow.`,
  print: ({ name, target }) => `${name} no longer binds ${target}.\n`,
})

type Words<T> = { readonly text: string; readonly print: (answer: T) => string }

function named(
  verb: string,
  positional: string,
  summary: string,
  { text, print }: Words<Shown>,
): CommandLine {
  return {
    words: ['guardrail', verb],
    synopsis: `guardrail ${verb} ${positional}`,
    summary,
    help: `Usage: kagiban guardrail ${verb} ${positional} [--kind KIND] [--json] [options]

${text}

${optionsHelp}`,
    async run(invocation) {
      const { values, positionals } = parse(invocation, options, [positional])
      const [name] = positionals
      const answer = (await withService(values, invocation.env, (session) =>
        session.send(`guardrail-${verb}`, { kind: kindOf(values), name }),
      )) as Shown
      process.stdout.write(values.json === true ? `${JSON.stringify(answer)}\n` : print(answer))
      return 0
    },
  }
}

function attaching(
  verb: string,
  summary: string,
  { text, print }: Words<{ readonly name: string; readonly target: string }>,
): CommandLine {
  return {
    words: ['guardrail', verb],
    synopsis: `guardrail ${verb} NAME TARGET`,
    summary,
    help: `Usage: kagiban guardrail ${verb} NAME TARGET [--kind KIND] [--json] [options]

${text}

${optionsHelp}`,
    async run(invocation) {
      const { values, positionals } = parse(invocation, options, ['NAME', 'TARGET'])
      const [name, target] = positionals
      const answer = (await withService(values, invocation.env, (session) =>
        session.send(`guardrail-${verb}`, { kind: kindOf(values), name, target }),
      )) as { readonly name: string; readonly target: string }
      process.stdout.write(values.json === true ? `${JSON.stringify(answer)}\n` : print(answer))
      return 0
    },
  }
}

function kindOf({ kind }: { readonly kind?: string | undefined }): string {
  return kind ?? 'service-control'
}

function tableOf({
  organizationId,
  guardrails,
}: {
  readonly organizationId: string
  readonly guardrails: readonly Shown[]
}): string {
  const line = (kind: string, name: string, attached: string) =>
    `${kind.padEnd(17)} ${name.padEnd(32)} ${attached}\n`
  const rows = guardrails.map(({ kind, name, targets: bound }) =>
    line(kind, name, bound.length === 0 ? '-' : bound.join(', ')),
  )
  return `organisation ${organizationId}\n${line('kind', 'name', 'attached to')}${rows.join('')}`
}
