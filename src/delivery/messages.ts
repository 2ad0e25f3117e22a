import type { Collected, CollectRequest } from './journals.ts'
import type { Positions } from './spans.ts'

/** What the thread of delivery is asked, and what it answers: by kind, a question and an answer. */
export type Asks = {
  positions: { question: undefined; answer: { own: string; positions: Positions } }
  find: {
    question: { origin: string; from: number; to: number; eventId: string }
    answer: number | undefined
  }
  collect: { question: CollectRequest; answer: Collected }
  checkpoint: { question: undefined; answer: string | undefined }
  lock: { question: undefined; answer: boolean }
}

export type Kind = keyof Asks

export type ToThread =
  | { [K in Kind]: { readonly kind: K; readonly question: Asks[K]['question'] } }[Kind]
  | { readonly kind: 'close' }

export type FromThread = { readonly answer: Asks[Kind]['answer'] } | { readonly failure: string }

export type DeliveryThreadData = {
  readonly journals: string
  readonly node: string
  readonly lock: string
}
