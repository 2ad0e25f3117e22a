import type { EncryptionContext } from '../../hsm/port.ts'

export const emptyContext: EncryptionContext = Object.freeze({})

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
