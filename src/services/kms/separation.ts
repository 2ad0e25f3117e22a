import { ServiceError } from '../../base/errors.ts'
import { analysedGrants, analysedKey, isEnforced } from './analysed-key.ts'
import type { KmsDeps } from './deps.ts'
import type { GrantRecord } from './grant.ts'
import type { KeyRecord } from './key.ts'

/** What a change would make of a key. */
export type KeyChange = {
  readonly key: KeyRecord
  /** Of the key as it will be, where they change. */
  readonly aliases?: readonly string[]
  /** One more than there are. */
  readonly grant?: GrantRecord
}

/** Which of an operation's errors says no. */
type Refusal = 'malformed-policy' | 'invalid-state' | 'tag'

const grantsMax = 1000

/**
 * A key that is tagged `kagiban:separation-of-duties` = `enforced` changes only into one whose duties are proven to be
 * separate. Until the tag is gone, and whoever takes it away needs the proof for the key without it. `before` is absent
 * for a new key. Throws `refusal`; why stands in the operator's detail, since it may be about others than the caller.
 */
export function requireSeparation(
  deps: Pick<KmsDeps, 'state' | 'grants' | 'policies'>,
  before: KeyRecord | undefined,
  { key, aliases, grant }: KeyChange,
  refusal: Refusal,
): void {
  if (!isEnforced(key) && (before === undefined || !isEnforced(before))) return
  const present = analysedGrants(key, deps.grants, grantsMax, grant)
  const analysed = analysedKey(key, deps.state)
  const changed = aliases === undefined ? analysed : { ...analysed, aliases }
  const why =
    present === undefined ? 'too many grants' : deps.policies.mixedDuties(changed, present)
  if (why === undefined) return
  throw new ServiceError(
    refusal,
    'The key keeps administration and use apart, and after this change they could not be proven to be.',
    { detail: why },
  )
}
