import type { ConfigurationHistory } from '../journal/port.ts'
import { indexedDays } from './blind-spots.ts'
import type { BucketFacts } from './bucket-facts.ts'
import { callerOf, type Event } from './sources.ts'

/** Events that change the rule of a bucket. */
export const ruleEvents = ['PutBucketEncryption', 'DeleteBucketEncryption'] as const

/** Since when a bucket's rule is what it is; without a time: nobody knows. */
export type RuleChange = {
  /** ms since the epoch */
  readonly at: number | undefined
  readonly principal: string | undefined
  readonly event: string | undefined
}

/** The newest successful change of each bucket, by its ARN. */
export class RuleChanges {
  readonly #newest = new Map<string, Event>()
  readonly #buckets: ReadonlySet<string>

  constructor(buckets: readonly BucketFacts[]) {
    this.#buckets = new Set(buckets.map(({ arn }) => arn))
  }

  add(event: Event): void {
    if (event.eventSource !== 's3.amazonaws.com' || event.errorCode !== undefined) return
    for (const { ARN = '' } of event.resources ?? []) {
      if (!this.#buckets.has(ARN)) continue
      const known = this.#newest.get(ARN)
      if (known === undefined || known.eventTime < event.eventTime) this.#newest.set(ARN, event)
    }
  }

  of({ arn, createdAt }: BucketFacts, now: number): RuleChange {
    const event = this.#newest.get(arn)
    const at = event === undefined ? 0 : Date.parse(event.eventTime)
    // Records have whole seconds. What was before it was made was of another bucket of that name.
    if (event !== undefined && at >= Math.floor(createdAt / 1000) * 1000) {
      return { at, principal: callerOf(event), event: event.eventID }
    }
    const seen = createdAt >= now - indexedDays * 86_400_000
    return { at: seen ? createdAt : undefined, principal: undefined, event: undefined }
  }
}

const itemsPage = 100

/**
 * The same from configuration items, which go back further than the index has events: the time of the oldest of those
 * that say what the newest says of encryption. Undefined: there are none that say anything.
 */
export async function sinceOfItems(
  { account, region, name, createdAt }: BucketFacts,
  now: number,
  history: Pick<ConfigurationHistory, 'items'>,
): Promise<RuleChange | undefined> {
  const place = { account, region, type: 'AWS::S3::Bucket', resource: name }
  const query = { ...place, from: createdAt, to: now, oldestFirst: false, limit: itemsPage }
  let oldest: { readonly text: string; readonly change: RuleChange } | undefined
  let after: number | undefined
  do {
    const { records, next } = await history.items({ ...query, after })
    for (const record of records) {
      const item = JSON.parse(record) as Item
      const text = item.supplementaryConfiguration?.ServerSideEncryptionConfiguration
      if (text === undefined || (oldest !== undefined && oldest.text !== text)) {
        return oldest?.change
      }
      const at = Date.parse(item.configurationItemCaptureTime)
      oldest = { text, change: { at, principal: undefined, event: item.relatedEvents?.[0] } }
    }
    after = next
  } while (after !== undefined)
  return oldest?.change
}

/** As far as it is read. */
type Item = {
  readonly configurationItemCaptureTime: string
  readonly relatedEvents?: readonly string[]
  readonly supplementaryConfiguration?: { readonly ServerSideEncryptionConfiguration?: string }
}
