import type { MessagePort } from 'node:worker_threads'

/** What the service's thread and the journal's thread say to each other. */
export type ToJournal =
  | { readonly kind: 'append'; readonly buffer: ArrayBuffer; readonly bytes: number }
  | { readonly kind: 'signature'; readonly signature: Uint8Array }
  | { readonly kind: 'no-signature' }
  | { readonly kind: 'close' }

export type FromJournal =
  | { readonly kind: 'ready'; readonly state: JournalState; readonly cut: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** The batch in flight is on the disk. Brings the buffer of the one before back. */
  | { readonly kind: 'durable'; readonly first: number; readonly free: ArrayBuffer | undefined }
  | { readonly kind: 'sign'; readonly text: string }
  | { readonly kind: 'checkpoint'; readonly state: JournalState }
  /** The signature could not be used. */
  | { readonly kind: 'unsigned'; readonly reason: string }
  /** The next segment cannot be prepared for now, or can again. */
  | { readonly kind: 'preparation'; readonly failure: string | undefined }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'closed' }

export type JournalState = {
  readonly origin: string
  readonly size: number
  readonly segment: number
  readonly checkpointSize: number
}

/** Why the journal did not open, in a form that crosses threads. */
export type Refusal =
  | {
      readonly kind: 'damage'
      readonly file: string
      readonly offset: number
      readonly expected: string
      readonly found: string
    }
  | { readonly kind: 'in-use'; readonly directory: string }
  | { readonly kind: 'error'; readonly message: string }

export type JournalThreadData = {
  readonly directory: string
  readonly newOrigin: string
  readonly publicKey: Uint8Array
  readonly segmentBytes: number
  readonly checkpointIntervalMs: number
}

/** The part of a MessagePort that the journal's thread uses. */
export type JournalPort = Pick<MessagePort, 'postMessage' | 'on' | 'close'>
