import { type ConditionKey, conditionKeyOf } from '../condition-keys.ts'
import type { OperatorName } from '../conditions/operator-name.ts'
import type { Condition, PolicyDocument, Statement, Text } from '../policy/document.ts'
import type { Remark } from './lint.ts'

/** Checks of conditions, one by one. */
export function conditionFindings(
  { conditions }: Statement,
  version: PolicyDocument['version'],
): readonly Remark[] {
  return conditions.flatMap((condition) => [
    ...keyFindings(condition),
    ...condition.values.flatMap((value) => valueFindings(condition.operator, value, version)),
  ])
}

function keyFindings({ at, operator, key }: Condition): readonly Remark[] {
  const known = conditionKeyOf(key)
  if (known === undefined) {
    return isOurs(key)
      ? [
          remark(
            'error',
            'unknown-condition-key',
            at,
            `no request brings the condition key ${key}.`,
          ),
        ]
      : []
  }
  return [
    ...typeFindings({ at, operator, key }, known),
    ...setFindings({ at, operator, key }, known),
  ]
}

type Place = Pick<Condition, 'at' | 'operator' | 'key'>

function typeFindings({ at, operator, key }: Place, { type }: ConditionKey): readonly Remark[] {
  const { base } = operator
  if (base === 'Null' || fits(base, type)) return []
  const sentence = `${key} is of type ${type}: ${operator.text} compares it with nothing, or as text.`
  return [remark('error', 'data-type-mismatch', at, sentence)]
}

/** Text operators compare everything, but not always as its author means: an address or a date has many spellings. */
function fits(base: OperatorName['base'], type: ConditionKey['type']): boolean {
  if (base.startsWith('String')) return type === 'String' || type === 'Arn' || type === 'Bool'
  if (base.startsWith('Arn')) return type === 'Arn'
  if (base.startsWith('Numeric')) return type === 'Numeric'
  // aws:EpochTime is a date that is written as a number.
  if (base.startsWith('Date')) return type === 'Date'
  if (base === 'Bool') return type === 'Bool'
  if (base === 'IpAddress' || base === 'NotIpAddress') return type === 'IpAddress'
  return false
}

function setFindings({ at, operator, key }: Place, { values }: ConditionKey): readonly Remark[] {
  const { quantifier, base, ifExists } = operator
  if (values === 'several' && quantifier === undefined && base !== 'Null') {
    const sentence = `${key} has several values: without ForAllValues or ForAnyValue it matches nothing.`
    return [remark('error', 'missing-set-operator', at, sentence)]
  }
  const found: Remark[] = []
  if (values === 'single' && quantifier === 'ForAllValues') {
    const sentence = `${key} has one value: ForAllValues also matches every request without it.`
    found.push(remark('security', 'for-all-values-of-single-valued-key', at, sentence))
  }
  if (values === 'several' && quantifier === 'ForAllValues') {
    const sentence = `ForAllValues also matches every request without ${key}; add "Null": {"${key}": "false"} if one is needed.`
    found.push(remark('warning', 'for-all-values-matches-none', at, sentence))
  }
  if (quantifier === 'ForAnyValue' && ifExists) {
    const sentence = `ForAnyValue with IfExists holds for requests without ${key}.`
    found.push(remark('warning', 'for-any-value-if-exists', at, sentence))
  }
  return found
}

const withVariables = /^(?:String|Arn|Bool)/
const withWildcards = /^(?:StringLike|StringNotLike|Arn)/

function valueFindings(
  { base, text: operator }: OperatorName,
  { at, text }: Text,
  version: PolicyDocument['version'],
): readonly Remark[] {
  const found: Remark[] = []
  const plain = text.replace(/\$\{[^}]*\}/g, '')
  if (plain !== text && version === '2008-10-17') {
    const sentence =
      'a policy variable is plain text in a document without "Version": "2012-10-17".'
    found.push(remark('error', 'variable-in-2008-document', at, sentence))
  } else if (plain !== text && !withVariables.test(base)) {
    const sentence = `${operator} takes no policy variables.`
    found.push(remark('error', 'variable-without-meaning', at, sentence))
  }
  if (/[*?]/.test(plain) && base.startsWith('String') && !withWildcards.test(base)) {
    const like = base.startsWith('StringNot') ? 'StringNotLike' : 'StringLike'
    const sentence = `${operator} takes "*" and "?" literally; ${like} takes them as wildcards.`
    found.push(remark('warning', 'wildcard-without-like', at, sentence))
  }
  return found
}

/** Prefixes of which all keys are known here. */
function isOurs(key: string): boolean {
  return /^kms:/i.test(key)
}

function remark(
  severity: Remark['severity'],
  check: string,
  at: Remark['at'],
  sentence: string,
): Remark {
  return { severity, check, at, sentence }
}
