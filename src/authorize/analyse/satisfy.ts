import { conditionKeyOf } from '../condition-keys.ts'
import { ConditionContext, type ConditionValues } from '../conditions/context.ts'
import { decide } from '../evaluate.ts'
import { evaluate, type Formula } from './formula.ts'
import { conditionsOf, type Demand, type KeySolution, solveKey } from './key-solver.ts'
import type { Query } from './query.ts'
import { madeRealistic } from './realistic.ts'
import type { GrantTerm, Term } from './term.ts'

/**
 * Whether a formula can hold, by looking at the ways in which it could, one after the other, and giving up what cannot
 * be as soon as one condition key shows it. 'none' is a proof; 'unknown' is what is left when a bound was met, or when
 * something is beyond what is understood of it.
 */
export type Satisfied = { readonly witness: ConditionValues } | 'none' | 'unknown'

/** How many choices a search may make before it gives up. */
const choicesMax = 4096

/** The analyser and the evaluator disagree: nothing that the analyser says can be relied on then. */
export class AnalysisError extends Error {
  override readonly name = 'AnalysisError'
}

/** What the evaluator has to say to a witness: each query with its answer. */
export type Expected = readonly { readonly query: Query; readonly allowed: boolean }[]

export function satisfy(formula: Formula<Term>, expected: Expected): Satisfied {
  const query = expected[0]?.query
  if (query === undefined) throw new AnalysisError('a formula is of a query')
  return new Search(query, expected).run([formula], emptyCube)
}

/** Terms that have been chosen to hold, or not to. */
type Cube = {
  readonly terms: ReadonlyMap<string, { readonly term: Term; readonly wanted: boolean }>
  readonly ofKey: ReadonlyMap<string, readonly Demand[]>
  readonly grant: GrantTerm | undefined
}

const emptyCube: Cube = { terms: new Map(), ofKey: new Map(), grant: undefined }

class Search {
  readonly #query: Query
  readonly #expected: Expected
  readonly #solutions = new Map<string, KeySolution>()
  #choices = 0

  constructor(query: Query, expected: Expected) {
    this.#query = query
    this.#expected = expected
  }

  run(pending: readonly Formula<Term>[], start: Cube): Satisfied {
    if (++this.#choices > choicesMax) return 'unknown'
    let cube = start
    const choices: Extract<Formula<Term>, { is: 'all' | 'any' }>[] = []
    const queue = [...pending]
    for (let formula = queue.pop(); formula !== undefined; formula = queue.pop()) {
      if (formula.is === 'constant') {
        if (!formula.holds) return 'none'
      } else if (formula.is === 'term') {
        const next = this.#with(cube, formula.term, formula.wanted)
        if (next === undefined) return 'none'
        cube = next
      } else if (formula.is === 'all') queue.push(...formula.of)
      else choices.push(formula)
    }
    const { terms } = cube
    const open = choices.filter(
      (choice) => evaluate(choice, ({ name }) => terms.get(name)?.wanted) !== true,
    )
    open.sort((a, b) => a.of.length - b.of.length)
    const [first, ...others] = open
    if (first === undefined) return this.#assemble(cube)
    let unknown = false
    for (const alternative of first.of) {
      const found = this.run([...others, alternative], cube)
      if (found === 'unknown') unknown = true
      else if (found !== 'none') return found
    }
    return unknown ? 'unknown' : 'none'
  }

  /** Undefined: the term cannot be so as well. */
  #with(cube: Cube, term: Term, wanted: boolean): Cube | undefined {
    const known = cube.terms.get(term.name)
    if (known !== undefined) return known.wanted === wanted ? cube : undefined
    const terms = new Map(cube.terms).set(term.name, { term, wanted })
    const { condition } = term
    if (condition === undefined) {
      if (term.grant === undefined || !wanted) return { ...cube, terms }
      const grant = bothGrants(cube.grant, term.grant)
      if (grant === undefined) return undefined
      const next = { ...cube, terms, grant }
      const keys = [...cube.ofKey.keys()]
      return keys.some((key) => this.#solve(key, next) === 'none') ? undefined : next
    }
    const key = condition.foldedKey
    const demands = [...(cube.ofKey.get(key) ?? []), { term, condition, wanted }]
    const next = { ...cube, terms, ofKey: new Map(cube.ofKey).set(key, demands) }
    return this.#solve(key, next) === 'none' ? undefined : next
  }

  #solve(key: string, { ofKey, grant }: Cube): KeySolution {
    const demands = ofKey.get(key) ?? []
    const names = demands.map(({ term, wanted }) => `${wanted} ${term.name}`).sort()
    const name = JSON.stringify([key, grant?.pairs, grant?.exact, grant?.operations, names])
    const known = this.#solutions.get(name)
    if (known !== undefined) return known
    const solution = this.#solveAnew(key, demands, grant)
    this.#solutions.set(name, solution)
    return solution
  }

