import type { CallExplanation } from '../src/operator/explain-call.ts'
import type { EventExplanation } from '../src/operator/explain-event.ts'
import {
  type CommandLine,
  type Invocation,
  parse,
  serviceOptions,
  serviceOptionsHelp,
  UsageError,
} from './command-line.ts'
import { callText, eventText } from './explain-text.ts'
import { withService } from './service-session.ts'

const options = {
  ...serviceOptions,
  json: { type: 'boolean' },
  encoded: { type: 'boolean' },
  principal: { type: 'string' },
  action: { type: 'string' },
  key: { type: 'string' },
  resource: { type: 'string' },
  region: { type: 'string' },
  context: { type: 'string', multiple: true },
  condition: { type: 'string', multiple: true },
} as const

export const explain: CommandLine = {
  words: ['explain'],
  synopsis: 'explain EVENTID',
  summary: 'why a call was allowed or denied, or would be',
  help: `Usage: kagiban explain EVENTID [--json | --encoded] [options]
       kagiban explain --principal ARN --action ACTION [--key KEY | --resource ARN]
                       [--region R] [--context K=V …] [--condition KEY=VALUE …] [--json] [options]

With an event id: shows what the call was decided on, out of its record, and decides it again by
the same texts, which are kept however often policies have changed since. Without: what would
become of such a call as things are now. Either way a denial comes with the smallest changes that
would have allowed it.

  --encoded                    what the event's own account may know, for
                               sts:DecodeAuthorizationMessage
  --principal ARN              a user, a role, a role session, or an account's root
  --action ACTION              as in kms:Decrypt
  --key KEY                    key id, key ARN, alias name or alias ARN
  --resource ARN               of what is no key; for sts:AssumeRole, the role (*)
  --region R                   (the home Region)
  --context K=V                a pair of the encryption context; any number of times
  --condition KEY=VALUE        any other condition key, as in aws:SourceIp=192.0.2.1; several
                               values of one key by several options
  --json                       one JSON object
${serviceOptionsHelp}`,
  run(invocation) {
    return invocation.argv[0]?.startsWith('-') === false ? ofEvent(invocation) : ofCall(invocation)
  },
}

async function ofEvent(invocation: Invocation): Promise<number> {
  const { values, positionals } = parse(invocation, options, ['EVENTID'])
  const [eventId] = positionals
  for (const name of ['principal', 'action', 'key', 'resource', 'region'] as const) {
    if (values[name] !== undefined) throw new UsageError(`--${name} is for calls nobody made.`)
  }
  const encoded = values.encoded === true
  const answer = await withService(values, invocation.env, (session) =>
    session.send('explain-event', { eventId, encoded }),
  )
  if (values.json === true) write(jsonText(answer))
  else if (encoded) write(`${(answer as { encodedMessage: string }).encodedMessage}\n`)
  else write(eventText(answer as EventExplanation))
  return 0
}

async function ofCall(invocation: Invocation): Promise<number> {
  const { values } = parse(invocation, options, [])
  const { principal, action, key, resource, region, context, condition } = values
  if (principal === undefined || action === undefined) {
    throw new UsageError('Give an event id, or --principal and --action.')
  }
  if (values.encoded === true) throw new UsageError('--encoded is for events.')
  const question = {
    ...{ principal, action, key, resource, region },
    context: context && onePerName(context),
    conditions: condition && severalPerName(condition),
  }
  const answer = await withService(values, invocation.env, (session) =>
    session.send('explain-call', question),
  )
  write(values.json === true ? jsonText(answer) : callText(answer as CallExplanation))
  return 0
}

function onePerName(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(texts.map(pairOf))
}

function severalPerName(texts: readonly string[]) {
  const values = new Map<string, string[]>()
  for (const [name, value] of texts.map(pairOf)) {
    values.set(name, [...(values.get(name) ?? []), value])
  }
  return Object.fromEntries(
    [...values].map(([name, all]) => [name, all.length === 1 ? all[0] : all]),
  )
}

/** The name ends at the first equals sign. */
function pairOf(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`'${text}' is no NAME=VALUE.`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** JSON allows characters that terminals act on. */
export function jsonText(answer: unknown): string {
  return `${forTerminal(JSON.stringify(answer))}\n`
}

/** For JSON texts, which have no control characters below 0x20: escapes the others that terminals act on. */
export function forTerminal(text: string): string {
  return text.replace(/[\u007f-\u009f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

function write(text: string): void {
  process.stdout.write(text)
}
