/** Every operator against every way in which a request can have the key, or not have it. */
import type { ConditionCase } from '../condition-case.ts'

type Operator = {
  readonly operator: string
  readonly negated: boolean
  /** Two values of a policy. */
  readonly policy: readonly [string, string]
  /**
   * A value that fits the first and not the second, one that fits the second and not the first, one that fits neither.
   */
  readonly first: string
  readonly second: string
  readonly other: string
}

const text = { policy: ['red', 'blue'], first: 'red', second: 'blue', other: 'green' } as const
const folded = { policy: ['Red', 'bLUE'], first: 'rED', second: 'Blue', other: 'green' } as const
const like = { policy: ['re*', '?lue'], first: 'red:/x', second: 'blue', other: 'green' } as const
const number = { policy: ['3', '7.5'], first: '3.0', second: '7.5', other: '5' } as const
const date = {
  policy: ['2026-01-02T00:00:00Z', '2026-03-01'],
  first: '1767312000',
  second: '2026-03-01T01:00:00+01:00',
  other: '2026-02-01T00:00:00Z',
} as const
const range = {
  policy: ['203.0.113.0/24', '2001:db8::/32'],
  first: '203.0.113.9',
  second: '2001:db8::1',
  other: '198.51.100.1',
} as const
const binary = { policy: ['AQID', 'BAUG'], first: 'AQID', second: 'BAUG', other: 'BwgJ' } as const
const arn = {
  policy: ['arn:aws:iam::111122223333:role/a*', 'arn:aws:iam::*:user/bob'],
  first: 'arn:aws:iam::111122223333:role/admin',
  second: 'arn:aws:iam::444455556666:user/bob',
  other: 'arn:aws:iam::111122223333:role/bob',
} as const

const positive = (operator: string, sample: Omit<Operator, 'operator' | 'negated'>): Operator => ({
  operator,
  negated: false,
  ...sample,
})
const negative = (operator: string, sample: Omit<Operator, 'operator' | 'negated'>): Operator => ({
  operator,
  negated: true,
  ...sample,
})

/** With one value of a policy each: the comparisons that are no equality. */
const below = { policy: ['3', '2'], first: '2.5', second: '1', other: '3.5' } as const
const above = { policy: ['3', '4'], first: '3.5', second: '5', other: '2.5' } as const
const earlier = {
  policy: ['2026-03-01T00:00:00Z', '2026-02-01T00:00:00Z'],
  first: '2026-02-20T00:00:00Z',
  second: '2026-01-01T00:00:00Z',
  other: '2026-03-02T00:00:00Z',
} as const
const later = {
  policy: ['2026-03-01T00:00:00Z', '2026-04-01T00:00:00Z'],
  first: '2026-03-02T00:00:00Z',
  second: '2026-05-01T00:00:00Z',
  other: '2026-02-20T00:00:00Z',
} as const
/** Only `true` and `false` there are: what fits neither is no truth value. */
const truth = { policy: ['true', 'false'], first: 'TRUE', second: 'False', other: 'maybe' } as const

const operators: readonly Operator[] = [
  positive('StringEquals', text),
  negative('StringNotEquals', text),
  positive('StringEqualsIgnoreCase', folded),
  negative('StringNotEqualsIgnoreCase', folded),
  positive('StringLike', like),
  negative('StringNotLike', like),
  positive('NumericEquals', number),
  negative('NumericNotEquals', number),
  positive('NumericLessThan', below),
  positive('NumericLessThanEquals', below),
  positive('NumericGreaterThan', above),
  positive('NumericGreaterThanEquals', above),
  positive('DateEquals', date),
  negative('DateNotEquals', date),
  positive('DateLessThan', earlier),
  positive('DateLessThanEquals', earlier),
  positive('DateGreaterThan', later),
  positive('DateGreaterThanEquals', later),
  positive('Bool', truth),
  positive('BinaryEquals', binary),
  positive('IpAddress', range),
  negative('NotIpAddress', range),
  positive('ArnEquals', arn),
  positive('ArnLike', arn),
  negative('ArnNotEquals', arn),
  negative('ArnNotLike', arn),
]

