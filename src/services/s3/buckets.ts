import type { AccountId } from '../../base/ids.ts'
import { jsonCodec, type Mirror, type Table } from '../../storage/mirror.ts'
import { type Put, StoreConflict } from '../../storage/port.ts'
import type { BucketRecord } from './bucket.ts'

/** The buckets of all accounts, by their names. */
export class Buckets {
  readonly rows: Table<BucketRecord>

  /** Declares its table: to be made before the mirror is loaded. */
  constructor(mirror: Mirror) {
    this.rows = mirror.table('s3-bucket', jsonCodec<BucketRecord>())
  }

  get(name: string): BucketRecord | undefined {
    return this.rows.get(name)
  }

  /** In the order of their names. */
  ofAccount(account: AccountId): readonly BucketRecord[] {
    const found = [...this.rows.values((bucket) => bucket.account === account)]
    return found.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  // Whoever decided on a record that is no longer the present one has to decide anew: these throw StoreConflict.

  add(bucket: BucketRecord): Put {
    return this.#put(undefined, bucket)
  }

  replace(before: BucketRecord, after: BucketRecord): Put {
    return this.#put(before, after)
  }

  remove(bucket: BucketRecord): Put {
    this.#requirePresent(bucket.name, bucket)
    return this.rows.remove(bucket.name)
  }

  #put(before: BucketRecord | undefined, after: BucketRecord): Put {
    this.#requirePresent(after.name, before)
    return this.rows.put(after.name, after)
  }

  #requirePresent(name: string, expected: BucketRecord | undefined): void {
    if (this.rows.get(name) !== expected) throw new StoreConflict(`bucket '${name}' is another one`)
  }
}
