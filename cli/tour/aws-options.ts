import { readFileSync } from 'node:fs'

/** A command line of the AWS CLI: `aws SERVICE OPERATION --name value …`. */
export type AwsCommand = {
  readonly service: string
  /** As in `create-key`. */
  readonly operation: string
  /** By the names of the wire, as in `KeyId`. */
  readonly input: Readonly<Record<string, unknown>>
  /** A file to write or to send, where the command has one without a name. */
  readonly positional: string | undefined
  readonly query: string | undefined
  readonly asText: boolean
}

/** Options whose value is a map, written `name=value,name=value`. */
const maps = new Set(['EncryptionContext'])

/** Reads what the AWS CLI reads, as far as the tour goes. */
export function awsCommand(argv: readonly string[]): AwsCommand {
  const [service = '', operation = '', ...rest] = argv
  const input: Record<string, unknown> = {}
  let positional: string | undefined
  let query: string | undefined
  let asText = false
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at] ?? ''
    if (!word.startsWith('--')) {
      positional = word
      continue
    }
    at += 1
    const value = rest[at]
    if (value === undefined) throw new Error(`${word} has no value`)
    if (word === '--query') query = value
    else if (word === '--output') asText = value === 'text'
    else {
      const name = wireName(word.slice(2))
      input[name] = read(name, value)
    }
  }
  return { service, operation, input, positional, query, asText }
}

/** `key-id` is KeyId; `sse-kms-key-id` and its kin keep their capitals. */
export function wireName(option: string): string {
  const name = option
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
  return name.replace(/^SseKms/, 'SSEKMS')
}

function read(name: string, text: string): unknown {
  if (text.startsWith('fileb://')) return readFileSync(text.slice(8)).toString('base64')
  if (text.startsWith('file://')) return readFileSync(text.slice(7), 'utf8')
  if (maps.has(name)) return Object.fromEntries(text.split(',').map((pair) => pair.split('=', 2)))
  return text
}

/** A path of names through an answer, as `--query` takes it: `KeyMetadata.KeyId`. */
export function found(answer: unknown, path: string | undefined): unknown {
  if (path === undefined) return answer
  return path.split('.').reduce<unknown>((value, name) => {
    return (value as Readonly<Record<string, unknown>> | undefined)?.[name]
  }, answer)
}
