import { join } from 'node:path'
import type { Clock } from './base/clock.ts'
import { internalError } from './base/errors.ts'
import type { Region } from './base/ids.ts'
import type { Random } from './base/random.ts'
import type { Config } from './config.ts'
import type { TrailBuckets } from './delivery/bucket.ts'
import { deliveryOf, regionsOfEvents, TrailDelivery } from './delivery/delivery.ts'
import { JournalsThread } from './delivery/journals-thread.ts'
import type { Recorder } from './record/commit.ts'
import type { Delivery, DigestSigner } from './services/cloudtrail/delivery.ts'
import type { Tables } from './tables.ts'

export type TrailParts = {
  /** Undefined without a listener: then nothing is delivered, and no trail is changed. */
  readonly trailJournals: JournalsThread | undefined
  readonly journalPositions: JournalsThread['positions']
}

/** The delivery's thread is started here. */
export function openTrailParts({ dataDir, node }: Config, listens: boolean): TrailParts {
  const journals = join(dataDir, 'journal')
  const lock = join(dataDir, 'run', 'delivery')
  const trailJournals = listens ? new JournalsThread({ journals, node, lock }) : undefined
  return {
    trailJournals,
    journalPositions: async () => {
      if (trailJournals === undefined) throw internalError('no trail is changed without a listener')
      return trailJournals.positions()
    },
  }
}

/** What the operations on trails need of the delivery. The buckets are asked for when they are needed. */
export function deliveryFor(
  { deliveries }: Pick<Tables, 'deliveries'>,
  regions: readonly Region[],
  buckets: () => TrailBuckets,
): Delivery {
  return deliveryOf(deliveries, buckets, regionsOfEvents(regions))
}

export type TrailDeliveryDeps = Recorder &
  Pick<Tables, 'trailSpans' | 'deliveries'> &
  TrailParts & {
    readonly trailBuckets: TrailBuckets
    readonly digests: DigestSigner
    readonly deployment: { readonly regions: readonly Region[] }
    readonly clock: Clock
    readonly random: Random
    readonly log: (line: string) => void
  }

/** Not started yet; undefined without a listener. */
export function trailDeliveryOf(
  { trailDeliverySeconds, trailDigestSeconds }: Config,
  deps: TrailDeliveryDeps,
): TrailDelivery | undefined {
  const { trailJournals } = deps
  if (trailJournals === undefined) return undefined
  return new TrailDelivery({
    ...deps,
    journals: trailJournals,
    buckets: deps.trailBuckets,
    spans: deps.trailSpans,
    states: deps.deliveries,
    signer: deps.digests,
    regions: regionsOfEvents(deps.deployment.regions),
    deliverySeconds: trailDeliverySeconds,
    digestSeconds: trailDigestSeconds,
  })
}
