/**
 * Boolean formulas over conditions. Whatever can be told without the open part of a request is folded away as a formula
 * is made, so that `true` and `false` are proofs.
 */
export type Formula<T> =
  | { readonly is: 'constant'; readonly holds: boolean }
  | { readonly is: 'term'; readonly term: T; readonly wanted: boolean }
  | { readonly is: 'all' | 'any'; readonly of: readonly Formula<T>[] }

/** Kleene's third value is `undefined`: it cannot be told. */
export type Truth = boolean | undefined

const yes = { is: 'constant', holds: true } as const
const no = { is: 'constant', holds: false } as const

export function constant(holds: boolean): Formula<never> {
  return holds ? yes : no
}

export function term<T>(of: T): Formula<T> {
  return { is: 'term', term: of, wanted: true }
}

export function all<T>(formulas: readonly Formula<T>[]): Formula<T> {
  return joined('all', formulas)
}

export function any<T>(formulas: readonly Formula<T>[]): Formula<T> {
  return joined('any', formulas)
}

/** Negation goes down to the terms at once: there is no `not` in a formula. */
export function not<T>(formula: Formula<T>): Formula<T> {
  switch (formula.is) {
    case 'constant':
      return constant(!formula.holds)
    case 'term':
      return { ...formula, wanted: !formula.wanted }
    default:
      return { is: formula.is === 'all' ? 'any' : 'all', of: formula.of.map(not) }
  }
}

function joined<T>(is: 'all' | 'any', formulas: readonly Formula<T>[]): Formula<T> {
  const deciding = is === 'any'
  const of: Formula<T>[] = []
  for (const formula of formulas) {
    if (formula.is === 'constant') {
      if (formula.holds === deciding) return formula
    } else if (formula.is === is) of.push(...formula.of)
    else of.push(formula)
  }
  const [only] = of
  if (only === undefined) return constant(!deciding)
  return of.length === 1 ? only : { is, of }
}

/** Kleene's evaluation: what the terms that are known decide. */
export function evaluate<T>(formula: Formula<T>, known: (term: T) => Truth): Truth {
  switch (formula.is) {
    case 'constant':
      return formula.holds
    case 'term': {
      const truth = known(formula.term)
      return truth === undefined ? undefined : truth === formula.wanted
    }
    default: {
      const deciding = formula.is === 'any'
      let open = false
      for (const each of formula.of) {
        const truth = evaluate(each, known)
        if (truth === deciding) return deciding
        if (truth === undefined) open = true
      }
      return open ? undefined : !deciding
    }
  }
}

/** Every term once, in the order of its first appearance. */
export function termsOf<T>(formula: Formula<T>, found: Set<T> = new Set()): ReadonlySet<T> {
  if (formula.is === 'term') found.add(formula.term)
  else if (formula.is !== 'constant') for (const each of formula.of) termsOf(each, found)
  return found
}
