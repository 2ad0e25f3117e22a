/** A block that grows beyond this is split in two. */
const blockMax = 512

/** Negative, zero or positive, as for Array.sort; zero for the same record alone. */
export type Compare<T> = (a: T, b: T) => number

/** Whether a record stands beyond a position: once true, true for all that follow. */
export type IsBeyond<T> = (record: T) => boolean

/**
 * Records in an order of their own, for paging: adding, removing and reading on from any position each touch one
 * small block, whatever there is beside it. Holds references, so that an index costs eight bytes a record.
 */
export class OrderedRecords<T> {
  readonly #compare: Compare<T>
  readonly #blocks: T[][] = []
  #size = 0

  constructor(compare: Compare<T>) {
    this.#compare = compare
  }

  get size(): number {
    return this.#size
  }

  add(record: T): void {
    const index = this.#lastBlock((first) => this.#compare(first, record) <= 0)
    const block = this.#blocks[index]
    if (block === undefined) {
      this.#blocks.push([record])
      this.#size++
      return
    }
    const at = this.#positionIn(block, record)
    if (this.#isAt(block, at, record)) return
    block.splice(at, 0, record)
    this.#size++
    if (block.length > blockMax) this.#blocks.splice(index + 1, 0, block.splice(blockMax / 2))
  }

  delete(record: T): void {
    const index = this.#lastBlock((first) => this.#compare(first, record) <= 0)
    const block = this.#blocks[index]
    if (block === undefined) return
    const at = this.#positionIn(block, record)
    if (!this.#isAt(block, at, record)) return
    block.splice(at, 1)
    this.#size--
    if (block.length === 0) this.#blocks.splice(index, 1)
  }

  /** At most `count` records, from the first that is beyond. */
  from(isBeyond: IsBeyond<T>, count: number): T[] {
    const found: T[] = []
    let index = this.#lastBlock((first) => !isBeyond(first))
    let at = firstBeyond(this.#blocks[index] ?? [], isBeyond)
    for (; index < this.#blocks.length && found.length < count; index++, at = 0) {
      const block = this.#blocks[index] ?? []
      for (const record of block.slice(at, at + count - found.length)) found.push(record)
    }
    return found
  }

  /** The last block whose first record is not beyond, else the first. */
  #lastBlock(isReached: (first: T) => boolean): number {
    let low = 0
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const block = this.#blocks[middle]
      if (block !== undefined && isReached(block[0] as T)) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }

  #positionIn(block: readonly T[], record: T): number {
    return firstBeyond(block, (candidate) => this.#compare(candidate, record) >= 0)
  }

  #isAt(block: readonly T[], at: number, record: T): boolean {
    return at < block.length && this.#compare(block[at] as T, record) === 0
  }
}

function firstBeyond<T>(block: readonly T[], isBeyond: IsBeyond<T>): number {
  let low = 0
  let high = block.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBeyond(block[middle] as T)) high = middle
    else low = middle + 1
  }
  return low
}
