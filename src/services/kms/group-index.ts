/**
 * The few members of each of very many groups within a Region, such as the aliases of a key. A single member is kept
 * without a list around it: nearly all keys have one alias.
 */
export class GroupIndex {
  readonly #regions = new Map<string, Map<string, string | readonly string[]>>()

  /** In the order of their code units. */
  members(region: string, group: string): readonly string[] {
    const members = this.#regions.get(region)?.get(group)
    if (members === undefined) return []
    return typeof members === 'string' ? [members] : members
  }

  add(region: string, group: string, member: string): void {
    let groups = this.#regions.get(region)
    if (groups === undefined) {
      groups = new Map()
      this.#regions.set(region, groups)
    }
    const present = groups.get(group)
    // A copy: the group may be part of a longer text, and would keep all of it in memory.
    if (present === undefined) groups.set(Buffer.from(group).toString(), member)
    else if (typeof present === 'string') groups.set(group, ordered(present, member))
    else groups.set(group, ordered(...present, member))
  }

  remove(region: string, group: string, member: string): void {
    const groups = this.#regions.get(region)
    const left = this.members(region, group).filter((candidate) => candidate !== member)
    const [only] = left
    if (only === undefined) groups?.delete(group)
    else groups?.set(group, left.length === 1 ? only : left)
  }
}

function ordered(...members: readonly string[]): string[] {
  return [...new Set(members)].sort()
}
