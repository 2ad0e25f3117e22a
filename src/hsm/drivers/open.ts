import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { StartRefused } from '../refusal.ts'
import { createFileRoot, openFileRoot, rootKeyFile } from './file.ts'
import {
  createPassphraseRoot,
  openPassphraseRoot,
  rootParametersFile,
  type ScryptCost,
} from './passphrase.ts'
import type { RootDriver } from './root.ts'

export type RootOptions = {
  /** Undefined: none was given. */
  readonly passphrase: Buffer | undefined
  /** For a new passphrase root; an existing one has its own. */
  readonly cost?: ScryptCost | undefined
}

/** The root of the folder, whichever driver made it. Undefined when there is none yet. */
export function openRoot(directory: string, { passphrase }: RootOptions): RootDriver | undefined {
  const isFile = existsSync(join(directory, rootKeyFile))
  if (isFile && existsSync(join(directory, rootParametersFile))) {
    throw new StartRefused(
      `There are two roots, ${rootKeyFile} and ${rootParametersFile}; only one can be right.`,
    )
  }
  if (isFile && passphrase !== undefined) {
    throw new StartRefused(
      'A passphrase was given, but the root of this key hierarchy is a key file.',
    )
  }
  return isFile ? openFileRoot(directory) : openPassphraseRoot(directory, passphrase)
}

/** The driver is chosen here and stays: a passphrase makes a passphrase root, none makes a key file. */
export function createRoot(directory: string, { passphrase, cost }: RootOptions): RootDriver {
  return passphrase === undefined
    ? createFileRoot(directory)
    : createPassphraseRoot(directory, passphrase, cost)
}
