import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Journal } from '../journal/port.ts'
import type { DerivedEntry, DeriveEntries } from '../storage/mirror.ts'
import type { OutboxEvent, Put } from '../storage/port.ts'
import { type ItemStatus, itemText } from './item.ts'
import type { ResourceChange, Resources } from './resources.ts'
import { type ResourceView, refText } from './view.ts'

export type RecorderDeps = {
  readonly resources: Resources
  readonly clock: Clock
  readonly random: Random
  readonly journal: Pick<Journal, 'maxRecordBytes'>
  /** Whether this is the first item of a resource: also of one that is older than recording. */
  readonly isFirst: (ref: string, isNew: boolean) => boolean
}

/** Makes one configuration item of every resource that a commit changes, to go into that very commit. */
export class ConfigurationRecorder {
  readonly #deps: RecorderDeps
  #lastState = 0

  constructor(deps: RecorderDeps) {
    this.#deps = deps
  }

  readonly derive: DeriveEntries = (puts: readonly Put[], events: readonly OutboxEvent[]) =>
    this.#deps.resources.changedBy(puts).flatMap((change) => {
      const view = change.after ?? change.before
      if (view === undefined) return []
      return [this.item(view, this.#statusOf(change, view), relatedEvents(view, events))]
    })

  item(view: ResourceView, status: ItemStatus, relatedEvents: readonly string[]): DerivedEntry {
    const { clock, random, journal } = this.#deps
    const time = clock.now()
    const eventId = random.uuid()
    const stateId = this.#nextState(time)
    const item = { eventId, stateId, time, status, view, relatedEvents }
    const { record, archive } = itemText(item, journal.maxRecordBytes)
    return { id: eventId, record, kind: 'item', archive }
  }

  #statusOf({ before, after }: ResourceChange, view: ResourceView): ItemStatus {
    if (after === undefined) return 'ResourceDeleted'
    const isFirst = this.#deps.isFirst(refText(view), before === undefined)
    return isFirst ? 'ResourceDiscovered' : 'OK'
  }

  /** Microseconds since the epoch, and never the same twice: states of one resource stand in their order. */
  #nextState(time: number): number {
    this.#lastState = Math.max(time * 1000, this.#lastState + 1)
    return this.#lastState
  }
}

/**
 * The events that a change of the resource goes with: those of its own account, and of several the ones that name it.
 * A commit by the clock may be about many resources.
 */
function relatedEvents(
  { account, id, name }: ResourceView,
  events: readonly OutboxEvent[],
): readonly string[] {
  if (events.length < 2) return events.map((event) => event.id)
  const own = events.filter(({ record }) => record.includes(`"recipientAccountId":"${account}"`))
  const naming = own.filter(({ record }) => record.includes(id) || record.includes(`"${name}"`))
  return (naming.length > 0 ? naming : own).map((event) => event.id)
}
