import { isNamed, type ObjectName } from './object-name.ts'
import { type Event, eventsOf, type Sources, textOf, type Where } from './sources.ts'

/** What is known of accesses to objects. Of copies of one event for several accounts there is one. */
export type ObjectEvents = {
  /** Data events of S3. */
  readonly data: readonly Event[]
  /** Calls of KMS with an object's own ARN in their context. */
  readonly object: readonly Event[]
  /** With the bucket's: one is for many objects. From before the period, too, as long as a bucket key is kept. */
  readonly bucket: readonly Event[]
  /** There may be more than were read. */
  readonly isCut: boolean
}

/** How long S3 here keeps a key that KMS made for a bucket. */
export const bucketKeyMs = 5 * 60_000

/** The newest events, and of each kind as many as `limit`. */
export async function objectEvents(
  sources: Sources,
  where: Where,
  name: ObjectName,
  limit: number,
): Promise<ObjectEvents> {
  const { object, isPrefix, bucket } = name
  const { since, until } = where.period
  // A call of KMS comes before the data event that it is for.
  const earlier = { ...where, period: { since: since - bucketKeyMs, until } }
  const value = isPrefix ? bucket : object
  const data = await upTo(
    eventsOf(sources, where, { key: 'ResourceName', value }, 'Data'),
    ({ resources }) => resources?.some(({ ARN }) => isNamed(name, ARN)) === true,
    limit,
  )
  const contexts = await upTo(
    eventsOf(sources, earlier, { key: isPrefix ? 'ContextBucket' : 'ContextArn', value }),
    (event) => contextArnsOf(event).some((arn) => isNamed(name, arn)),
    limit,
  )
  const ofBucket = await upTo(
    eventsOf(sources, earlier, { key: 'ContextArn', value: bucket }),
    () => true,
    limit,
  )
  return {
    ...{ data: single(data), object: single(contexts), bucket: single(ofBucket) },
    isCut: [data, contexts, ofBucket].some((events) => events.length >= limit),
  }
}

const contexts = ['encryptionContext', 'sourceEncryptionContext', 'destinationEncryptionContext']

/** Of objects and buckets, in the encryption contexts of a call of KMS. */
export function contextArnsOf({ requestParameters }: Event): readonly string[] {
  return contexts.flatMap((name) => {
    const context = requestParameters?.[name]
    if (typeof context !== 'object' || context === null) return []
    return textOf((context as Readonly<Record<string, unknown>>)['aws:s3:arn']) ?? []
  })
}

async function upTo(
  events: AsyncIterable<Event>,
  isWanted: (event: Event) => boolean,
  limit: number,
): Promise<readonly Event[]> {
  const found: Event[] = []
  for await (const event of events) {
    if (found.length >= limit) break
    if (isWanted(event)) found.push(event)
  }
  return found
}

/** Of a call across accounts each account has a copy: the caller's says the most of who it was. */
function single(events: readonly Event[]): readonly Event[] {
  const shared = new Map<string, Event>()
  for (const event of events) {
    const { sharedEventID: id = event.eventID } = event
    if (!shared.has(id) || event.userIdentity?.accountId === event.recipientAccountId) {
      shared.set(id, event)
    }
  }
  return [...shared.values()]
}
