import type { LastEvent, LastEventQuery, LookupPage, LookupQuery } from '../port.ts'

export type Question =
  | { readonly kind: 'find'; readonly query: LookupQuery }
  | { readonly kind: 'last'; readonly query: LastEventQuery }

export type Answer = LookupPage | LastEvent | undefined

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
  readonly now: number
}
