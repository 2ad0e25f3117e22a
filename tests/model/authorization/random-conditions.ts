// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables are written so.
import type { Seeded } from '../../support/seeded.ts'
import type { Values } from './naive-values.ts'

/** One condition key: which operators suit it, what policies ask of it, what requests say of it. */
type Key = {
  readonly names: readonly string[]
  readonly operators: readonly string[]
  readonly policy: readonly string[]
  readonly request: readonly string[]
  /** Requests bring a list. */
  readonly several?: true
}

const texts = [
  ...['StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike'],
  ...['StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase'],
]
const order = [
  'Equals',
  'NotEquals',
  'LessThan',
  'LessThanEquals',
  'GreaterThan',
  'GreaterThanEquals',
]

const keys: readonly Key[] = [
  {
    names: ['kms:EncryptionContext:dept', 'kms:EncryptionContext:Dept'],
    operators: texts,
    policy: ['it', 'IT', 'i*', '?t', '*', '', '${aws:PrincipalTag/key}', 'x${*}', '${$}'],
    request: ['it', 'IT', 'in', '*', 'x*', 'x1', '$', 'k1', ''],
  },
  {
    names: ['kms:EncryptionContextKeys'],
    operators: texts,
    policy: ['dept', 'Dept', 'd*', 'a', 'b'],
    request: ['dept', 'Dept', 'a', 'b', ''],
    several: true,
  },
  {
    names: ['aws:PrincipalTag/key'],
    operators: texts,
    policy: ['k1', 'k*', '${aws:username}'],
    request: ['k1', 'k2', '*', 'ann'],
  },
  {
    names: ['aws:username'],
    operators: texts,
    policy: ['ann', 'A*', "${aws:PrincipalTag/key, 'ann'}"],
    request: ['ann', 'bob'],
  },
  {
    names: ['kms:RotationPeriodInDays', 'KMS:rotationperiodindays'],
    operators: order.map((name) => `Numeric${name}`),
    policy: ['90', '365.5', '365', '-1'],
    request: ['90', '91', '365', '365.5', 'many'],
  },
  {
    names: ['aws:CurrentTime'],
    operators: order.map((name) => `Date${name}`),
    policy: ['2026-01-01T00:00:00Z', '2026-06-01', '1767225600'],
    request: ['2026-01-01T00:00:00Z', '2026-02-03T04:05:06Z', '2027-01-01T00:00:00Z', 'soon'],
  },
  {
    names: ['aws:SourceIp'],
    operators: ['IpAddress', 'NotIpAddress'],
    policy: ['10.0.0.0/8', '10.1.2.3', '2001:db8::/32', '0.0.0.0/0', '::1'],
    request: ['10.1.2.3', '192.0.2.1', '2001:db8::5', '::1', 'nowhere'],
  },
  {
    names: ['aws:MultiFactorAuthPresent'],
    operators: ['Bool'],
    policy: ['true', 'false', 'True'],
    request: ['true', 'false', 'TRUE'],
  },
  {
    names: ['aws:SourceArn'],
    operators: ['ArnEquals', 'ArnNotEquals', 'ArnLike', 'ArnNotLike'],
    policy: [
      ...['arn:aws:s3:::b*', 'arn:aws:*:::bucket', 'arn:aws:s3:::a:b', 'arn:*:*:*:*:*'],
      ...['arn:aws:s3:::${aws:username}', 'arn:aws:sns:*:1111?:t'],
    ],
    request: [
      'arn:aws:s3:::bucket',
      'arn:aws:s3:::a:b',
      'arn:aws:sns:eu:11112:t',
      'no-arn',
      'arn:aws:s3:::ann',
    ],
  },
  {
    names: ['test:Digest'],
    operators: ['BinaryEquals'],
    policy: ['AAEC', ''],
    request: ['AAEC', 'AAED', '', 'not base64'],
  },
]

/** One to three operators, each with one or two keys that suit it. */
export function randomCondition(chance: Seeded): Record<string, Record<string, unknown>> {
  const block: Record<string, Record<string, unknown>> = {}
  for (let left = chance.between(1, 4); left > 0; left--) {
    const key = chance.pick(keys)
    const operator = operatorFor(chance, key)
    const keysOfOperator = block[operator] ?? {}
    block[operator] = keysOfOperator
    keysOfOperator[chance.pick(key.names)] =
      operator === 'Null' ? chance.pick(['true', 'false', true]) : wanted(chance, key)
  }
  return block
}

function operatorFor(chance: Seeded, key: Key): string {
  if (chance.chance(0.1)) return 'Null'
  const prefix = key.several
    ? chance.pick(['ForAllValues:', 'ForAnyValue:', ''])
    : chance.pick(['', '', '', '', 'ForAllValues:', 'ForAnyValue:'])
  return `${prefix}${chance.pick(key.operators)}${chance.chance(0.2) ? 'IfExists' : ''}`
}

function wanted(chance: Seeded, key: Key): unknown {
  if (chance.chance(0.6)) return chance.pick(key.policy)
  return Array.from({ length: chance.between(1, 4) }, () => chance.pick(key.policy))
}

/** What the request says: some keys, in some spelling, now and then one of them twice. */
export function randomValues(chance: Seeded): Values {
  return keys.flatMap((key): Values => {
    if (chance.chance(0.35)) return []
    const name = chance.pick(key.names)
    if (key.several) {
      const count = chance.between(0, 4)
      return [[name, Array.from({ length: count }, () => chance.pick(key.request))]]
    }
    const value = chance.pick(key.request)
    if (key.names.length === 1 || chance.chance(0.8)) return [[name, value]]
    return key.names.map((each) => [each, chance.pick(key.request)] as const)
  })
}
