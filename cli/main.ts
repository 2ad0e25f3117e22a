import type { Environment } from '../src/config.ts'
import { createAccount } from './account.ts'
import { exportAudit } from './audit.ts'
import { checkProofFile } from './audit-check-proof.ts'
import { printCheckpoint, printKey } from './audit-checkpoint.ts'
import { proveEvent } from './audit-prove.ts'
import { verifyAudit } from './audit-verify.ts'
import { backup } from './backup.ts'
import type { CommandLine } from './command-line.ts'
import { diffAccess } from './diff-access.ts'
import { rotateDomainKey } from './domain-key.ts'
import { explain } from './explain.ts'
import {
  attachGuardrail,
  deleteGuardrail,
  detachGuardrail,
  listGuardrails,
  putGuardrail,
  showGuardrail,
} from './guardrail.ts'
import { lint } from './lint.ts'
import { policyHistory } from './policy-history.ts'
import { proveSeparation } from './prove.ts'
import { listQuotas, setQuota, unsetQuota } from './quota.ts'
import { reencrypt } from './reencrypt.ts'
import { report } from './report.ts'
import { restore } from './restore.ts'
import { exitCodes, run } from './run.ts'
import { start } from './start.ts'
import { status } from './status.ts'
import { tour } from './tour.ts'
import { whoCan } from './who-can.ts'
import { witness } from './witness.ts'

const commands: readonly CommandLine[] = [
  start,
  status,
  createAccount,
  exportAudit,
  verifyAudit,
  printCheckpoint,
  printKey,
  proveEvent,
  checkProofFile,
  rotateDomainKey,
  listQuotas,
  setQuota,
  unsetQuota,
  listGuardrails,
  showGuardrail,
  putGuardrail,
  deleteGuardrail,
  attachGuardrail,
  detachGuardrail,
  lint,
  explain,
  whoCan,
  diffAccess,
  proveSeparation,
  policyHistory,
  report,
  reencrypt,
  backup,
  restore,
  witness,
  tour,
]

const help = `Usage: kagiban COMMAND [options]

Commands
${commands.map((command) => `  ${command.synopsis.padEnd(32)} ${command.summary}`).join('\n')}

Each command takes --data DIR (or KAGIBAN_DATA; default ./data) and explains itself with --help.
All but restore, which needs it stopped, and reencrypt, which is a client of it, work whether the
service runs or not.

Exit codes: 0 done; 1 it could not be done, and why is on standard error; 2 it was not understood.
Analyses have more, which their --help names.
`

/** Runs the command that the arguments name; answers the exit code. */
export async function main(argv: readonly string[], env: Environment): Promise<number> {
  const command = commands.find((candidate) =>
    candidate.words.every((word, index) => argv[index] === word),
  )
  if (command === undefined) return withoutCommand(argv)
  return run(command, { argv: argv.slice(command.words.length), env })
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
