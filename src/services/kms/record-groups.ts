import { type Compare, type IsBeyond, OrderedRecords } from './ordered-records.ts'

/**
 * Records in groups, each group in the same order: the grants of every key. Nearly all groups have one record, which
 * is kept without a list around it; a group may as well have fifty thousand.
 */
export class RecordGroups<T extends object> {
  readonly #compare: Compare<T>
  readonly #groups = new Map<string, T | OrderedRecords<T>>()

  constructor(compare: Compare<T>) {
    this.#compare = compare
  }

  /** How many records a group has. */
  size(group: string): number {
    const members = this.#groups.get(group)
    if (members === undefined) return 0
    return members instanceof OrderedRecords ? members.size : 1
  }

  add(group: string, record: T): void {
    const members = this.#groups.get(group)
    if (members === undefined) this.#groups.set(group, record)
    else if (members instanceof OrderedRecords) members.add(record)
    else {
      const ordered = new OrderedRecords(this.#compare)
      ordered.add(members)
      ordered.add(record)
      this.#groups.set(group, ordered)
    }
  }

  delete(group: string, record: T): void {
    const members = this.#groups.get(group)
    if (members instanceof OrderedRecords) {
      members.delete(record)
      if (members.size === 0) this.#groups.delete(group)
    } else if (members !== undefined && this.#compare(members, record) === 0) {
      this.#groups.delete(group)
    }
  }

  /** At most `count` records of a group, from the first that is beyond. */
  from(group: string, isBeyond: IsBeyond<T>, count: number): readonly T[] {
    const members = this.#groups.get(group)
    if (members === undefined || count <= 0) return []
    if (members instanceof OrderedRecords) return members.from(isBeyond, count)
    return isBeyond(members) ? [members] : []
  }
}
