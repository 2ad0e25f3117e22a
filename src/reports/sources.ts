import { setImmediate } from 'node:timers/promises'
import type {
  EventLookup,
  GrantUse,
  IndexedAttribute,
  KeyUse,
  KeyUseQuery,
  KeyUses,
} from '../journal/port.ts'
import type { Period } from './report.ts'

/** A record, as far as reports read it. */
export type Event = {
  readonly eventID: string
  readonly eventName: string
  readonly eventSource: string
  readonly eventTime: string
  readonly awsRegion: string
  readonly userIdentity?: Identity
  readonly sourceIPAddress?: string
  readonly errorCode?: string
  readonly requestID?: string
  readonly sharedEventID?: string
  readonly readOnly?: boolean
  readonly requestParameters?: Readonly<Record<string, unknown>> | null
  readonly responseElements?: Readonly<Record<string, unknown>> | null
  readonly additionalEventData?: Readonly<Record<string, unknown>>
  readonly serviceEventDetails?: Readonly<Record<string, unknown>>
  readonly resources?: readonly { readonly ARN?: string }[]
  readonly recipientAccountId?: string
}

export type Identity = {
  readonly type?: string
  readonly arn?: string
  readonly principalId?: string
  readonly accountId?: string
  readonly accessKeyId?: string
  readonly userName?: string
  readonly invokedBy?: string
  readonly sessionContext?: {
    readonly sourceIdentity?: string
    readonly sessionIssuer?: { readonly arn?: string }
    readonly attributes?: { readonly mfaAuthenticated?: string }
  }
}

export type Sources = {
  readonly lookup: Pick<EventLookup, 'find'> & KeyUses
  readonly progress: (text: string) => void
}

export type Where = {
  readonly accounts: readonly string[]
  readonly regions: readonly string[]
  readonly period: Period
}

const pageRows = 1000
/** A page is bounded by its bytes as well. */
const pageEvents = 500
const progressEvery = 10_000

/** Every use of every key, or of one, page by page. */
export async function* usesOf(
  { lookup, progress }: Sources,
  query: Pick<KeyUseQuery, 'key' | 'account' | 'from' | 'to'>,
): AsyncGenerator<KeyUse> {
  let after: KeyUse | undefined
  for (let read = 0; ; ) {
    const page = await lookup.uses({ ...query, after, limit: pageRows })
    yield* page
    read += page.length
    if (page.length < pageRows) return
    after = page.at(-1)
    if (read % progressEvery === 0) progress(`${read} rows of use read`)
  }
}

/** Of each grant in all records. Of a call across accounts the grant stands in the owner's alone. */
export async function grantUses({ lookup }: Sources): Promise<ReadonlyMap<string, GrantUse>> {
  const found = new Map<string, GrantUse>()
  let after: GrantUse | undefined
  for (;;) {
    const page = await lookup.grantUses({ after, limit: pageRows })
    for (const use of page) found.set(use.grantId, use)
    if (page.length < pageRows) return found
    after = page.at(-1)
  }
}

/** Events of the index, account by account and Region by Region, in each the newest first. */
export async function* eventsOf(
  { lookup, progress }: Sources,
  { accounts, regions, period }: Where,
  attribute: { readonly key: IndexedAttribute; readonly value: string },
  category?: 'Management' | 'Data',
): AsyncGenerator<Event> {
  const range = { from: period.since, to: period.until, older: true, limit: pageEvents }
  let read = 0
  for (const account of accounts) {
    for (const region of regions) {
      let after: number | undefined
      do {
        const query = { account, region, attribute, category, ...range, after }
        const { records, next } = await lookup.find(query)
        for (const record of records) yield JSON.parse(record) as Event
        read += records.length
        if (records.length > 0) progress(`${read} events of ${attribute.value} read`)
        after = next
        await setImmediate()
      } while (after !== undefined)
    }
  }
}

/** Who it was: the ARN, or what else there is. */
export function callerOf({ userIdentity = {} }: Pick<Event, 'userIdentity'>): string {
  const { arn, invokedBy, type, userName, accountId, principalId } = userIdentity
  if (arn !== undefined) return arn
  if (type === 'Operator') return `operator ${userName ?? 'unknown'}`
  if (principalId !== undefined) return `${accountId ?? ''}/${principalId}`
  return invokedBy ?? type ?? 'unknown'
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
