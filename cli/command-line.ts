import { resolve } from 'node:path'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { defaults, type Environment, givenIn } from '../src/config.ts'

/** One command of `kagiban`. */
export type CommandLine = {
  /** The words that name it, as in `account create`. */
  readonly words: readonly string[]
  readonly synopsis: string
  readonly summary: string
  readonly help: string
  /** Answers the exit code. */
  run(invocation: Invocation): Promise<number>
}

export type Invocation = {
  /** What follows the command's words. */
  readonly argv: readonly string[]
  readonly env: Environment
}

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Options that every command which may have to start the service takes. */
export const serviceOptions = {
  data: { type: 'string' },
  node: { type: 'string' },
  'root-passphrase-file': { type: 'string' },
  'root-passphrase-fd': { type: 'string' },
} as const

export const serviceOptionsHelp = `  --data DIR                   data folder [KAGIBAN_DATA] (./data)
  --node NAME                  which of the processes that share the folder (main)
  --root-passphrase-file FILE  unseal the root, if the service is not running and the root has
  --root-passphrase-fd N       a passphrase
`

/** `optional`: what may stand behind the arguments that have to be there. */
export function parse<const T extends ParseArgsConfig['options']>(
  invocation: Invocation,
  options: T,
  positionals: readonly string[],
  optional: readonly string[] = [],
) {
  const parsed = parseOrRefuse(invocation.argv, options)
  const more = parsed.positionals.length - positionals.length
  if (more < 0 || more > optional.length) {
    const named = [...positionals, ...optional.map((name) => `[${name}]`)]
    const wanted = named.length === 0 ? 'no arguments' : named.join(' ')
    throw new UsageError(`Give ${wanted}; got ${parsed.positionals.length || 'none'}.`)
  }
  for (const [name, value] of Object.entries(parsed.values)) {
    if (value === '') throw new UsageError(`--${name} is empty.`)
  }
  return parsed
}

function parseOrRefuse<const T extends ParseArgsConfig['options']>(
  argv: readonly string[],
  options: T,
) {
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

export function dataDirectory(option: string | undefined, env: Environment): string {
  return resolve(option ?? givenIn(env)['KAGIBAN_DATA'] ?? defaults.dataDir)
}
