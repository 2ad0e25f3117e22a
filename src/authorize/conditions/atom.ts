import { syntaxError } from '../json.ts'
import type { Condition, Effect, PolicyDocument } from '../policy/document.ts'
import { Ambiguous, type ConditionContext, valuesOf } from './context.ts'
import { foldKey } from './folded-names.ts'
import { operators } from './operators.ts'
import { resolveText } from './template.ts'

/** One condition of a statement, compiled: an operator, a key and the policy's values. */
export type Atom = {
  /** As written, for example `ForAnyValue:StringLike`; the key and the values as written too. */
  readonly operator: string
  readonly key: string
  readonly values: readonly string[]
  readonly foldedKey: string
  /** Of its document: whether values can have variables. */
  readonly version: PolicyDocument['version']
  evaluate(context: ConditionContext): Outcome
  /**
   * The values with what the request says in the place of variables; undefined for one of which it says nothing, or too
   * much. Undefined as a whole: no value has variables.
   */
  resolve(context: ConditionContext): readonly (string | undefined)[] | undefined
}

/** `rule` says what decided, for explanations. */
export type Outcome = { readonly holds: boolean; readonly rule: Rule }

export type Rule =
  /** The request's value, or each of its values under a set operator, was compared with the policy's. */
  | 'compared'
  /** The key is absent: false for positive operators, true for negated ones and with IfExists. */
  | 'absent'
  | 'absent-negated'
  | 'absent-if-exists'
  /** ForAllValues holds when there is no value to look at. */
  | 'no-values'
  /** Several values without a set operator match nothing. */
  | 'several-values'
  /** The request brings a single-valued key more than once: the outcome is the one that grants less. */
  | 'ambiguous'
  /** Null asked whether the key is present. */
  | 'presence'

const compared = both('compared')
const ambiguous = both('ambiguous')
const presence = both('presence')
const absent: Outcome = { holds: false, rule: 'absent' }
const absentNegated: Outcome = { holds: true, rule: 'absent-negated' }
const absentIfExists: Outcome = { holds: true, rule: 'absent-if-exists' }
const noValues: Outcome = { holds: true, rule: 'no-values' }
const severalValues: Outcome = { holds: false, rule: 'several-values' }

/** Outcomes are made once, so that an evaluation allocates none. */
function both(rule: Rule): (holds: boolean) => Outcome {
  const yes: Outcome = { holds: true, rule }
  const no: Outcome = { holds: false, rule }
  return (holds) => (holds ? yes : no)
}

/** Throws 'malformed-policy' for values that the operator cannot compare. */
export function compileCondition(
  condition: Condition,
  effect: Effect,
  version: PolicyDocument['version'],
): Atom {
  const foldedKey = foldKey(condition.key)
  return {
    operator: condition.operator.text,
    key: condition.key,
    values: condition.values.map(({ text }) => text),
    foldedKey,
    version,
    evaluate: evaluation(condition, foldedKey, effect, version),
    resolve: (context) =>
      version === '2012-10-17' && condition.values.some(({ text }) => text.includes('${'))
        ? condition.values.map((value) => resolveText(value, context))
        : undefined,
  }
}

function evaluation(
  condition: Condition,
  foldedKey: string,
  effect: Effect,
  version: PolicyDocument['version'],
): Atom['evaluate'] {
  const { base, quantifier, ifExists } = condition.operator
  if (base === 'Null') return presenceTest(condition, foldedKey)
  const operator = operators[base]
  const matchesAny = operator.compile(condition.values, version)
  const { negated } = operator
  const test = (value: string, context: ConditionContext) => matchesAny(value, context) !== negated
  const whenAbsent = ifExists ? absentIfExists : negated ? absentNegated : absent
  const granting = (values: readonly string[], holds: (one: string) => boolean) =>
    ambiguous(effect === 'Deny' ? values.some(holds) : values.every(holds))
  switch (quantifier) {
    case 'ForAllValues':
      return (context) => {
        const value = context.get(foldedKey)
        const values = value === undefined ? [] : valuesOf(value)
        if (values.every((one) => one === '')) return noValues
        if (value instanceof Ambiguous) {
          return granting(values, (one) => one === '' || test(one, context))
        }
        return compared(values.every((one) => test(one, context)))
      }
    case 'ForAnyValue':
      return (context) => {
        const value = context.get(foldedKey)
        if (value === undefined) return ifExists ? absentIfExists : absent
        if (value instanceof Ambiguous) return granting(value.values, (one) => test(one, context))
        return compared(valuesOf(value).some((one) => test(one, context)))
      }
    case undefined:
      return (context) => {
        const value = context.get(foldedKey)
        if (value === undefined) return whenAbsent
        if (typeof value === 'string') return compared(test(value, context))
        if (!(value instanceof Ambiguous)) return severalValues
        return granting(value.values, (one) => test(one, context))
      }
  }
}

/** Null: `true` asks that the key be absent, `false` that it be present. */
function presenceTest(condition: Condition, foldedKey: string): Atom['evaluate'] {
  const wanted = condition.values.map(({ at, text }) => {
    const folded = text.toLowerCase()
    if (folded !== 'true' && folded !== 'false') throw syntaxError(at, 'true or false is needed.')
    return folded === 'false'
  })
  return (context) => presence(wanted.includes(context.get(foldedKey) !== undefined))
}
