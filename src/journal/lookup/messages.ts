import type { LookupPage, LookupQuery } from '../port.ts'

/** `now` (ms since the epoch) is the service's clock, which tests hold. */
export type ToLookup =
  | {
      readonly kind: 'find'
      readonly id: number
      readonly query: LookupQuery
      readonly now: number
    }
  | { readonly kind: 'close' }

export type FromLookup =
  | { readonly kind: 'found'; readonly id: number; readonly page: LookupPage }
  | { readonly kind: 'failed'; readonly id: number; readonly reason: string }

export type LookupThreadData = {
  readonly journals: string
  readonly file: string
  readonly retentionDays: number
  readonly now: number
}
