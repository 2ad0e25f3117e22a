import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { readPlainFile, writeDurably } from '../durable.ts'
import { StartRefused } from '../refusal.ts'
import type { RootDriver } from './root.ts'
import { softwareRoot } from './software-root.ts'

/**
 * The root key is 32 random bytes in a file of its own. It protects a copy of the store, not a copy of the whole
 * machine: who can read this file can open everything that is wrapped under it.
 */
export const rootKeyFile = 'root.key'
const keyBytes = 32

export function createFileRoot(directory: string): RootDriver {
  const key = randomBytes(keyBytes)
  writeDurably(directory, rootKeyFile, key)
  return softwareRoot('file', key)
}

/** Undefined when there is no such file. Throws StartRefused for one that cannot be trusted. */
export function openFileRoot(directory: string): RootDriver | undefined {
  const file = readPlainFile(join(directory, rootKeyFile), 4096)
  if (file === undefined) return undefined
  if ((file.mode & 0o077) !== 0) {
    throw new StartRefused(
      `The root key file lets others than its owner in (mode ${file.mode.toString(8)}); make it 0600.`,
    )
  }
  if (file.bytes.length !== keyBytes) {
    throw new StartRefused(
      `The root key file is ${file.bytes.length} bytes long; it must be ${keyBytes}.`,
    )
  }
  return softwareRoot('file', file.bytes)
}
