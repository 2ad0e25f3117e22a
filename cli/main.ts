import { ConfigError, type Environment } from '../src/config.ts'
import { NotRunning, OperatorError } from '../src/operator/socket.ts'
import { createAccount } from './account.ts'
import { exportAudit } from './audit.ts'
import { backup } from './backup.ts'
import { type CommandLine, type Invocation, UsageError } from './command-line.ts'
import { rotateDomainKey } from './domain-key.ts'
import { restore } from './restore.ts'
import { start } from './start.ts'
import { status } from './status.ts'

const commands: readonly CommandLine[] = [
  start,
  status,
  createAccount,
  exportAudit,
  rotateDomainKey,
  backup,
  restore,
]

/** What the exit codes mean; `--help` shows it. */
const exitCodes = { done: 0, failed: 1, usage: 2 }

const help = `Usage: kagiban COMMAND [options]

Commands
${commands.map((command) => `  ${command.synopsis.padEnd(32)} ${command.summary}`).join('\n')}

Each command takes --data DIR (or KAGIBAN_DATA; default ./data) and explains itself with --help.
All but restore, which needs it stopped, work whether the service runs or not.

Exit codes: 0 done; 1 it could not be done, and why is on standard error; 2 it was not understood.
`

/** Runs one command; answers the exit code. */
export async function run(argv: readonly string[], env: Environment): Promise<number> {
  const command = commands.find((candidate) =>
    candidate.words.every((word, index) => argv[index] === word),
  )
  if (command === undefined) return withoutCommand(argv)
  const invocation: Invocation = { argv: argv.slice(command.words.length), env }
  if (invocation.argv.includes('--help') || invocation.argv.includes('-h')) {
    process.stdout.write(command.help)
    return exitCodes.done
  }
  try {
    return await command.run(invocation)
  } catch (error) {
    return explain(error, command)
  }
}

function withoutCommand(argv: readonly string[]): number {
  const [first] = argv
  if (first === '--help' || first === '-h' || first === 'help') {
    process.stdout.write(help)
    return exitCodes.done
  }
  process.stderr.write(
    first === undefined ? help : `kagiban: there is no command '${argv.join(' ')}'.\n\n${help}`,
  )
  return exitCodes.usage
}

function explain(error: unknown, command: CommandLine): number {
  if (error instanceof UsageError || error instanceof ConfigError) {
    process.stderr.write(
      `kagiban: ${error.message}\nSee: kagiban ${command.words.join(' ')} --help\n`,
    )
    return exitCodes.usage
  }
  const expected = error instanceof OperatorError || error instanceof NotRunning
  const text = error instanceof Error ? error.message : String(error)
  process.stderr.write(`kagiban: ${text}\n`)
  if (!expected && error instanceof Error && error.name === 'TypeError') {
    process.stderr.write(`${error.stack}\n`)
  }
  return exitCodes.failed
}
