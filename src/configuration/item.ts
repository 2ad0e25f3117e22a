import { jsonText } from '../record/event.ts'
import { textDigest } from '../storage/port.ts'
import { isoTime, type ResourceView } from './view.ts'

export type ItemStatus = 'ResourceDiscovered' | 'OK' | 'ResourceDeleted'

/**
 * A configuration item as it stands in the journal: the members that AWS Config answers, with `configuration` as an
 * object, and the entry's own id. A member that was too long is `Left` in its place.
 */
export type StoredItem = {
  readonly version: string
  readonly eventID: string
  /** The members that are `Left`. What merely looks like that elsewhere is somebody's tag. */
  readonly left?: readonly string[]
  readonly accountId: string
  readonly configurationItemCaptureTime: string
  readonly configurationItemStatus: ItemStatus
  readonly configurationStateId: string
  readonly arn: string
  readonly resourceType: string
  readonly resourceId: string
  readonly resourceName: string
  readonly awsRegion: string
  readonly availabilityZone: string
  readonly resourceCreationTime?: string
  readonly tags: Readonly<Record<string, string>> | Left
  readonly relatedEvents: readonly string[]
  readonly relationships: ResourceView['relationships'] | Left
  /** Absent for a resource that was deleted, as in AWS. */
  readonly configuration?: Readonly<Record<string, unknown>> | Left
  readonly supplementaryConfiguration: Readonly<Record<string, string>> | Left
}

/** Stands for a member that the journal could not take: its JSON text is in the store's archive, by its SHA-256. */
export type Left = { readonly 'kagiban:sha256': string }

export function isLeft(member: object | undefined): member is Left {
  return member !== undefined && typeof (member as Left)['kagiban:sha256'] === 'string'
}

export type NewItem = {
  readonly eventId: string
  readonly stateId: number
  /** ms since the epoch */
  readonly time: number
  readonly status: ItemStatus
  /** As it is from now on; of one that goes, as it was. */
  readonly view: ResourceView
  readonly relatedEvents: readonly string[]
}

/** The members that can be long, in the order in which they are left out. */
const longMembers = [
  'supplementaryConfiguration',
  'configuration',
  'tags',
  'relationships',
] as const

/** The item's text, of at most so many bytes in UTF-8 (12 KB at the least), and what of it is to be archived. */
export function itemText(
  item: NewItem,
  bytesMax: number,
): { readonly record: string; readonly archive: readonly string[] } {
  const stored: Record<string, unknown> = storedItem(item)
  const archive: string[] = []
  let record = jsonText(stored)
  for (const name of longMembers) {
    if (Buffer.byteLength(record) <= bytesMax) break
    if (stored[name] === undefined) continue
    const text = JSON.stringify(stored[name])
    archive.push(text)
    stored['left'] = [...((stored['left'] as string[] | undefined) ?? []), name]
    stored[name] = { 'kagiban:sha256': textDigest(text) } satisfies Left
    record = jsonText(stored)
  }
  return { record, archive }
}

function storedItem({ eventId, stateId, time, status, view, relatedEvents }: NewItem): StoredItem {
  const { createdAt, region } = view
  const gone = status === 'ResourceDeleted'
  return {
    version: '1.3',
    eventID: eventId,
    accountId: view.account,
    configurationItemCaptureTime: isoTime(time),
    configurationItemStatus: status,
    configurationStateId: String(stateId),
    arn: view.arn,
    resourceType: view.type,
    resourceId: view.id,
    resourceName: view.name,
    awsRegion: region,
    availabilityZone: region === 'global' ? 'Not Applicable' : 'Regional',
    ...(createdAt !== undefined && { resourceCreationTime: isoTime(createdAt) }),
    tags: gone ? {} : view.tags,
    relatedEvents,
    relationships: gone ? [] : view.relationships,
    ...(!gone && { configuration: view.configuration }),
    supplementaryConfiguration: gone ? {} : view.supplementary,
  }
}
