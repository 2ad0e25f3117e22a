import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { defaults } from '../src/config.ts'
import { maxCheckpointBytes, parseCheckpoint } from '../src/journal/checkpoint.ts'
import { checkpointName, readOrigin } from '../src/journal/directory.ts'
import { readSmallFile } from '../src/journal/files.ts'
import { nodeFiles } from '../src/journal/node-files.ts'
import {
  signatureTypes,
  type VerifierKey,
  verifierKey,
  vkeyText,
} from '../src/journal/note-keys.ts'
import { printable, signatureFault } from '../src/journal/verify/checkpoint-chain.ts'
import { underName } from '../src/journal/verify/journal-keys.ts'
import { OperatorError } from '../src/operator/socket.ts'
import { keyHelp, keyOfService, keysBeside, readKeys } from './checkpoint-key.ts'
import { type CommandLine, dataDirectory, type Invocation, parse } from './command-line.ts'

const nodeHelp = `  --node NAME                  which of the processes that share the folder (${defaults.node})
  --data DIR                   data folder [KAGIBAN_DATA] (./data)
`

export const printCheckpoint: CommandLine = {
  words: ['audit', 'checkpoint'],
  synopsis: 'audit checkpoint',
  summary: 'print the newest signed checkpoint of the audit record',
  help: `Usage: kagiban audit checkpoint [--node NAME] [--key KEY] [--data DIR]

Prints the newest signed checkpoint (a C2SP signed note): how many records there are, and the root
of the tree over them. Keep it on another machine, as often as you like: whoever has it can tell
with "kagiban audit verify --checkpoint FILE" whether anything before it was altered since.

${keyHelp}
${nodeHelp}
Exit codes: 0 printed; 1 there is none, or it is not signed by the key; 2 it was not understood.
`,
  async run(invocation) {
    const options = {
      data: { type: 'string' },
      node: { type: 'string' },
      key: { type: 'string' },
    } as const
    const { values } = parse(invocation, options, [])
    const given = values.key === undefined ? undefined : readKeys(values.key)
    const { journal } = journalOf(values, invocation)
    const note = await newestCheckpoint(join(journal, checkpointName))
    const checkpoint = parseCheckpoint(note)
    if (typeof checkpoint === 'string') {
      throw new OperatorError(
        `${join(journal, checkpointName)} is no signed checkpoint: it has ${checkpoint}.`,
      )
    }
    const keys = underName(checkpoint.origin, given ?? keysBeside(journal))
    const fault = signatureFault(checkpoint, keys)
    if (fault !== undefined) {
      throw new OperatorError(`The checkpoint of ${printable(checkpoint.origin)} ${fault}.`)
    }
    process.stdout.write(note)
    return 0
  },
}

export const printKey: CommandLine = {
  words: ['audit', 'key'],
  synopsis: 'audit key',
  summary: 'print the public key of the checkpoints',
  help: `Usage: kagiban audit key [--node NAME] [--data DIR]

Prints the public key that verifies the checkpoints, as a C2SP verifier key, and on standard error
where it is from: the running service, or the file beside the journal. Keep it elsewhere; give it
to whoever is to verify the record or a proof.

${nodeHelp}`,
  async run(invocation) {
    const options = { data: { type: 'string' }, node: { type: 'string' } } as const
    const { values } = parse(invocation, options, [])
    const { journal, dataDir, node } = journalOf(values, invocation)
    const origin = readOrigin(nodeFiles, journal) ?? ''
    const ofService = await keyOfService(dataDir, node)
    const keys: VerifierKey[] =
      ofService === undefined
        ? keysBeside(journal)
        : [verifierKey(origin, signatureTypes.ed25519, ofService.publicKey)]
    const source =
      ofService === undefined ? `the file ${join(journal, 'vkey')}` : 'the running service'
    process.stderr.write(`kagiban: the key is from ${source}.\n`)
    process.stdout.write(keys.map((key) => `${vkeyText(key)}\n`).join(''))
    return 0
  },
}

function journalOf(
  values: { readonly data?: string | undefined; readonly node?: string | undefined },
  { env }: Invocation,
): { journal: string; dataDir: string; node: string } {
  const dataDir = dataDirectory(values.data, env)
  const node = values.node ?? defaults.node
  const journal = join(dataDir, 'journal', node)
  if (!existsSync(join(dataDir, 'journal'))) {
    throw new OperatorError(`There is no Kagiban data in ${dataDir}.`)
  }
  if (!existsSync(journal))
    throw new OperatorError(`No process '${node}' has a journal in ${dataDir}.`)
  return { journal, dataDir, node }
}

const attempts = 30
const pauseMs = 100

/** A service that has just begun signs its first checkpoint within a second. */
async function newestCheckpoint(path: string): Promise<string> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const note = readSmallFile(nodeFiles, path, maxCheckpointBytes)
    if (note !== undefined) return note.toString()
    await sleep(pauseMs)
  }
  throw new OperatorError('There is no signed checkpoint yet: the service makes one each second.')
}
