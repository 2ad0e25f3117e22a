/** So many at once; whoever wants more waits, in order. One alone may have any number. */
export class Budget {
  readonly #most: number
  #taken = 0
  readonly #waiting: { readonly count: number; readonly go: () => void }[] = []

  constructor(most: number) {
    this.#most = most
  }

  async spend<T>(count: number, work: () => Promise<T>): Promise<T> {
    if (this.#waiting.length > 0 || !this.#fits(count)) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.push({ count, go: resolve })
      await promise
    } else this.#taken += count
    try {
      return await work()
    } finally {
      this.#taken -= count
      this.#wake()
    }
  }

  #wake(): void {
    for (let [next] = this.#waiting; next !== undefined && this.#fits(next.count); ) {
      this.#taken += next.count
      this.#waiting.shift()
      next.go()
      next = this.#waiting[0]
    }
  }

  #fits(count: number): boolean {
    return this.#taken === 0 || this.#taken + count <= this.#most
  }
}
