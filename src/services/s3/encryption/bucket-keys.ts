import { createHash } from 'node:crypto'
import type { Clock } from '../../../base/clock.ts'
import type { Random } from '../../../base/random.ts'
import type { CallContext } from '../../operation.ts'
import type { BucketRecord } from '../bucket.ts'
import type { Context } from './context.ts'
import { open, seal } from './wrapped-keys.ts'

/** A key of KMS's, under which data keys of objects are wrapped here. */
export type NewBucketKey = {
  /** 32 bytes, which are the book's from then on: it wipes them. */
  readonly key: Buffer
  /** The CiphertextBlob. */
  readonly blob: Buffer
  /** Of the KMS key that made it. */
  readonly keyArn: string
}

type BucketKey = NewBucketKey & {
  /** ms since the epoch */
  readonly since: number
  /** How many data keys it has wrapped. */
  uses: number
}

export type BucketKeysOptions = {
  readonly clock: Clock
  readonly random: Random
  /** How many keys at a time; the one that was used longest ago goes first. */
  readonly max?: number
  /** How many data keys one of them wraps. AES-GCM with random IVs takes 2³² (NIST SP 800-38D §8.3). */
  readonly usesMax?: number
}

export const lifetimeMs = 5 * 60_000
const sweepMs = 60_000
const defaultMax = 4096
const defaultUsesMax = 2 ** 20

/**
 * The bucket keys that are in use, for a few minutes each. None of them is a permission: whoever uses one asks KMS each
 * time whether the caller may (`docs/decisions/0009-bucket-keys.md`).
 */
export class BucketKeys {
  readonly #options: Required<BucketKeysOptions>
  /** By slot; the one that was used last stands last. */
  readonly #keys = new Map<string, BucketKey>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: BucketKeysOptions) {
    this.#options = { max: defaultMax, usesMax: defaultUsesMax, ...options }
  }

  /** The ARN of the KMS key behind the one of that slot. */
  keyArnOf(slot: string): string | undefined {
    return this.#find(slot)?.keyArn
  }

  /** Takes the place of the one that is there. */
  add(slot: string, key: NewBucketKey): void {
    this.drop(slot)
    for (const [oldest] of this.#keys) {
      if (this.#keys.size < this.#options.max) break
      this.drop(oldest)
    }
    // The ciphertext may be a part of something larger.
    const blob = Buffer.from(key.blob)
    this.#keys.set(slot, { ...key, blob, since: this.#options.clock.now(), uses: 0 })
    this.#sweepLater()
  }

  drop(slot: string): void {
    this.#keys.get(slot)?.key.fill(0)
    this.#keys.delete(slot)
  }

  /** Wraps a data key; undefined when there is no bucket key of that KMS key in the slot any more. */
  wrap(
    slot: string,
    keyArn: string,
    dataKey: Buffer,
    bucketArn: string,
  ): { readonly box: Buffer; readonly blob: Buffer } | undefined {
    const found = this.#find(slot)
    if (found?.keyArn !== keyArn) return undefined
    const box = seal(found.key, dataKey, bucketArn, this.#options.random)
    found.uses++
    if (found.uses >= this.#options.usesMax) this.drop(slot)
    return { box, blob: found.blob }
  }

  /** The data key; undefined when there is no bucket key any more. Throws ObjectDamage 'header'. */
  unwrap(slot: string, box: Buffer, bucketArn: string): Buffer | undefined {
    const found = this.#find(slot)
    return found === undefined ? undefined : open(found.key, box, bucketArn)
  }

  /** How many there are. */
  get size(): number {
    return this.#keys.size
  }

  /** Wipes those whose time is over. */
  sweep(): void {
    for (const [slot, key] of this.#keys) if (this.#isOver(key)) this.drop(slot)
  }

  #find(slot: string): BucketKey | undefined {
    const found = this.#keys.get(slot)
    if (found === undefined) return undefined
    if (this.#isOver(found)) {
      this.drop(slot)
      return undefined
    }
    this.#keys.delete(slot)
    this.#keys.set(slot, found)
    return found
  }

  /** Also when the clock went back: for how long is not known then. */
  #isOver({ since }: BucketKey): boolean {
    const age = this.#options.clock.now() - since
    return age < 0 || age >= lifetimeMs
  }

  #sweepLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.sweep()
      if (this.#keys.size > 0) this.#sweepLater()
    }, sweepMs).unref()
  }
}

/**
 * Whose bucket key it is, for which bucket, and for what: each requester has its own, so that each stands in KMS's
 * records. `name` tells the keys of a requester apart: the id as it was given, or the ciphertext.
 */
export function slotOf(
  { caller, region }: CallContext,
  purpose: 'wrap' | 'unwrap',
  { name, storeId }: BucketRecord,
  key: { readonly name: string; readonly context: Context | undefined },
): string {
  const { account, principalId, accessKeyId } = caller
  const pairs = Object.entries(key.context ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const parts = [account, principalId, accessKeyId, region, purpose, name, storeId, key.name, pairs]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64')
}
