import { closeSync, openSync, readSync } from 'node:fs'
import type { Checkpoint } from '../src/journal/checkpoint.ts'
import { type VerifierKey, vkeyText } from '../src/journal/note-keys.ts'
import {
  checkProof,
  maxProofBytes,
  NoProof,
  type RecordProof,
} from '../src/journal/verify/proof-file.ts'
import { keyHelp, readKeys } from './checkpoint-key.ts'
import { type CommandLine, parse } from './command-line.ts'
import { forTerminal, jsonText } from './explain.ts'

const exitCodes = { holds: 0, refused: 1, unread: 3 }

export const checkProofFile: CommandLine = {
  words: ['audit', 'check-proof'],
  synopsis: 'audit check-proof FILE',
  summary: 'check a proof of a record, without any data folder',
  help: `Usage: kagiban audit check-proof FILE [--key KEY] [--json]

Checks what "kagiban audit prove" printed, from the file alone. A file in which any character was
changed is refused. The file brings the key that it was signed with; without --key you are told
which one it is, and have to know yourself whose.

${keyHelp}
  --json                       one JSON object

Exit codes: 0 the proof holds; 1 it does not; 2 it was not understood; 3 it could not be read.
`,
  async run(invocation) {
    const options = { key: { type: 'string' }, json: { type: 'boolean' } } as const
    const { values, positionals } = parse(invocation, options, ['FILE'])
    const [file = ''] = positionals
    const given = values.key === undefined ? undefined : readKeys(values.key)
    try {
      const { proof, checkpoint } = checkProof(read(file))
      const [own] = proof.keys
      if (given !== undefined && !given.some((key) => own !== undefined && isSame(key, own))) {
        throw new NoProof('it is signed by another key than the one that was given')
      }
      const isGiven = given !== undefined
      process.stdout.write(
        values.json === true ? json(proof, checkpoint, isGiven) : text(proof, checkpoint, isGiven),
      )
      return exitCodes.holds
    } catch (error) {
      if (error instanceof NoProof)
        return refuse(`${file} proves nothing: ${error.message}.`, exitCodes.refused)
      if (error instanceof Error && 'code' in error) return refuse(error.message, exitCodes.unread)
      throw error
    }
  },
}

function refuse(message: string, code: number): number {
  process.stderr.write(`kagiban: ${message}\n`)
  return code
}

/** A key that was given by its digits alone has no name. */
function isSame(given: VerifierKey, own: VerifierKey): boolean {
  const isNamed = given.name === '' || given.name === own.name
  return isNamed && given.type === own.type && given.publicKey.equals(own.publicKey)
}

function text(proof: RecordProof, checkpoint: Checkpoint, isGiven: boolean): string {
  const [own, ...others] = proof.keys
  const key = own === undefined ? '' : safe(vkeyText(own))
  const lines = [
    forTerminal(proof.record.toString()),
    '',
    `This ${proof.kind} is record ${proof.index} of the ${checkpoint.size} under a signed checkpoint of ${safe(checkpoint.origin)}.`,
    isGiven
      ? `Signed by the given key: ${key}`
      : `The key was taken from the file itself: ${key}\nIt proves something only if you know from elsewhere that this key is the log's; --key compares.`,
    ...others.map(
      (other) => `Also signed by ${safe(vkeyText(other))}, a key that was taken from the file.`,
    ),
  ]
  return `${lines.join('\n')}\n`
}

/** Names in a file from elsewhere may have anything in them. */
function safe(text: string): string {
  return forTerminal(JSON.stringify(text).slice(1, -1))
}

function json(proof: RecordProof, checkpoint: Checkpoint, isGiven: boolean): string {
  return jsonText({
    kind: proof.kind,
    index: proof.index,
    record: proof.record.toString(),
    origin: checkpoint.origin,
    size: checkpoint.size,
    keys: proof.keys.map(vkeyText),
    keySource: isGiven ? 'given' : 'file',
  })
}

/** One byte more than a proof can have is enough to see that it is none. */
function read(file: string): Buffer {
  const opened = openSync(file, 'r')
  try {
    const buffer = Buffer.alloc(maxProofBytes + 1)
    let length = 0
    for (;;) {
      const count = readSync(opened, buffer, length, buffer.length - length, null)
      if (count === 0) return buffer.subarray(0, length)
      length += count
      if (length === buffer.length) return buffer
    }
  } finally {
    closeSync(opened)
  }
}
