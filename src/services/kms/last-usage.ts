import type { AccountId } from '../../base/ids.ts'
import type { EventLookup } from '../../journal/port.ts'

/**
 * The operations that count as a use of a key: those that needed its material.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyLastUsageData.html
 */
export const trackedOperations = [
  'Encrypt',
  'Decrypt',
  'ReEncrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'Sign',
  'Verify',
  'GenerateMac',
  'VerifyMac',
  'DeriveSharedSecret',
  'Encapsulate',
  'Decapsulate',
] as const

/** One use of a key: which operation, when (ms since the epoch), and how the record names it. */
export type KeyLastUse = {
  readonly operation: (typeof trackedOperations)[number]
  readonly time: number
  readonly eventId: string
  readonly requestId: string
}

/** The newest successful use of a key, as the audit record of its account knows it. */
export type LastUsage = (account: AccountId, keyArn: string) => Promise<KeyLastUse | undefined>

export function lastUsageFrom(lookup: Pick<EventLookup, 'last'>): LastUsage {
  return async (account, resource) => {
    const event = await lookup.last({ account, resource, names: trackedOperations })
    const operation = trackedOperations.find((name) => name === event?.name)
    if (event === undefined || operation === undefined) return undefined
    const { time, eventId, requestId } = event
    return { operation, time, eventId, requestId }
  }
}
