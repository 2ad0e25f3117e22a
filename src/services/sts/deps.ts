import type { Random } from '../../base/random.ts'
import type { Hsm } from '../../hsm/port.ts'
import type { Identities } from '../../identities/identities.ts'

/** What the operations of STS need of the rest of the house. */
export type StsDeps = {
  readonly identities: Identities
  /** Names and secrets of what is given out. */
  readonly random: Random
  readonly hsm: Pick<Hsm, 'sealSecret' | 'seal' | 'open'>
}
