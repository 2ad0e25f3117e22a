import type { StoredEncryption } from './attributes.ts'
import { sseApplied } from './encryption/request.ts'
import type { BucketTarget } from './resource.ts'

/** What a call on an object is about, and what comes to light of it while it is served: for the record. */
export type ObjectTarget = BucketTarget & { readonly learnt: { encryption?: StoredEncryption } }

/** `SSEApplied` of CloudTrail's additionalEventData. */
export function encryptionApplied({ learnt }: ObjectTarget) {
  return learnt.encryption === undefined ? undefined : { SSEApplied: sseApplied(learnt.encryption) }
}
