/**
 * Condition keys and their values as a request brings them, in any spelling. An absent key is an absent member. The
 * shape is that of the services' own type, which this room does not import.
 */
export type ConditionValues = Readonly<Record<string, string | readonly string[]>>

export type ContextValue = string | readonly string[] | Ambiguous

/**
 * A single-valued key that a request brings more than once with different values: two names of an encryption context
 * that differ only in case are one condition key. Whoever sends both must not gain by it, so in an Allow a condition
 * must hold for all of the values, and in a Deny it is enough that it holds for one.
 */
export class Ambiguous {
  readonly values: readonly string[]

  constructor(values: readonly string[]) {
    this.values = values
  }
}

const foldedKeys = new Map<string, string>()
const foldedKeysMax = 1024

/**
 * Condition keys match without regard to case, the part after the last colon included. Most names are the same few in
 * every request, so their folded form is kept.
 */
export function foldKey(key: string): string {
  const known = foldedKeys.get(key)
  if (known !== undefined) return known
  const folded = key.toLowerCase()
  if (foldedKeys.size >= foldedKeysMax) foldedKeys.clear()
  foldedKeys.set(key, folded)
  return folded
}

/** The condition values of one request. The index is made when the first condition is met. */
export class ConditionContext {
  readonly #layers: readonly ConditionValues[]
  #index: Map<string, ContextValue> | undefined

  constructor(layers: readonly ConditionValues[]) {
    this.#layers = layers
  }

  /** Undefined when absent; an empty set of values counts as absent. */
  get(foldedKey: string): ContextValue | undefined {
    this.#index ??= indexOf(this.#layers)
    return this.#index.get(foldedKey)
  }
}

function indexOf(layers: readonly ConditionValues[]): Map<string, ContextValue> {
  const index = new Map<string, ContextValue>()
  for (const layer of layers) {
    for (const name of Object.keys(layer)) {
      const value = layer[name]
      if (value === undefined || (value.length === 0 && typeof value !== 'string')) continue
      const key = foldKey(name)
      const other = index.get(key)
      index.set(key, other === undefined ? value : merge(other, value))
    }
  }
  return index
}

function merge(one: ContextValue, other: ContextValue): ContextValue {
  if (one === other) return one
  return new Ambiguous([...valuesOf(one), ...valuesOf(other)])
}

export function valuesOf(value: ContextValue): readonly string[] {
  if (typeof value === 'string') return [value]
  return value instanceof Ambiguous ? value.values : value
}
