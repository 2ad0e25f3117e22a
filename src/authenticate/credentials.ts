import type { Caller } from '../base/caller.ts'

/** The record of one access key, as the store keeps it. Its secret opens only inside the key core. */
export type CredentialRecord = {
  readonly accessKeyId: string
  readonly status: 'Active' | 'Inactive'
  readonly sealedSecret: string
  /** Whom a request signed with it comes from. */
  readonly caller: Caller
  /** ms since the epoch */
  readonly createdAt: number
}
