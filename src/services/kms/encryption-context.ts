import type { EncryptionContext } from '../../hsm/port.ts'
import { validation } from './errors.ts'

export const emptyContext: EncryptionContext = Object.freeze({})

/** AWS names no limits. These leave room for every use that is known, and bound what policies are matched against. */
export const contextPairsMax = 128
/** Keys and values together, in UTF-8. */
export const contextBytesMax = 8192

/** Throws 'validation'. It is asked before a key is looked for, and before any policy sees the context. */
export function requireBoundedContext(context: EncryptionContext | undefined): void {
  if (context === undefined) return
  const keys = Object.keys(context)
  if (keys.length > contextPairsMax) {
    throw validation(`An encryption context can have at most ${contextPairsMax} pairs.`)
  }
  let bytes = 0
  for (const key of keys) bytes += Buffer.byteLength(key) + Buffer.byteLength(context[key] ?? '')
  if (bytes > contextBytesMax) {
    throw validation(`An encryption context can have at most ${contextBytesMax} bytes.`)
  }
}

/**
 * Adds what policies can ask of an encryption context: each pair, and the set of its keys. A context without pairs is
 * as good as none. https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
 */
export function addContextConditions(
  conditions: Record<string, string | readonly string[]>,
  context: EncryptionContext | undefined,
): void {
  if (context === undefined) return
  const keys = Object.keys(context)
  if (keys.length === 0) return
  for (const key of keys) conditions[`kms:EncryptionContext:${key}`] = context[key] ?? ''
  conditions['kms:EncryptionContextKeys'] = keys
}
