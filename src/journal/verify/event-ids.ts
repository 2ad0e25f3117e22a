/** Two tables of 64 MiB together, which hold the last two to four million ids. */
const idsMax = 2 * 1024 * 1024
const slots = 2 * idsMax

/**
 * The ids of the last records, to notice one that stands twice. What writes an event a second time is a replay after a
 * crash, which looks back no further than that. Of an id it keeps 64 bits: that two of four million in a row have the
 * same by chance happens once in millions of such rows.
 */
export class EventIds {
  #present = new Uint32Array(2 * slots)
  #past = new Uint32Array(2 * slots)
  #count = 0

  /** Answers whether it was not among the last. */
  add(bytes: Buffer): boolean {
    let high = 0x811c9dc5
    let low = 0x9747b28c
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0
      high = Math.imul(high ^ byte, 0x01000193)
      low = Math.imul(low ^ byte ^ (high >>> 15), 0x85ebca6b)
    }
    // No id is zero, which marks a slot that is free.
    low = (low | 1) >>> 0
    high >>>= 0
    if (find(this.#past, high, low) >= 0) return false
    const slot = find(this.#present, high, low)
    if (slot >= 0) return false
    this.#present[2 * ~slot] = low
    this.#present[2 * ~slot + 1] = high
    this.#count += 1
    if (this.#count === idsMax) this.#turnOver()
    return true
  }

  #turnOver(): void {
    const free = this.#past
    free.fill(0)
    this.#past = this.#present
    this.#present = free
    this.#count = 0
  }
}

/** Its slot, or the complement of the free one where it goes. */
function find(table: Uint32Array, high: number, low: number): number {
  let slot = (high ^ (low >>> 3)) & (slots - 1)
  for (;;) {
    const present = table[2 * slot]
    if (present === 0) return ~slot
    if (present === low && table[2 * slot + 1] === high) return slot
    slot = (slot + 1) & (slots - 1)
  }
}
