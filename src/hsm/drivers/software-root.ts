import { createSecretKey } from 'node:crypto'
import { unwrap, wrap } from '../wrap.ts'
import type { RootDriver } from './root.ts'

/** A root whose 32-byte key is in this process's memory. Wipes `key`. */
export function softwareRoot(name: string, key: Buffer): RootDriver {
  const secret = createSecretKey(key)
  key.fill(0)
  return {
    name,
    wrap: (plaintext, bound) => wrap(secret, 0, plaintext, bound),
    unwrap: (wrapped, bound) => unwrap(secret, wrapped, bound),
  }
}
