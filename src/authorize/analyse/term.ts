import type { Atom } from '../conditions/atom.ts'
import type { ConditionContext } from '../conditions/context.ts'
import { type OperatorName, parseOperator } from '../conditions/operator-name.ts'
import { parseTemplate, type Variable } from '../conditions/template.ts'
import type { Pattern } from '../glob.ts'
import type { Effect } from '../policy/document.ts'
import { arnPattern, type CodePattern, type Language, textPattern } from './automaton.ts'

/**
 * What a formula is made of: something of the open part of a request that holds or does not. The evaluator itself says
 * which, once a request is there.
 */
export type Term = {
  /** The same for terms that always agree, in one query. */
  readonly name: string
  evaluate(context: ConditionContext): boolean
  /** Undefined: nothing is known but how to evaluate it. */
  readonly condition: ConditionTerm | undefined
  /** Of a grant's constraint. */
  readonly grant?: GrantTerm
}

/** A condition on one key whose values are all known. */
export type ConditionTerm = {
  readonly foldedKey: string
  /** As written. */
  readonly key: string
  readonly operator: OperatorName
  readonly effect: Effect
  readonly kind: ComparedAs
  readonly negated: boolean
  /** Of texts: what the comparison finds equal or alike, before it is negated. */
  readonly language: Language | undefined
  /** The policy's values, its variables replaced. */
  readonly values: readonly string[]
}

export type GrantTerm = {
  /** Pairs that the encryption context of the request has to have. */
  readonly pairs: Readonly<Record<string, string>>
  /** Whether it may have no others. */
  readonly exact: boolean
  /** Of a grant that lets others be made: what those may permit. */
  readonly operations: readonly string[] | undefined
}

export type ComparedAs = 'text' | 'number' | 'date' | 'address' | 'bytes' | 'presence'

/** What is known of a request: `open` keys are not. */
export type Known = {
  readonly context: ConditionContext
  isOpen(foldedKey: string): boolean
}

/** Undefined when everything that the condition looks at is known: its truth is a constant then. */
export function conditionTerm(atom: Atom, effect: Effect, known: Known): Term | undefined {
  const variables = variablesOf(atom)
  const openVariables = variables.some(({ key }) => known.isOpen(key))
  if (!known.isOpen(atom.foldedKey) && !openVariables) return undefined
  const { side } = known.context
  const evaluate = (context: ConditionContext) => {
    // There are keys that one side alone sees.
    context.side = side
    return atom.evaluate(context).holds
  }
  const { version, operator: written, values } = atom
  const name = JSON.stringify([side, effect, version, written, atom.foldedKey, values])
  if (openVariables) return { name, evaluate, condition: undefined }
  const operator = parseOperator(atom.operator)
  if (operator === undefined) throw new Error('a compiled condition has a known operator')
  const { foldedKey, key } = atom
  const kind = comparedAs(operator)
  const resolved = atom.values.map((text) => resolve(text, atom, operator, known))
  const language = kind === 'text' ? languageOf(resolved, operator) : undefined
  const negated = operator.base.includes('Not')
  const condition = { foldedKey, key, operator, effect, kind, negated, language, values }
  return { name, evaluate, condition }
}

function comparedAs({ base }: OperatorName): ComparedAs {
  if (base === 'Null') return 'presence'
  if (base.startsWith('Numeric')) return 'number'
  if (base.startsWith('Date')) return 'date'
  if (base.endsWith('IpAddress')) return 'address'
  return base === 'BinaryEquals' ? 'bytes' : 'text'
}

const nowhere = { line: 0, column: 0, parent: undefined, step: '' }

function templateOf(text: string, { version }: Pick<Atom, 'version'>, operator: OperatorName) {
  const wildcards = operator.base.startsWith('Arn') || operator.base.endsWith('Like')
  return parseTemplate({ text, at: nowhere }, { version, wildcards })
}

function variablesOf(atom: Atom): Variable[] {
  const operator = parseOperator(atom.operator)
  if (operator === undefined || comparedAs(operator) !== 'text') return []
  if (atom.version === '2008-10-17') return []
  return atom.values.flatMap((text) =>
    templateOf(text, atom, operator).filter((piece) => typeof piece === 'object'),
  )
}

/** The pattern with the values of its variables put in as literal text; undefined: one has none. */
function resolve(
  text: string,
  atom: Atom,
  operator: OperatorName,
  { context }: Known,
): Pattern | undefined {
  if (comparedAs(operator) !== 'text') return undefined
  const pattern: Pattern[number][] = []
  for (const piece of templateOf(text, atom, operator)) {
    if (typeof piece !== 'object') {
      pattern.push(piece)
      continue
    }
    const value = context.get(piece.key)
    const put = typeof value === 'string' ? value : value === undefined ? piece.fallback : undefined
    if (put === undefined) return undefined
    pattern.push(put)
  }
  return pattern
}

function languageOf(resolved: readonly (Pattern | undefined)[], { base }: OperatorName): Language {
  const folded = base.endsWith('IgnoreCase') || base === 'Bool'
  const patterns: CodePattern[] = []
  for (const pattern of resolved) {
    if (pattern === undefined) continue
    const cased = folded ? pattern.map(lower) : pattern
    const codes = base.startsWith('Arn') ? arnPattern(cased) : textPattern(cased)
    if (codes !== undefined) patterns.push(codes)
  }
  return { patterns, folded }
}

function lower(piece: Pattern[number]): Pattern[number] {
  return typeof piece === 'string' ? piece.toLowerCase() : piece
}