type Request =
  | 'first'
  | 'second'
  | 'other'
  | 'absent'
  | 'empty set'
  | 'empty text'
  | readonly Word[]
type Word = 'first' | 'second' | 'other'
type Row = readonly [
  rule: string,
  form: (operator: string) => string,
  policy: 'one' | 'two',
  Request,
  positive: boolean,
  negated: boolean,
]

const plain = (operator: string) => operator
const ifExists = (operator: string) => `${operator}IfExists`
const all = (operator: string) => `ForAllValues:${operator}`
const any = (operator: string) => `ForAnyValue:${operator}`
const allIfExists = (operator: string) => `ForAllValues:${operator}IfExists`
const anyIfExists = (operator: string) => `ForAnyValue:${operator}IfExists`

/** What holds, for an operator that compares and for one that turns the comparison round. */
const rows: readonly Row[] = [
  ['2.2 match', plain, 'one', 'first', true, false],
  ['2.2 no match', plain, 'one', 'other', false, true],
  ['2.2 missing key', plain, 'one', 'absent', false, true],
  ['2.1 OR of values', plain, 'two', 'second', true, false],
  ['2.1 OR of values', plain, 'two', 'other', false, true],
  ['2.1 several values without a set operator', plain, 'one', ['first', 'first'], false, false],
  ['2.1 several values without a set operator', plain, 'one', ['other', 'first'], false, false],
  ['2.2 IfExists match', ifExists, 'one', 'first', true, false],
  ['2.2 IfExists no match', ifExists, 'one', 'other', false, true],
  ['2.2 IfExists missing key', ifExists, 'one', 'absent', true, true],
  ['2.2 ForAllValues', all, 'two', ['first', 'second'], true, false],
  ['2.2 ForAllValues', all, 'two', ['first', 'other'], false, false],
  ['2.2 ForAllValues', all, 'two', ['other'], false, true],
  ['2.2 ForAllValues missing key', all, 'one', 'absent', true, true],
  ['2.2 ForAllValues empty set', all, 'one', 'empty set', true, true],
  ['2.2 ForAllValues empty string', all, 'one', 'empty text', true, true],
  ['2.2 ForAllValues IfExists missing key', allIfExists, 'one', 'absent', true, true],
  ['2.2 ForAllValues IfExists', allIfExists, 'one', ['first', 'other'], false, false],
  ['2.2 ForAnyValue', any, 'two', ['first', 'other'], true, true],
  ['2.2 ForAnyValue', any, 'two', ['first', 'second'], true, false],
  ['2.2 ForAnyValue', any, 'two', ['other'], false, true],
  ['2.2 ForAnyValue missing key', any, 'one', 'absent', false, false],
  ['2.2 ForAnyValue empty set', any, 'one', 'empty set', false, false],
  ['2.2 ForAnyValue IfExists missing key', anyIfExists, 'one', 'absent', true, true],
  ['2.2 ForAnyValue IfExists', anyIfExists, 'one', ['other'], false, true],
]

export const operatorMatrix: readonly ConditionCase[] = operators.flatMap((operator) =>
  rows.map(([rule, form, policy, request, whenPositive, whenNegated]): ConditionCase => {
    const [value, second] = operator.policy
    return {
      rule,
      operator: form(operator.operator),
      values: policy === 'one' ? value : [value, second],
      request: requestOf(operator, request),
      holds: operator.negated ? whenNegated : whenPositive,
    }
  }),
)

function requestOf(operator: Operator, request: Request): string | readonly string[] | undefined {
  if (typeof request !== 'string') return request.map((word) => operator[word])
  switch (request) {
    case 'absent':
      return undefined
    case 'empty set':
      return []
    case 'empty text':
      return ['']
    default:
      return operator[request]
  }
}
