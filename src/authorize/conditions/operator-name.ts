/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
const baseOperators = [
  'ArnEquals',
  'ArnLike',
  'ArnNotEquals',
  'ArnNotLike',
  'BinaryEquals',
  'Bool',
  'DateEquals',
  'DateGreaterThan',
  'DateGreaterThanEquals',
  'DateLessThan',
  'DateLessThanEquals',
  'DateNotEquals',
  'IpAddress',
  'NotIpAddress',
  'Null',
  'NumericEquals',
  'NumericGreaterThan',
  'NumericGreaterThanEquals',
  'NumericLessThan',
  'NumericLessThanEquals',
  'NumericNotEquals',
  'StringEquals',
  'StringEqualsIgnoreCase',
  'StringLike',
  'StringNotEquals',
  'StringNotEqualsIgnoreCase',
  'StringNotLike',
] as const

export type BaseOperator = (typeof baseOperators)[number]

export type OperatorName = {
  /** As written, for example `ForAnyValue:StringLikeIfExists`. */
  readonly text: string
  readonly quantifier: 'ForAllValues' | 'ForAnyValue' | undefined
  readonly base: BaseOperator
  readonly ifExists: boolean
}

/** Undefined for a name that is not spelled as AWS spells it; Null takes neither a set operator nor IfExists. */
export function parseOperator(text: string): OperatorName | undefined {
  const colon = text.indexOf(':')
  const prefix = colon < 0 ? undefined : text.slice(0, colon)
  if (prefix !== undefined && prefix !== 'ForAllValues' && prefix !== 'ForAnyValue') {
    return undefined
  }
  const rest = text.slice(colon + 1)
  const ifExists = rest.endsWith('IfExists')
  const name = ifExists ? rest.slice(0, -'IfExists'.length) : rest
  const base = baseOperators.find((known) => known === name)
  if (base === undefined) return undefined
  if (base === 'Null' && (ifExists || prefix !== undefined)) return undefined
  return { text, quantifier: prefix, base, ifExists }
}
