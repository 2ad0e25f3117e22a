import type { StoredItem } from './item.ts'

/** An item of the journal with all of its members in place. */
export type WholeItem = Omit<StoredItem, 'supplementaryConfiguration'> & {
  readonly supplementaryConfiguration: Readonly<Record<string, string>>
}
