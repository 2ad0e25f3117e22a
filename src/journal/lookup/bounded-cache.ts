/** What was made of a text. It is emptied whenever it is full: that costs less than knowing what was used last. */
export class BoundedCache<T> {
  readonly #most: number
  readonly #known = new Map<string, T>()

  constructor(most: number) {
    this.#most = most
  }

  get(key: string, make: () => T): T {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    if (this.#known.size >= this.#most) this.#known.clear()
    const made = make()
    this.#known.set(key, made)
    return made
  }
}