  #solveAnew(key: string, demands: readonly Demand[], grant: GrantTerm | undefined): KeySolution {
    const domain = this.#query.facts(key)
    if (domain === 'absent') throw new AnalysisError(`${key} is known, and was left open`)
    if (grant === undefined) return solveKey(key, demands, domain)
    if (key === 'kms:grantoperations' && grant.operations !== undefined) {
      const values = { is: 'one-of', values: grant.operations } as const
      return solveKey(key, demands, { ...domain, values })
    }
    return underGrant(key, demands, grant) ?? solveKey(key, demands, domain)
  }

  #assemble(cube: Cube): Satisfied {
    const values: Record<string, string | readonly string[]> = {}
    for (const [key, demands] of cube.ofKey) {
      const solution = this.#solve(key, cube)
      if (typeof solution === 'string') return solution
      Object.assign(values, conditionsOf(nameOf(demands[0]?.condition.key ?? key), solution.value))
    }
    for (const [name, value] of Object.entries(cube.grant?.pairs ?? {})) {
      values[`kms:EncryptionContext:${name}`] = value
    }
    if (cube.grant?.operations !== undefined)
      values['kms:GrantOperations'] ??= cube.grant.operations
    const witness = madeRealistic(values, cube.ofKey)
    return witness === undefined ? 'unknown' : this.#replay(witness, cube)
  }

  /** The evaluator's own word on it. */
  #replay(witness: ConditionValues, cube: Cube): Satisfied {
    const requests = this.#expected.map(({ query }) => query.request(witness))
    if (requests.some((request) => request === undefined)) return 'unknown'
    const context = new ConditionContext([...this.#query.fixed, witness])
    let sure = true
    for (const { term, wanted } of cube.terms.values()) {
      if (term.grant !== undefined) sure = false
      else if (term.evaluate(context) !== wanted) return 'unknown'
    }
    for (const [index, { allowed, query }] of this.#expected.entries()) {
      const request = requests[index]
      if (request === undefined) return 'unknown'
      if (decide(request).allowed === allowed) continue
      if (!sure) return 'unknown'
      throw new AnalysisError(
        `${query.permission} by ${query.principal.name}: the evaluator says otherwise of ${JSON.stringify(witness)}`,
      )
    }
    return { witness }
  }
}

/** What two grants ask of one request; undefined: no request has both. */
function bothGrants(a: GrantTerm | undefined, b: GrantTerm): GrantTerm | undefined {
  if (a === undefined) return b
  for (const [name, value] of Object.entries(b.pairs)) {
    if (a.pairs[name] !== undefined && a.pairs[name] !== value) return undefined
  }
  const operations =
    a.operations === undefined
      ? b.operations
      : a.operations.filter((each) => b.operations?.includes(each) !== false)
  return { pairs: { ...a.pairs, ...b.pairs }, exact: a.exact || b.exact, operations }
}

const contextPrefix = 'kms:encryptioncontext:'

/** What a grant's constraint makes of a key of the encryption context; undefined: nothing. */
function underGrant(
  key: string,
  demands: readonly Demand[],
  { pairs, exact }: GrantTerm,
): KeySolution | undefined {
  const names = Object.keys(pairs)
  if (key === 'kms:encryptioncontextkeys') {
    if (names.length === 0) return undefined
    const domain = {
      presence: 'always',
      shape: 'list',
      values: { is: 'one-of', values: names },
    } as const
    const solution = solveKey(key, demands, domain)
    return solution === 'none' && !exact ? 'unknown' : solution
  }
  if (!key.startsWith(contextPrefix)) return undefined
  const name = names.find((each) => each.toLowerCase() === key.slice(contextPrefix.length))
  if (name === undefined) {
    if (!exact) return undefined
    const value = { is: 'absent' } as const
    const context = new ConditionContext([])
    const does = demands.every(({ term, wanted }) => term.evaluate(context) === wanted)
    return does ? { value } : 'none'
  }
  const values = { is: 'one-of', values: [pairs[name] ?? ''] } as const
  const solution = solveKey(key, demands, { presence: 'always', shape: 'single', values })
  // Another spelling of the name could stand beside it.
  return solution === 'none' && !exact && demands.some(quantified) ? 'unknown' : solution
}

function quantified({ condition }: Demand): boolean {
  return condition.operator.quantifier !== undefined
}

/** As AWS spells it, where it is a key that is known. */
function nameOf(written: string): string {
  const known = conditionKeyOf(written)
  if (known === undefined) return written
  return known.name.endsWith('*')
    ? known.name.slice(0, -1) + written.slice(known.name.length - 1)
    : known.name
}
