import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { AccountId, Region } from '../../base/ids.ts'
import { systemRandom } from '../../base/random.ts'
import { type OpenedJournal, openJournal } from '../../journal/journal.ts'
import { nodeFiles } from '../../journal/node-files.ts'
import { everyKind, readRecords } from '../../journal/reader.ts'
import { publicKey, signWithKey } from '../../journal/testing/fixtures.ts'
import { commitRecorded, type Recorder, replayOutbox } from '../../record/commit.ts'
import { type TrailRecord, Trails, trailRow } from '../../services/cloudtrail/trails.ts'
import { createMemoryStore, SharedRows } from '../../storage/memory/store.ts'
import { Mirror } from '../../storage/mirror.ts'
import { ownOutbox } from '../../storage/own-outbox.ts'
import type { Store } from '../../storage/port.ts'
import type { TrailBuckets } from '../bucket.ts'
import { TrailDelivery } from '../delivery.ts'
import type { DeliveryDeps } from '../deps.ts'
import { DeliveryJournals } from '../journals.ts'
import { spanGuard, TrailSpans } from '../spans.ts'
import { DeliveryStates } from '../state.ts'
import { MemoryBuckets } from './buckets.ts'
import { TestSigner } from './signer.ts'

export const account = '111122223333' as AccountId
export const other = '444455556666' as AccountId
export const home = 'us-east-1' as Region
export const away = 'eu-west-1' as Region
export const bucket = 'trail-bucket'

export const trailOf = (more: Partial<TrailRecord> = {}): TrailRecord => {
  const name = more.name ?? 'trail'
  return {
    arn: `arn:aws:cloudtrail:${more.homeRegion ?? home}:${more.account ?? account}:trail/${name}`,
    name,
    account,
    homeRegion: home,
    bucket,
    multiRegion: true,
    globalServiceEvents: true,
    validation: true,
    logging: false,
    tags: [],
    ...more,
  }
}

export type WorldOptions = {
  readonly folder: string
  readonly node?: string
  readonly rows?: SharedRows
  readonly store?: Store
  readonly buckets?: TrailBuckets
  readonly signer?: TestSigner
  readonly clock?: { time: number; now(): number }
  readonly segmentBytes?: number
  readonly journals?: (journals: DeliveryDeps['journals']) => DeliveryDeps['journals']
}

/** A process of the service, as far as delivery goes: a journal, a store, trails, and the delivery over them. */
export class World {
  readonly clock: { time: number; now(): number }
  readonly buckets: TrailBuckets
  readonly recorder: Recorder
  readonly journal: OpenedJournal
  readonly trails: Trails
  readonly states: DeliveryStates
  readonly spans: TrailSpans
  readonly delivery: TrailDelivery
  readonly log: string[] = []
  readonly #journals: DeliveryJournals

  static async open(options: WorldOptions): Promise<World> {
    const node = options.node ?? 'main'
    const journal = await openJournal({
      directory: join(options.folder, 'journal', node),
      node,
      sign: signWithKey,
      publicKey,
      clock: { now: () => Date.now() },
      random: systemRandom,
      segmentBytes: options.segmentBytes ?? 64 * 1024,
    })
    const world = new World(options, node, journal)
    await world.recorder.mirror.load()
    const directory = join(options.folder, 'journal', node)
    await replayOutbox(world.recorder.store, journal, function* (from) {
      for (const { record } of readRecords(directory, { from, kinds: everyKind })) yield record
    })
    return world
  }

  private constructor(options: WorldOptions, node: string, journal: OpenedJournal) {
    const clock: World['clock'] = options.clock ?? {
      time: Date.UTC(2026, 0, 2, 3, 4, 5),
      now: () => clock.time,
    }
    this.clock = clock
    this.journal = journal
    const store = ownOutbox(
      options.store ?? createMemoryStore(options.rows ?? new SharedRows()),
      node,
    )
    const mirror = new Mirror(store)
    this.trails = new Trails(mirror)
    this.spans = new TrailSpans(mirror)
    this.states = new DeliveryStates(mirror)
    this.recorder = { mirror, store, journal }
    this.buckets = options.buckets ?? new MemoryBuckets()
    const journals = new DeliveryJournals({
      journals: join(options.folder, 'journal'),
      node,
      lock: join(options.folder, 'lock'),
      files: nodeFiles,
    })
    this.#journals = journals
    const asked: DeliveryDeps['journals'] = {
      positions: async () => journals.positions(),
      find: async (...question) => journals.find(...question),
      collect: async (request) => journals.collect(request),
      checkpoint: async () => journals.checkpoint(),
      lock: async () => journals.lock(),
      ended: undefined,
    }
    const deps = { ...this, trails: this.trails, spans: this.spans, positions: asked.positions }
    mirror.guard(spanGuard(deps, (_, commit) => commit()))
    this.delivery = new TrailDelivery({
      ...this.recorder,
      spans: this.spans,
      states: this.states,
      journals: options.journals?.(asked) ?? asked,
      buckets: this.buckets,
      signer: options.signer ?? new TestSigner(),
      regions: [home, away],
      clock,
      random: systemRandom,
      log: (line) => void this.log.push(line),
      deliverySeconds: 300,
      digestSeconds: 3600,
    })
  }

  async close(): Promise<void> {
    await this.delivery.stop()
    this.#journals.close()
    await this.journal.close()
    await this.recorder.store.close()
  }

  /** Records an event and answers its id. */
  async event(more: Record<string, unknown> = {}): Promise<string> {
    const { id, record } = this.record(more)
    await this.journal.append(record)
    return id
  }

  record(more: Record<string, unknown> = {}): { id: string; record: string } {
    const id = randomUUID()
    const record = JSON.stringify({
      eventVersion: '1.11',
      eventTime: `${new Date(this.clock.now()).toISOString().slice(0, 19)}Z`,
      eventSource: 'kms.amazonaws.com',
      eventName: 'Decrypt',
      awsRegion: home,
      eventID: id,
      readOnly: true,
      managementEvent: true,
      recipientAccountId: account,
      eventCategory: 'Management',
      ...more,
    })
    return { id, record }
  }

  /** What an operation on a trail does: the row and the record in one commit. Answers the record's id. */
  async change(eventName: string, trail: TrailRecord, isDeletion = false): Promise<string> {
    await this.recorder.mirror.refresh()
    const id = trailRow(trail)
    const put = isDeletion ? this.trails.rows.remove(id) : this.trails.rows.put(id, trail)
    const source = 'cloudtrail.amazonaws.com'
    const event = this.record({ eventName, eventSource: source, awsRegion: trail.homeRegion })
    await commitRecorded(this.recorder, [put], [event])
    return event.id
  }

  async deliverAfter(seconds: number): Promise<void> {
    this.clock.time += seconds * 1000
    await this.delivery.settle()
  }
}
