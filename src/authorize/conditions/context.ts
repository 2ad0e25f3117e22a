import { conditionKeys } from '../condition-keys.ts'
import { FoldedNames, foldKey } from './folded-names.ts'

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

const names = new FoldedNames()

/** Keys that the policies of resources never see. */
const ofIdentityPolicies = new Set(
  conditionKeys.filter(({ within }) => within !== undefined).map(({ name }) => foldKey(name)),
)

/** Matching the policies against this request would take too long. */
export class TooMuchWork extends Error {
  override readonly name = 'TooMuchWork'
}

/**
 * What matching one request against its policies may take, in characters of the request times places of patterns: some
 * hundredths of a second. A full policy of patterns against a hundred values of a usual length stays far below.
 */
const workMax = 64 * 1024 * 1024

/** Keys that conditions and variables of policies looked at, folded, and what the request says; undefined: absent. */
export type AskedKeys = ReadonlyMap<string, ContextValue | undefined>

/**
 * The condition values of one request. The index is made when the first condition is met. It remembers what was asked:
 * a key that nobody asked for cannot have mattered.
 */
export class ConditionContext {
  readonly #layers: readonly ConditionValues[]
  #index: Map<string, ContextValue> | undefined
  #askedByCaller: Map<string, ContextValue | undefined> | undefined
  #askedByResource: Map<string, ContextValue | undefined> | undefined
  #work = 0
  /** Whose policies are being matched: those that belong to the caller, or those that belong to the resource. */
  side: 'caller' | 'resource' = 'resource'

  constructor(layers: readonly ConditionValues[]) {
    this.#layers = layers
  }

  /** Undefined when absent; an empty set of values counts as absent. */
  get(foldedKey: string): ContextValue | undefined {
    this.#index ??= indexOf(this.#layers)
    const hidden = this.side === 'resource' && ofIdentityPolicies.has(foldedKey)
    const value = hidden ? undefined : this.#index.get(foldedKey)
    if (this.side === 'caller') {
      this.#askedByCaller ??= new Map()
      this.#askedByCaller.set(foldedKey, value)
    } else {
      this.#askedByResource ??= new Map()
      this.#askedByResource.set(foldedKey, value)
    }
    return value
  }

  /** What the policies of a side asked for; undefined: nothing. */
  asked(side: 'caller' | 'resource'): AskedKeys | undefined {
    return side === 'caller' ? this.#askedByCaller : this.#askedByResource
  }

  /** What was spent so far. */
  get work(): number {
    return this.#work
  }

  /** Counts what is about to be done. Throws TooMuchWork beyond the bound, whoever wrote the policy or the request. */
  spend(work: number): void {
    this.#work += work
    if (this.#work > workMax) throw new TooMuchWork()
  }
}

function indexOf(layers: readonly ConditionValues[]): Map<string, ContextValue> {
  const index = new Map<string, ContextValue>()
  const repeated = new Map<string, string[]>()
  for (const layer of layers) {
    for (const name of Object.keys(layer)) {
      const value = layer[name]
      if (value === undefined || (value.length === 0 && typeof value !== 'string')) continue
      const key = names.fold(name)
      const other = index.get(key)
      if (other === undefined) index.set(key, value)
      else if (other !== value) gather(repeated, key, other, value)
    }
  }
  for (const [key, values] of repeated) index.set(key, new Ambiguous(values))
  return index
}

/** One list for each key, so that many spellings of one name take no more than many names. */
function gather(
  repeated: Map<string, string[]>,
  key: string,
  first: ContextValue,
  next: ContextValue,
): void {
  let values = repeated.get(key)
  if (values === undefined) {
    values = [...valuesOf(first)]
    repeated.set(key, values)
  }
  for (const value of valuesOf(next)) values.push(value)
}

export function valuesOf(value: ContextValue): readonly string[] {
  if (typeof value === 'string') return [value]
  return value instanceof Ambiguous ? value.values : value
}
