import { type GrantRecord, operationNames, operationSet } from './grant.ts'
import { type SharedTexts, SharingCodec } from './shared-texts.ts'

/** How the store has it: with the names of the operations. */
type StoredGrant = Omit<GrantRecord, 'operations'> & { readonly operations: readonly string[] }

/** Grants share the texts that many of them have: where they are, on which key, for whom. */
export class GrantCodec {
  readonly #stored: SharingCodec<StoredGrant>

  constructor(texts: SharedTexts) {
    const shared = ['region', 'account', 'keyId', 'issuingAccount', 'grantee', 'retiring'] as const
    this.#stored = new SharingCodec(texts, shared)
  }

  decode(body: string): GrantRecord {
    const stored = this.#stored.decode(body)
    // In place: a copy of each would be a second object for the collector, and there are very many.
    return Object.assign(stored, { operations: operationSet(stored.operations) })
  }

  encode(grant: GrantRecord): string {
    return this.#stored.encode({ ...grant, operations: operationNames(grant.operations) })
  }

  release(grant: GrantRecord): void {
    this.#stored.release({ ...grant, operations: [] })
  }
}
