import type { KeyUse } from '../journal/port.ts'
import { accountOf } from './facts.ts'

export type Outcome = 'allowed' | 'denied' | 'failed'

const denials = /^(?:AccessDenied|AccessDeniedException|.*UnauthorizedOperation.*)$/

export function outcomeOf(error: string): Outcome {
  if (error === '') return 'allowed'
  return denials.test(error) ? 'denied' : 'failed'
}

/** What a call gets on a key that is disabled or pending deletion. */
export function isUnavailable(error: string): boolean {
  return error === 'DisabledException' || error === 'KMSInvalidStateException'
}

/**
 * Whether a use counts for its key. Of a call across accounts each of the two has a record, and the owner's counts; but
 * a denied one is recorded in the caller's account alone.
 */
export function countsForKey({ key, account, error }: KeyUse): boolean {
  return account === accountOf(key) || outcomeOf(error) === 'denied'
}
