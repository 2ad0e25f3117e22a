import { type Language, type Membership, shortestText, textsOf } from './automaton.ts'
import { pointsOf, wholePoints } from './points.ts'
import type { ComparedAs, ConditionTerm } from './term.ts'

/** Which values a key can have, if it has one. */
export type ValueDomain =
  | { readonly is: 'one-of'; readonly values: readonly string[] }
  /** Texts; those of a language if there is one, and none of the exceptions. */
  | { readonly is: 'text'; readonly within?: Language; readonly except?: readonly string[] }
  /** Always readable as what it is. */
  | { readonly is: 'date' | 'address' }
  | { readonly is: 'whole'; readonly min: number; readonly max: number }

/** That a value does, or does not, what a condition compares it for. */
export type Wanted = {
  readonly condition: ConditionTerm
  /** As the evaluator compares one value, negation included. */
  readonly test: (value: string) => boolean
  readonly wanted: boolean
}

/** 'none' is a proof that no value will do; 'unknown' says nothing. */
export type Solved = { readonly value: string } | 'none' | 'unknown'

/** One value that does all that is wanted. */
export function solveValue(
  wanted: readonly Wanted[],
  domain: ValueDomain,
  others: readonly string[] = [],
): Solved {
  const except = domain.is === 'text' ? domain.except : undefined
  const excluded = except === undefined ? others : [...others, ...except]
  const does = (value: string) =>
    !excluded.includes(value) && wanted.every((each) => each.test(value) === each.wanted)
  const among = (values: readonly string[], complete: boolean): Solved => {
    const value = values.find(does)
    if (value !== undefined) return { value }
    return complete ? 'none' : 'unknown'
  }
  const conditions = wanted.map(({ condition }) => condition)
  switch (domain.is) {
    case 'one-of':
      return among(domain.values, true)
    case 'whole': {
      const { texts, complete } = wholePoints(conditions, domain)
      return among(texts, complete && excluded.length === 0)
    }
    case 'date':
    case 'address': {
      const { texts, complete } = pointsOf(domain.is, conditions)
      const only = conditions.every(({ kind }) => kind === domain.is)
      return among(texts, complete && only && excluded.length === 0)
    }
    case 'text':
      return solveText(wanted, domain.within, excluded, among, does)
  }
}

/** What cannot be read as a number, a date, an address or bytes. */
const unreadable = ['x', 'y', 'z']

function solveText(
  wanted: readonly Wanted[],
  within: Language | undefined,
  excluded: readonly string[],
  among: (values: readonly string[], complete: boolean) => Solved,
  does: (value: string) => boolean,
): Solved {
  const conditions = wanted.map(({ condition }) => condition)
  const finite = finiteTexts(wanted)
  const inside = (value: string) =>
    within === undefined ||
    shortestText([exactly(value), { language: within, wanted: true }], 0) !== 'none'
  if (finite !== undefined) return among(finite.filter(inside), true)
  const kinds = new Set(conditions.map(({ kind }) => kind))
  if (kinds.size === 0) kinds.add('text')
  const [kind] = kinds
  if (kinds.size > 1 || (kind !== 'text' && within !== undefined) || kind === undefined) {
    return among(everyPoint(conditions).filter(inside), false)
  }
  if (kind !== 'text') {
    const { texts, complete } = pointsOf(kind, conditions)
    return among([...texts, ...unreadable], complete && excluded.length === 0)
  }
  const memberships = wanted.flatMap(membershipOf)
  if (within !== undefined) memberships.push({ language: within, wanted: true })
  if (excluded.length > 0) memberships.push({ language: literals(excluded), wanted: false })
  const simple = simpleTexts(conditions, within).find((value) => does(value) && inside(value))
  if (simple !== undefined) return { value: simple }
  for (const lengthMin of [1, 0]) {
    const search = shortestText(memberships, lengthMin)
    if (search === 'too-much') return 'unknown'
    if (search === 'none') continue
    // The evaluator has the last word on what its own comparison finds.
    return does(search.found) ? { value: search.found } : 'unknown'
  }
  return 'none'
}

function membershipOf({ condition, wanted }: Wanted): Membership[] {
  const { language, negated } = condition
  return language === undefined ? [] : [{ language, wanted: wanted !== negated }]
}

/** All texts that one of the conditions leaves, when it leaves finitely many. */
function finiteTexts(wanted: readonly Wanted[]): readonly string[] | undefined {
  for (const membership of wanted.flatMap(membershipOf)) {
    const texts = membership.wanted ? textsOf(membership.language) : undefined
    if (texts !== undefined) return texts
  }
  return undefined
}

function everyPoint(conditions: readonly ConditionTerm[]): readonly string[] {
  const kinds: readonly ComparedAs[] = ['number', 'date', 'address']
  const points = kinds.flatMap((kind) => pointsOf(kind, conditions).texts)
  const values = conditions.flatMap((condition) => condition.values)
  return [...points, ...values, ...simpleTexts(conditions, undefined), ...unreadable]
}

/** Guesses that spare a search, and that read well: patterns with their wildcards filled in. */
function simpleTexts(conditions: readonly ConditionTerm[], within: Language | undefined) {
  const languages = [...conditions.map(({ language }) => language), within]
  const patterns = languages.flatMap((language) => language?.patterns ?? [])
  const filled = patterns.map((codes) =>
    String.fromCharCode(...codes.map((code) => (code < 0 ? 0x78 : code))),
  )
  return [...filled.slice(0, 64), ...unreadable]
}

function literals(texts: readonly string[]): Language {
  const patterns = texts.map((text) =>
    Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)),
  )
  return { patterns, folded: false }
}

function exactly(text: string): Membership {
  return { language: literals([text]), wanted: true }
}
