/** What the bench's processes tell each other, as JSON over Node's IPC. */
export type Subject = 'echo' | 'service'

export type ToGenerator =
  | {
      readonly type: 'load'
      /** The endpoints to drive; connections stay open until the next `load`. */
      readonly endpoints: Readonly<Record<Subject, string>>
      readonly connections: number
      /** Whole HTTP requests, base64: IPC carries text. */
      readonly requests: readonly string[]
    }
  | {
      readonly type: 'slice'
      readonly subject: Subject
      readonly milliseconds: number
      /** Whose CPU time is measured over the slice. */
      readonly pids: readonly number[]
    }

export type SliceResult = {
  readonly type: 'slice'
  readonly subject: Subject
  /** Answers with status 200, those that came after the slice's end included. */
  readonly answers: number
  /** Answers with any other status, and connections lost. */
  readonly errors: number
  /** The first error, for the reader. */
  readonly firstError: string | undefined
  /** From the first request to the last answer. */
  readonly seconds: number
  /** CPU time by pid, in clock ticks. */
  readonly ticks: Readonly<Record<number, number>>
  /** Milliseconds of each answer, in order of size: p50, p90, p99, largest. */
  readonly latency: Latency
}

export type Latency = {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

export type FromGenerator = { readonly type: 'loaded' } | SliceResult

export type ToEcho = { readonly type: 'answer'; readonly bytes: number }
export type FromEcho =
  | { readonly type: 'ready'; readonly endpoint: string }
  | { readonly type: 'answer' }

export type ToSigner = {
  readonly spec: 'RSA_2048' | 'ECC_NIST_P256'
  readonly milliseconds: number
}
export type FromSigner = { readonly signatures: number; readonly seconds: number }
