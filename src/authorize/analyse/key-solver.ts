import { conditionKeyOf } from '../condition-keys.ts'
import type { ConditionValues } from '../conditions/context.ts'
import { ConditionContext } from '../conditions/context.ts'
import { isRun } from './automaton.ts'
import type { ConditionTerm, Term } from './term.ts'
import { type Solved, solveValue, type ValueDomain, type Wanted } from './value-solver.ts'

/** What a request can have under one condition key. */
export type KeyDomain = {
  readonly presence: 'always' | 'sometimes'
  /**
   * `list`: any number of values. `repeated`: one value, or several under names that differ in case, which is what an
   * encryption context can do.
   */
  readonly shape: 'single' | 'list' | 'repeated'
  readonly values: ValueDomain
}

/** That a term on the key holds, or does not. */
export type Demand = {
  readonly term: Term
  readonly condition: ConditionTerm
  readonly wanted: boolean
}

/** How the key is present: not at all, with a value, with a list, or under several names. */
export type KeyValue =
  | { readonly is: 'absent' }
  | { readonly is: 'single'; readonly value: string }
  | { readonly is: 'list' | 'repeated'; readonly values: readonly string[] }

export type KeySolution = { readonly value: KeyValue } | 'none' | 'unknown'

/** A way for one key to meet all demands. The simplest comes first. */
export function solveKey(key: string, demands: readonly Demand[], domain: KeyDomain): KeySolution {
  let unknown = false
  for (const attempt of attemptsOf(domain)) {
    const solution = attempt(key, demands, domain.values)
    if (solution === 'unknown') unknown = true
    else if (solution !== 'none') return solution
  }
  return unknown ? 'unknown' : 'none'
}

type Attempt = (key: string, demands: readonly Demand[], values: ValueDomain) => KeySolution

function attemptsOf({ presence, shape }: KeyDomain): Attempt[] {
  const attempts: Attempt[] = presence === 'always' ? [] : [absent]
  if (shape === 'list') return [...attempts, list]
  attempts.push(single)
  if (shape === 'repeated') attempts.push(repeated)
  return attempts
}

/** The condition values of one key. */
export function conditionsOf(key: string, value: KeyValue): ConditionValues {
  switch (value.is) {
    case 'absent':
      return {}
    case 'single':
      return { [key]: value.value }
    case 'list':
      return { [key]: value.values }
    case 'repeated':
      return Object.fromEntries(value.values.map((one, i) => [casedName(key, i), one]))
  }
}

function holds({ term }: Demand, key: string, value: KeyValue): boolean {
  return term.evaluate(new ConditionContext([conditionsOf(key, value)]))
}

function absent(key: string, demands: readonly Demand[]): KeySolution {
  const value = { is: 'absent' } as const
  return demands.every((demand) => holds(demand, key, value) === demand.wanted) ? { value } : 'none'
}

function single(key: string, demands: readonly Demand[], domain: ValueDomain): KeySolution {
  const wanted = demands.map((demand) => ({
    condition: demand.condition,
    test: (value: string) => holds(demand, key, { is: 'single', value }),
    wanted: demand.wanted,
  }))
  // Null, and ForAllValues of an empty text, heed more than the comparison: the test has the last word.
  const compared = wanted.filter(({ condition }) => condition.kind !== 'presence')
  if (wanted.some((each) => each.condition.kind === 'presence' && each.test('x') !== each.wanted)) {
    return 'none'
  }
  const solved = solveValue(compared, domain)
  if (typeof solved !== 'string') {
    const value = { is: 'single', value: solved.value } as const
    return demands.every((demand) => holds(demand, key, value) === demand.wanted)
      ? { value }
      : 'unknown'
  }
  return solved === 'none' ? emptyText(key, demands, domain) : solved
}

/** The one text for which ForAllValues holds whatever it is compared with. */
function emptyText(key: string, demands: readonly Demand[], domain: ValueDomain): KeySolution {
  if (domain.is !== 'text' || !demands.some(isForAll)) return 'none'
  const value = { is: 'single', value: '' } as const
  const does = demands.every((demand) => holds(demand, key, value) === demand.wanted)
  if (!does) return 'none'
  return domain.within === undefined ? { value } : 'unknown'
}

function isForAll({ condition }: Demand): boolean {
  return condition.operator.quantifier === 'ForAllValues'
}

function list(key: string, demands: readonly Demand[], domain: ValueDomain): KeySolution {
  return several(key, demands, domain, 'list', 1)
}

function repeated(key: string, demands: readonly Demand[], domain: ValueDomain): KeySolution {
  return several(key, demands, domain, 'repeated', 2)
}

/**
 * Several values: some demands bind each of them, others ask for one. Values that the latter ask for, each of which
 * meets the former, are together what is sought.
 */
