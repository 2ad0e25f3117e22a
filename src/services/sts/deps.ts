import type { PolicyCache } from '../../authorize/policy/cache.ts'
import type { Random } from '../../base/random.ts'
import type { Hsm } from '../../hsm/port.ts'
import type { Identities } from '../../identities/identities.ts'

/** What the operations of STS need of the rest of the house. */
export type StsDeps = {
  readonly identities: Identities
  /** Session policies are read by it. */
  readonly policies: PolicyCache
  /** Names and secrets of what is given out. */
  readonly random: Random
  readonly hsm: Pick<Hsm, 'sealSecret' | 'seal' | 'open'>
}
