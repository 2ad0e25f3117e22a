import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodeFiles } from '../src/journal/node-files.ts'
import {
  parseVkey,
  signatureTypes,
  type VerifierKey,
  verifierKey,
} from '../src/journal/note-keys.ts'
import { keysIn } from '../src/journal/verify/journal-keys.ts'
import { NotRunning, OperatorError, sendCommand, socketName } from '../src/operator/socket.ts'
import { UsageError } from './command-line.ts'

/** Where the keys came from that something was verified with. */
export type KeySource = 'given' | 'service' | 'folder'

export const keyHelp = `  --key KEY                    the public key of the checkpoints: a C2SP verifier key, 64
                               hexadecimal digits, or a file with one of them`

/** Reads `--key`: keys in their text form, as hexadecimal digits, or a file with them. Throws UsageError. */
export function readKeys(text: string): VerifierKey[] {
  const content = existsSync(text) ? readFileSync(text, 'utf8') : text
  const lines = content.split('\n').map((line) => line.trim())
  const keys = lines.filter((line) => line !== '').map(parseKey)
  if (keys.length === 0 || keys.length > 16) throw new UsageError(`--key: ${text} has no key.`)
  return keys
}

/** A bare key has no name; whoever uses it knows whose it is. */
function parseKey(text: string): VerifierKey {
  if (/^[0-9a-fA-F]{64}$/.test(text)) {
    return verifierKey('', signatureTypes.ed25519, Buffer.from(text, 'hex'))
  }
  const key = parseVkey(text)
  if (typeof key !== 'string') return key
  throw new UsageError(
    `--key: '${text.slice(0, 80)}' is neither a key nor a file with one: ${key}.`,
  )
}

/** The key as the running service has it from its key core; undefined if none runs over this folder. */
export async function keyOfService(
  dataDir: string,
  node: string,
): Promise<VerifierKey | undefined> {
  const run = join(dataDir, 'run')
  if (!existsSync(join(run, socketName(node)))) return undefined
  const before = process.cwd()
  // A socket's path is limited to about 100 bytes.
  process.chdir(run)
  try {
    const answer = (await sendCommand(socketName(node), 'checkpoint-key', {}, () => {})) as {
      readonly publicKey: string
    }
    return verifierKey('', signatureTypes.ed25519, Buffer.from(answer.publicKey, 'hex'))
  } catch (error) {
    if (error instanceof NotRunning || error instanceof OperatorError) return undefined
    throw error
  } finally {
    process.chdir(before)
  }
}

/** The keys in the file beside a journal. Throws OperatorError without one. */
export function keysBeside(journal: string): VerifierKey[] {
  const keys = keysIn(nodeFiles, journal)
  if (keys.length > 0) return keys
  throw new OperatorError(
    `There is no public key beside the journal ${journal}: start the service over it once, or give --key.`,
  )
}
