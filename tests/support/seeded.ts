import { randomInt } from 'node:crypto'

/**
 * Repeatable chance for tests: the seed of a failing run, given as SEED in the environment, runs it again.
 * The generator is sfc32 (PractRand's small fast counter).
 */
export class Seeded {
  readonly seed: number
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number) {
    this.seed = seed
    this.#a = seed >>> 0
    this.#b = 0x9e3779b9
    this.#c = 0x243f6a88
    for (let i = 0; i < 12; i++) this.next()
  }

  /** From SEED, or a fresh seed. */
  static fromEnvironment(): Seeded {
    const text = process.env['SEED']
    const seed = text === undefined || text === '' ? randomInt(2 ** 32) : Number(text)
    if (!Number.isSafeInteger(seed)) throw new Error(`SEED '${text}' is no whole number`)
    return new Seeded(seed)
  }

  /** 32 uniform bits. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) >>> 0
    this.#counter = (this.#counter + 1) >>> 0
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0
    this.#b = (this.#c + (this.#c << 3)) >>> 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) >>> 0
    this.#c = (this.#c + sum) >>> 0
    return sum
  }

  /** A whole number from `low` up to and without `high`. */
  between(low: number, high: number): number {
    return low + Math.floor((this.next() / 2 ** 32) * (high - low))
  }

  chance(probability: number): boolean {
    return this.next() / 2 ** 32 < probability
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.between(0, items.length)]
    if (item === undefined && items.length === 0) throw new Error('nothing to pick from')
    return item as T
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.next() & 0xff))
  }
}
