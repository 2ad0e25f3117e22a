import { type Hash, hashBytes, leafHash, nodeHash } from '../merkle.ts'
import type { Subtrees } from '../proofs.ts'
import { type TileName, tileWidth } from './tile-path.ts'

/** Of a tree entry: its type and the hash of its text. */
export const entryBytes = 1 + hashBytes
const tileHeight = 8

/**
 * Where tiles are kept. Level 0 has the entries themselves, 33 bytes each, since their hashes follow from them; each
 * level above has the roots of the full tiles below, 32 bytes each. The last tile of a level may be a partial one.
 */
export interface TileRows {
  get(level: number, number: number): Buffer | undefined
  put(level: number, number: number, bytes: Buffer): void
}

/** The tiles are not those of a tree of that size. */
export class StaleTiles extends Error {
  override readonly name = 'StaleTiles'
}

/**
 * A log's Merkle tree, in tiles of 256 hashes. In memory is one tile of each level, the one that is being filled;
 * `save` puts those into the rows, full ones go there by themselves.
 */
export class TileTree {
  readonly #rows: TileRows
  readonly #tails: Buffer[] = []
  #size: number

  /** Throws StaleTiles if the rows do not hold the last tiles of a tree of that size. */
  constructor(rows: TileRows, size: number) {
    this.#rows = rows
    this.#size = size
    for (let level = 0; nodesAt(level, size) > 0; level += 1) {
      const width = nodesAt(level, size) % tileWidth
      const saved = width === 0 ? undefined : rows.get(level, tilesAt(level, size))
      if (width > 0 && (saved?.length ?? 0) < width * unitOf(level)) {
        throw new StaleTiles(`the last tile of level ${level} is missing`)
      }
      saved?.copy(this.#tail(level))
    }
  }

  get size(): number {
    return this.#size
  }

  append(entry: Buffer): void {
    if (entry.length !== entryBytes) throw new RangeError(`an entry has ${entryBytes} bytes`)
    this.#size += 1
    this.#fill(0, this.#size - 1, entry)
  }

  save(): void {
    for (let level = 0; nodesAt(level, this.#size) > 0; level += 1) {
      const width = nodesAt(level, this.#size) % tileWidth
      if (width === 0) continue
      const bytes = this.#tail(level).subarray(0, width * unitOf(level))
      this.#rows.put(level, tilesAt(level, this.#size), bytes)
    }
  }

  /**
   * The bytes of a tile as they are served: hashes, or entries each behind its length. Undefined for what a tree of
   * `size` leaves does not have.
   */
  read({ level, number, width }: TileName, size: number): Buffer | undefined {
    const height = level === 'entries' ? 0 : level
    if (number * tileWidth + width > nodesAt(height, Math.min(size, this.#size))) return undefined
    if (level !== 'entries') {
      return Buffer.from(this.#hashes(level, number, 0, width).join(''), 'latin1')
    }
    const entries = this.#bytes(0, number)
    const bundle = Buffer.alloc(width * (2 + entryBytes))
    for (let at = 0; at < width; at += 1) {
      bundle.writeUInt16BE(entryBytes, at * (2 + entryBytes))
      entries.copy(bundle, at * (2 + entryBytes) + 2, at * entryBytes, (at + 1) * entryBytes)
    }
    return bundle
  }

  /** For proofs about this tree and every smaller one. */
  readonly subtrees: Subtrees = (level, index) => {
    const height = Math.floor(level / tileHeight)
    const count = 2 ** (level % tileHeight)
    const first = index * count
    return rootOfAll(this.#hashes(height, Math.floor(first / tileWidth), first % tileWidth, count))
  }

  /** Puts node `index` of a level into its tile. */
  #fill(level: number, index: number, bytes: Buffer): void {
    const tail = this.#tail(level)
    bytes.copy(tail, (index % tileWidth) * unitOf(level))
    if (index % tileWidth !== tileWidth - 1) return
    const number = Math.floor(index / tileWidth)
    this.#rows.put(level, number, tail)
    const root = rootOfAll(hashesIn(tail, level, 0, tileWidth))
    this.#fill(level + 1, number, Buffer.from(root, 'latin1'))
  }

  #hashes(level: number, number: number, first: number, count: number): Hash[] {
    return hashesIn(this.#bytes(level, number), level, first, count)
  }

  #bytes(level: number, number: number): Buffer {
    if (number === tilesAt(level, this.#size)) return this.#tail(level)
    const bytes = this.#rows.get(level, number)
    if (bytes?.length === tileWidth * unitOf(level)) return bytes
    throw new StaleTiles(`tile ${number} of level ${level} is missing`)
  }

  #tail(level: number): Buffer {
    this.#tails[level] ??= Buffer.alloc(tileWidth * unitOf(level))
    return this.#tails[level]
  }
}

function unitOf(level: number): number {
  return level === 0 ? entryBytes : hashBytes
}

/** How many hashes of a level a tree of `size` leaves has. */
function nodesAt(level: number, size: number): number {
  return Math.floor(size / tileWidth ** level)
}

/** How many of them are in full tiles, in tiles: the number of the tile that is being filled. */
function tilesAt(level: number, size: number): number {
  return nodesAt(level + 1, size)
}

function hashesIn(bytes: Buffer, level: number, first: number, count: number): Hash[] {
  const unit = unitOf(level)
  return Array.from({ length: count }, (_, at) => {
    const from = (first + at) * unit
    if (level === 0) return leafHash(bytes.subarray(from, from + unit))
    return bytes.toString('latin1', from, from + unit)
  })
}

/** The root over hashes whose number is a power of two. */
function rootOfAll(hashes: readonly Hash[]): Hash {
  let level = hashes
  while (level.length > 1) {
    const above: Hash[] = []
    for (let at = 0; at < level.length; at += 2) {
      above.push(nodeHash(level[at] ?? '', level[at + 1] ?? ''))
    }
    level = above
  }
  return level[0] ?? ''
}
