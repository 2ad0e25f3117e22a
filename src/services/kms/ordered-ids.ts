/** A block that grows beyond this is split in two. */
const blockMax = 512

/**
 * A set of strings in the order of their code units, for paging: adding, removing and reading on from any position
 * (present or not) each touch one small block, whatever the size of the set.
 */
export class OrderedIds {
  readonly #blocks: string[][] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  add(id: string): void {
    const last = this.#blocks.at(-1)
    // Rows are loaded in their order.
    if (last === undefined || isAbove(id, last)) {
      this.#append(id, last)
      return
    }
    const index = this.#blockOf(id)
    const block = this.#blocks[index] ?? last
    const position = firstNotBelow(block, id)
    if (block[position] === id) return
    block.splice(position, 0, id)
    this.#size++
    if (block.length > blockMax) this.#blocks.splice(index + 1, 0, block.splice(blockMax / 2))
  }

  #append(id: string, last: string[] | undefined): void {
    if (last === undefined || last.length === blockMax) this.#blocks.push([id])
    else last.push(id)
    this.#size++
  }

  delete(id: string): void {
    const index = this.#blockOf(id)
    const block = this.#blocks[index]
    if (block === undefined) return
    const position = firstNotBelow(block, id)
    if (block[position] !== id) return
    block.splice(position, 1)
    this.#size--
    if (block.length === 0) this.#blocks.splice(index, 1)
  }

  /** At most `count` ids greater than `position`, or from the start. */
  after(position: string | undefined, count: number): string[] {
    const found: string[] = []
    let index = position === undefined ? 0 : this.#blockOf(position)
    for (; index < this.#blocks.length && found.length < count; index++) {
      for (const id of this.#blocks[index] ?? []) {
        if (position !== undefined && id <= position) continue
        if (found.push(id) === count) break
      }
    }
    return found
  }

  /** In order. */
  startingWith(prefix: string): string[] {
    const found: string[] = []
    for (let index = this.#blockOf(prefix); index < this.#blocks.length; index++) {
      for (const id of this.#blocks[index] ?? []) {
        if (id.startsWith(prefix)) found.push(id)
        else if (id > prefix) return found
      }
    }
    return found
  }

  /** The last block that starts at or below `id`, else the first. */
  #blockOf(id: string): number {
    let low = 0
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const first = this.#blocks[middle]?.[0]
      if (first !== undefined && first <= id) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }
}

function isAbove(id: string, block: readonly string[]): boolean {
  const last = block.at(-1)
  return last === undefined || last < id
}

function firstNotBelow(block: readonly string[], id: string): number {
  let low = 0
  let high = block.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const candidate = block[middle]
    if (candidate !== undefined && candidate < id) low = middle + 1
    else high = middle
  }
  return low
}
