import type { Region } from '../../base/ids.ts'
import type { EventLookup } from '../../journal/port.ts'
import type { CallContext } from '../operation.ts'
import type { Delivery, DigestSigner } from './delivery.ts'
import type { Trails } from './trails.ts'

/** What the operations of CloudTrail need of the rest of the house. */
export type CloudTrailDeps = {
  readonly lookup: Pick<EventLookup, 'find'>
  readonly trails: Trails
  readonly delivery: Delivery
  readonly digests: DigestSigner
  readonly keys: KeyFinder
  readonly limits: CloudTrailLimits
  /** Those that the deployment serves. */
  readonly regions: readonly Region[]
}

/** What a trail has to know of the key that it names. */
export type KeyFinder = {
  /**
   * `text` is a key id, a key ARN, an alias name or an alias ARN. Undefined when there is no such key in the caller's
   * account and in the Region of the call.
   */
  find(call: CallContext, text: string): TrailKey | undefined
}

export type TrailKey = {
  readonly arn: string
  /** It encrypts by itself: SYMMETRIC_DEFAULT. */
  readonly encrypts: boolean
  readonly enabled: boolean
}

/** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html */
export type CloudTrailLimits = {
  /** Of one account in one Region, shadow trails included. */
  readonly trails: number
}

export const defaultLimits: CloudTrailLimits = { trails: 5 }