function several(
  key: string,
  demands: readonly Demand[],
  domain: ValueDomain,
  is: 'list' | 'repeated',
  countMin: number,
): KeySolution {
  const spellings = is === 'list' ? Number.POSITIVE_INFINITY : casedNames(key)
  if (spellings < countMin) return /^[\x20-\x7e]*$/.test(key) ? 'none' : 'unknown'
  const each: Wanted[] = []
  const some: Wanted[] = []
  for (const demand of demands) {
    const scope = scopeOf(demand, is)
    if (scope === 'never') return 'none'
    const test = (value: string) => comparesTo(demand, key, value, is)
    const wanted = { condition: demand.condition, test, wanted: demand.wanted }
    if (scope === 'each') each.push(wanted)
    else if (scope === 'some') some.push(wanted)
  }
  const values: string[] = []
  for (const one of some) {
    if (values.some((value) => one.test(value) === one.wanted)) continue
    const solved = solveValue([...each, one], domain)
    if (typeof solved === 'string') return orEmptyTexts(solved, key, demands, domain, is)
    values.push(solved.value)
  }
  while (values.length < countMin) {
    const solved: Solved = solveValue(each, domain, values)
    if (typeof solved === 'string') return orEmptyTexts(solved, key, demands, domain, is)
    values.push(solved.value)
  }
  const value = { is, values } as const
  if (values.length > spellings) return 'unknown'
  return demands.every((demand) => holds(demand, key, value) === demand.wanted)
    ? { value }
    : 'unknown'
}

/**
 * Lists of nothing but empty texts satisfy every ForAllValues. Under several names one of them may be empty and satisfy
 * it alone, which is not looked into.
 */
function orEmptyTexts(
  solved: 'none' | 'unknown',
  key: string,
  demands: readonly Demand[],
  domain: ValueDomain,
  is: 'list' | 'repeated',
): KeySolution {
  if (solved === 'unknown' || domain.is !== 'text' || !demands.some(isForAll)) return solved
  if (is === 'repeated') return 'unknown'
  const value = { is: 'list', values: [''] } as const
  const does = demands.every((demand) => holds(demand, key, value) === demand.wanted)
  if (!does) return 'none'
  return domain.within === undefined ? { value } : 'unknown'
}

/** Whether a demand on several values binds each of them, asks for one, holds anyhow, or cannot be met. */
function scopeOf(
  { condition, wanted }: Demand,
  is: 'list' | 'repeated',
): 'each' | 'some' | 'anyhow' | 'never' {
  const { operator, kind, effect } = condition
  if (kind === 'presence') {
    const asksPresent = condition.values.some((text) => text.toLowerCase() === 'false')
    return asksPresent === wanted ? 'anyhow' : 'never'
  }
  // Under several names each value counts alone, whatever the operator: an Allow binds all, a Deny asks for one.
  if (is === 'repeated') return (effect === 'Allow') === wanted ? 'each' : 'some'
  if (operator.quantifier === 'ForAllValues') return wanted ? 'each' : 'some'
  if (operator.quantifier === 'ForAnyValue') return wanted ? 'some' : 'each'
  // Several values without a set operator match nothing.
  return wanted ? 'never' : 'anyhow'
}

/** How one value compares, by the evaluator's own comparison. */
function comparesTo(
  { term, condition }: Demand,
  key: string,
  value: string,
  is: 'list' | 'repeated',
): boolean {
  if (is === 'list' && condition.operator.quantifier === 'ForAllValues' && value === '') {
    // Alone it stands for no value at all; among others it is compared.
    const patterns = condition.language?.patterns ?? []
    return patterns.some((codes) => codes.every(isRun)) !== condition.negated
  }
  return term.evaluate(new ConditionContext([{ [key]: value }]))
}

/** Other spellings of a name, by the case of its letters behind the name of its family. */
function casedName(key: string, variant: number): string {
  const letters = lettersOf(key)
  const units = [...key]
  for (const [bit, at] of letters.entries()) {
    if (((variant >> bit) & 1) === 1) units[at] = (units[at] ?? '').toUpperCase()
    else units[at] = (units[at] ?? '').toLowerCase()
  }
  return units.join('')
}

function casedNames(key: string): number {
  return 2 ** Math.min(lettersOf(key).length, 16)
}

function lettersOf(key: string): number[] {
  const { name = key } = conditionKeyOf(key) ?? {}
  const start = name.endsWith('*') ? name.length - 1 : name.indexOf(':') + 1
  const places: number[] = []
  for (const [at, unit] of [...key].entries()) {
    if (at >= start && /[a-zA-Z]/.test(unit) && places.length < 16) places.push(at)
  }
  return places
}
