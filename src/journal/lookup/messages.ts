import type {
  ConfigurationQuery,
  GrantUse,
  GrantUseQuery,
  KeyUse,
  KeyUseQuery,
  LastEvent,
  LastEventQuery,
  LookupPage,
  LookupQuery,
  ResourceCount,
  ResourceListing,
  ResourceQuery,
  ResourceRow,
} from '../port.ts'

export type Question =
  | { readonly kind: 'find'; readonly query: LookupQuery }
  | { readonly kind: 'last'; readonly query: LastEventQuery }
  | { readonly kind: 'uses'; readonly query: KeyUseQuery }
  | { readonly kind: 'grantUses'; readonly query: GrantUseQuery }
  | { readonly kind: 'items'; readonly query: ConfigurationQuery }
  | { readonly kind: 'newest'; readonly query: readonly ResourceQuery[] }
  | { readonly kind: 'resources'; readonly query: ResourceListing }
  | { readonly kind: 'counts'; readonly query: Pick<ResourceQuery, 'account' | 'region'> }

export type Answer =
  | LookupPage
  | LastEvent
  | readonly KeyUse[]
  | readonly GrantUse[]
  | readonly (string | undefined)[]
  | readonly ResourceRow[]
  | readonly ResourceCount[]
  | undefined

/** `now` (ms since the epoch) is the service's clock, which tests hold. */
export type ToLookup =
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question; readonly now: number }
  | { readonly kind: 'close' }

export type FromLookup =
  | { readonly kind: 'found'; readonly id: number; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly id: number; readonly reason: string }

export type LookupThreadData = {
  readonly journals: string
  readonly file: string
  readonly retentionDays: number
  readonly shownDays: number
  readonly now: number
}
