/** What the service's thread and the log's thread say to each other. */
export type ToLog =
  | {
      readonly kind: 'signature'
      readonly id: number
      readonly signature: Uint8Array | undefined
      readonly reason: string | undefined
    }
  | { readonly kind: 'close' }

export type FromLog =
  | { readonly kind: 'ready'; readonly endpoint: string | undefined }
  | { readonly kind: 'refused'; readonly reason: string }
  /** With `ed25519`, the signature that is there already, ML-DSA's is asked for. */
  | {
      readonly kind: 'sign'
      readonly id: number
      readonly text: string
      readonly ed25519: Uint8Array | undefined
    }
  | { readonly kind: 'found'; readonly finding: Finding }
  | { readonly kind: 'status'; readonly status: LogStatus }
  | { readonly kind: 'log'; readonly line: string }

/** What the root log has found of a node's log: it is entered in the record. */
export type Finding =
  /** It has fewer records than the root log has seen, or others. It is entered no more. */
  | {
      readonly kind: 'went-back'
      readonly node: string
      readonly origin: string
      readonly seenSize: number
      readonly size: number
    }
  /** Another log took the place of one that the root log has seen. */
  | {
      readonly kind: 'new-epoch'
      readonly node: string
      readonly origin: string
      readonly formerOrigin: string
      readonly formerSize: number
    }

export type WitnessStatus = {
  readonly name: string
  /** The largest tree that it has cosigned for this process, and when (ms since the epoch). */
  readonly size: number
  readonly at: number | undefined
  readonly failure: string | undefined
}

export type LogStatus = {
  readonly endpoint: string | undefined
  readonly root: {
    /** Whether this process is the one that writes the root log. */
    readonly writing: boolean
    readonly origin: string | undefined
    /** Tree size of the newest signed checkpoint, and of the newest with its quorum of witnesses. */
    readonly size: number
    readonly witnessedSize: number
    readonly failure: string | undefined
  }
  readonly quorum: number
  readonly witnesses: readonly WitnessStatus[]
  /** Logs that cannot be followed, or are not entered in the root log any more, and why. */
  readonly failures: Readonly<Record<string, string>>
}

export type LogThreadData = {
  /** Paths. */
  readonly journals: string
  readonly rootLog: string
  readonly tiles: string
  /** Raw: 32 bytes, and 1312 of ML-DSA-44. */
  readonly publicKey: Uint8Array
  readonly mlDsaPublicKey: Uint8Array
  readonly newOrigin: string
  readonly segmentBytes: number
  readonly listen: { readonly host: string; readonly port: number } | undefined
  readonly tls: { readonly cert: Uint8Array; readonly key: Uint8Array } | undefined
  readonly insecurePlaintext: boolean
  /** The text of the file that names the witnesses. */
  readonly witnesses: string | undefined
  readonly witnessIntervalMs: number
}
