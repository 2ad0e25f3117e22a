import type { Clock } from '../base/clock.ts'
import type { Region } from '../base/ids.ts'
import type { Random } from '../base/random.ts'
import type { Recorder } from '../record/commit.ts'
import type { DigestSigner } from '../services/cloudtrail/delivery.ts'
import type { TrailBuckets } from './bucket.ts'
import type { JournalsThread } from './journals-thread.ts'
import type { TrailSpans } from './spans.ts'
import type { DeliveryStates } from './state.ts'

export type DeliverySettings = {
  /** Log files are delivered so often. */
  readonly deliverySeconds: number
  /** Digests are delivered so often. */
  readonly digestSeconds: number
}

export type DeliveryDeps = Recorder &
  DeliverySettings & {
    readonly spans: TrailSpans
    readonly states: DeliveryStates
    readonly journals: Pick<
      JournalsThread,
      'positions' | 'find' | 'collect' | 'checkpoint' | 'lock' | 'ended'
    >
    readonly buckets: TrailBuckets
    readonly signer: Pick<DigestSigner, 'publicKeys' | 'sign'>
    /** Of the deployment. */
    readonly regions: readonly Region[]
    readonly clock: Clock
    readonly random: Random
    readonly log: (line: string) => void
  }
