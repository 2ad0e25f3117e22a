import { internalError } from '../../base/errors.ts'
import type { ConfigDeps } from './deps.ts'

/** As the journal has it; a member that was too long for it stands by the SHA-256 of its text. */
type Item = Readonly<Record<string, unknown>>

const digestName = 'kagiban:sha256'

/**
 * An item with all of its members, read from its record. Which members are in the archive is said by the item's own
 * member `left`: a tag may be called like the digest of one, and would bring whatever text anybody archived.
 */
export async function wholeItem(record: string, archive: ConfigDeps['archive']): Promise<Item> {
  const item = JSON.parse(record) as Record<string, unknown>
  const { left } = item
  delete item['left']
  for (const name of Array.isArray(left) ? (left as readonly string[]) : []) {
    const digest = (item[name] as Record<string, unknown> | undefined)?.[digestName]
    if (typeof digest !== 'string') continue
    const text = await archive.archived(digest)
    if (text === undefined) throw internalError(`the archive lacks ${name} of ${item['eventID']}`)
    item[name] = JSON.parse(text)
  }
  return item
}

/** An item as answers have it: its configuration is a text. */
export function answeredItem(item: Item) {
  const text = (name: string) => item[name] as string
  const time = Date.parse(text('configurationItemCaptureTime'))
  const created = item['resourceCreationTime']
  const configuration = item['configuration']
  return {
    ...base(text),
    configurationItemCaptureTime: time,
    ...(typeof created === 'string' && { resourceCreationTime: Date.parse(created) }),
    configurationItemMD5Hash: '',
    tags: item['tags'] as Record<string, string>,
    relatedEvents: item['relatedEvents'] as readonly string[],
    relationships: item['relationships'] as readonly Record<string, string>[],
    ...(configuration !== undefined && { configuration: JSON.stringify(configuration) }),
    supplementaryConfiguration: item['supplementaryConfiguration'] as Record<string, string>,
    recordingFrequency: 'CONTINUOUS',
  }
}

/** Without what BatchGetResourceConfig leaves out. */
export function answeredBaseItem(item: Item) {
  const { configurationItemMD5Hash, tags, relatedEvents, relationships, ...rest } =
    answeredItem(item)
  return rest
}

function base(text: (name: string) => string) {
  return {
    version: text('version'),
    accountId: text('accountId'),
    configurationItemStatus: text('configurationItemStatus'),
    configurationStateId: text('configurationStateId'),
    arn: text('arn'),
    resourceType: text('resourceType'),
    resourceId: text('resourceId'),
    resourceName: text('resourceName'),
    awsRegion: text('awsRegion'),
    availabilityZone: text('availabilityZone'),
  }
}
