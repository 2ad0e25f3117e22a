import { join } from 'node:path'
import { maxVkeyBytes, vkeyName } from '../directory.ts'
import { type Files, readSmallFile } from '../files.ts'
import { parseVkey, signatureTypes, type VerifierKey, verifierKey } from '../note-keys.ts'
import { NotWhole } from './finding.ts'

/** The keys that the file `vkey` in a journal's directory names; none without a file. Throws NotWhole. */
export function keysIn(files: Files, directory: string): VerifierKey[] {
  const file = join(directory, vkeyName)
  const content = readSmallFile(files, file, maxVkeyBytes)?.toString()
  if (content === undefined) return []
  const keys = content.split('\n').slice(0, -1).map(parseVkey)
  const isWhole = content.endsWith('\n') && keys.every((key) => typeof key !== 'string')
  if (isWhole && ed25519Of(keys) !== undefined) return keys
  throw new NotWhole(
    'other-key',
    { file },
    'the file does not hold the public key of the checkpoints',
  )
}

/** The Ed25519 key, which is what every checkpoint is signed with. */
export function ed25519Of(keys: readonly (VerifierKey | string)[]): VerifierKey | undefined {
  return keys
    .filter((key) => typeof key !== 'string')
    .find(({ type }) => type === signatureTypes.ed25519)
}

/** One key core signs for all journals, under the name of each. A cosigner has a name of its own. */
export function underName(origin: string, keys: readonly VerifierKey[]): VerifierKey[] {
  return keys.map((key) =>
    key.type === signatureTypes.cosignature ? key : verifierKey(origin, key.type, key.publicKey),
  )
}
