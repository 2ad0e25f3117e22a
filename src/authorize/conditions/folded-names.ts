/** Condition keys match without regard to case, the part after the last colon included. */
export function foldKey(key: string): string {
  return key.toLowerCase()
}

const namesMax = 1024
/** Callers choose names of their own in an encryption context: what is kept of them for long has to be short. */
const nameMax = 128

/** Most names are the same few in every request, so their folded form is kept. Bounded in number and in length. */
export class FoldedNames {
  readonly #names = new Map<string, string>()

  get size(): number {
    return this.#names.size
  }

  fold(name: string): string {
    if (name.length > nameMax) return foldKey(name)
    const known = this.#names.get(name)
    if (known !== undefined) return known
    const folded = foldKey(name)
    if (this.#names.size >= namesMax) this.#names.clear()
    this.#names.set(name, folded)
    return folded
  }
}
