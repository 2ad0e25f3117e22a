import { ConfigError } from '../src/config.ts'
import { NotRunning, OperatorError } from '../src/operator/socket.ts'
import { type CommandLine, type Invocation, UsageError } from './command-line.ts'
import { printable } from './explain-text.ts'

/** What the exit codes mean; `--help` shows it. */
export const exitCodes = { done: 0, failed: 1, usage: 2 }

/** Runs one command; answers the exit code. */
export async function run(command: CommandLine, invocation: Invocation): Promise<number> {
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

function explain(error: unknown, command: CommandLine): number {
  if (error instanceof UsageError || error instanceof ConfigError) {
    process.stderr.write(
      `kagiban: ${error.message}\nSee: kagiban ${command.words.join(' ')} --help\n`,
    )
    return exitCodes.usage
  }
  const expected = error instanceof OperatorError || error instanceof NotRunning
  const text = error instanceof Error ? error.message : String(error)
  // A service's words can be in it.
  process.stderr.write(`kagiban: ${printable(text)}\n`)
  if (!expected && error instanceof Error && error.name === 'TypeError') {
    process.stderr.write(`${error.stack}\n`)
  }
  return exitCodes.failed
}
