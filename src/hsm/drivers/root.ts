/**
 * What keeps the top of the hierarchy: a key that can wrap and unwrap, and that nobody above needs to see. A driver
 * whose key lives in a device answers the same two calls.
 */
export interface RootDriver {
  /** Shown to operators: `file`, `passphrase`. */
  readonly name: string
  /** Opens again only by the same root and for the same `bound` bytes. */
  wrap(plaintext: Buffer, bound: Buffer): Buffer
  /** The caller's to wipe; undefined for whatever does not open. */
  unwrap(wrapped: Buffer, bound: Buffer): Buffer | undefined
}
