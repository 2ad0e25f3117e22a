import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { compileCondition } from '../conditions/atom.ts'
import { ConditionContext } from '../conditions/context.ts'
import { parseOperator } from '../conditions/operator-name.ts'
import { compileGlob, parseGlob } from '../glob.ts'
import type { Effect } from '../policy/document.ts'
import { arnPattern, type Membership, shortestText, textPattern } from './automaton.ts'
import { conditionsOf, type Demand, type KeyDomain, type KeyValue, solveKey } from './key-solver.ts'
import { conditionTerm } from './term.ts'

/** Every text of at most so many letters. */
function textsUpTo(length: number, letters: string): string[] {
  const texts = ['']
  let layer = ['']
  for (let i = 0; i < length; i++) {
    layer = layer.flatMap((text) => [...letters].map((letter) => text + letter))
    texts.push(...layer)
  }
  return texts
}

const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 4 })
const globs = fc.array(glob, { minLength: 1, maxLength: 2 })

describe('languages of patterns', () => {
  const all = textsUpTo(5, 'abx')

  test('have the shortest text that is in some and not in others, or none', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(globs, fc.boolean()), { minLength: 1, maxLength: 3 }),
        (wanted) => {
          const memberships = wanted.map(
            ([patterns, each]): Membership => ({
              language: {
                patterns: patterns.map((text) => textPattern(parseGlob(text))),
                folded: false,
              },
              wanted: each,
            }),
          )
          const tests = wanted.map(([patterns]) =>
            patterns.map((text) => compileGlob(parseGlob(text))),
          )
          const fits = (text: string) =>
            wanted.every(([, each], i) => tests[i]?.some((matches) => matches(text)) === each)
          const known = all.find(fits)
          const found = shortestText(memberships, 0)
          if (known === undefined) {
            if (typeof found !== 'string') assert.ok(fits(found.found) && found.found.length > 5)
            return
          }
          assert.ok(typeof found !== 'string', `${JSON.stringify(wanted)} has ${known}`)
          assert.ok(fits(found.found))
          assert.equal(found.found.length, known.length)
        },
      ),
      { numRuns: 2000 },
    )
  })

  const inside = (text: string, wanted = true): Membership => ({
    language: { patterns: [textPattern(parseGlob(text))], folded: false },
    wanted,
  })

  test('heed the parts of an ARN', () => {
    const arn = arnPattern(parseGlob('arn:aws:iam::*:role/*'))
    assert.ok(arn !== undefined)
    assert.equal(arnPattern(parseGlob('arn:*')), undefined)
    const language = { patterns: [arn], folded: false }
    const found = shortestText([{ language, wanted: true }], 0)
    assert.deepEqual(found, { found: 'arn:aws:iam:::role/' })
    const crossing = [{ language, wanted: true }, inside('arn:aws:iam::x:y:role/a')]
    assert.equal(shortestText(crossing, 0), 'none')
  })

  test('fold case, unusual letters included', () => {
    const folded: Membership = {
      language: { patterns: [textPattern(['k'])], folded: true },
      wanted: true,
    }
    const kelvin = shortestText([folded, inside('k', false), inside('K', false)], 0)
    assert.deepEqual(kelvin, { found: '\u212a' })
    const sigma = { language: { patterns: [textPattern(['σ'])], folded: true }, wanted: true }
    assert.equal(shortestText([sigma], 0), 'too-much')
  })

  test('are searched within bounds', () => {
    const hard = Array.from({ length: 12 }, (_, i) => inside(`*a${'?'.repeat(i)}`, i % 2 === 0))
    assert.equal(shortestText(hard, 0, 2000), 'too-much')
  })
})

const key = 'kms:EncryptionContext:k'
const folded = key.toLowerCase()

function demand(
  operator: string,
  values: readonly string[],
  effect: Effect,
  wanted: boolean,
): Demand {
  const at = { line: 1, column: 1, parent: undefined, step: '' }
  const parsed = parseOperator(operator)
  assert.ok(parsed !== undefined)
  const condition = { at, operator: parsed, key, values: values.map((text) => ({ at, text })) }
  const atom = compileCondition(condition, effect, '2012-10-17')
  const term = conditionTerm(atom, effect, {
    context: new ConditionContext([]),
    isOpen: () => true,
  })
  assert.ok(term?.condition !== undefined)
  return { term, condition: term.condition, wanted }
}

const bases: readonly (readonly [readonly string[], readonly string[]])[] = [
  [
    ['StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike'],
    ['a', 'b', 'ab', 'a*', '*', '?b', ''],
  ],
  [
    ['StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase'],
    ['a', 'B', 'Ab'],
  ],
  [
    ['NumericEquals', 'NumericNotEquals', 'NumericLessThan', 'NumericGreaterThanEquals'],
    ['1', '2', '2.5'],
  ],
  [
    ['DateEquals', 'DateLessThan', 'DateGreaterThan'],
    ['2026-01-01T00:00:00Z', '2026-01-02', '1767225600'],
  ],
  [
    ['IpAddress', 'NotIpAddress'],
    ['10.0.0.0/8', '10.0.0.1', '0.0.0.0/0', '2001:db8::/32'],
  ],
  [['Bool'], ['true', 'false']],
  [
    ['ArnLike', 'ArnNotEquals'],
    ['arn:aws:iam::1:user/*', 'arn:*:*:*:*:*'],
  ],
  [['BinaryEquals'], ['YQ==']],
]

const operators = bases.flatMap(([names, values]) =>
  names
    .flatMap((name) => [name, `${name}IfExists`])
    .flatMap((name) => [name, `ForAnyValue:${name}`, `ForAllValues:${name}`])
    .map((name) => [name, values] as const),
)

const demands = fc.array(
  fc
    .constantFrom(...operators, ['Null', ['true', 'false']] as const)
    .chain(([operator, values]) =>
      fc.tuple(
        fc.constant(operator),
        fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 }),
        fc.constantFrom<Effect>('Allow', 'Deny'),
        fc.boolean(),
      ),
    ),
  { minLength: 1, maxLength: 3 },
)

const singles = [
  ...[
    '',
    'a',
    'b',
    'ab',
    'aB',
    'AB',
    'A',
    'bb',
    'x',
    'true',
    'FALSE',
    '0',
    '1',
    '1.5',
    '2',
    '2.5',
    '3',
  ],
  ...['2025-12-31', '2026-01-01', '2026-01-01T12:00:00Z', '2026-01-02', '2026-01-03', '1767225600'],
  ...[
    '9.255.255.255',
    '10.0.0.1',
    '10.0.0.2',
    '11.0.0.0',
    '2001:db8::1',
    '2001:db9::',
    'YQ==',
    'Yg==',
  ],
  ...['arn:aws:iam::1:user/a', 'arn:aws:iam::1:role/a', 'arn:aws:iam::2'],
]
const pairs = singles.flatMap((first, i) => singles.slice(i + 1).map((second) => [first, second]))

/** What a key of that shape can be, of these texts. */
function* candidates(shape: KeyDomain['shape']): Generator<KeyValue> {
  yield { is: 'absent' }
  if (shape !== 'list') for (const value of singles) yield { is: 'single', value }
  if (shape === 'list') for (const value of singles) yield { is: 'list', values: [value] }
  if (shape === 'single') return
  for (const values of pairs) yield { is: shape, values }
}

describe('one condition key', () => {
  for (const shape of ['single', 'list', 'repeated'] as const) {
    test(`of shape ${shape}: what is found does, and what is not found is not there`, () => {
      const all = [...candidates(shape)]
      let [found, none, unknown] = [0, 0, 0]
      fc.assert(
        fc.property(demands, (wanted) => {
          const list = wanted.map(([operator, values, effect, holds]) =>
            demand(operator, values, effect, holds),
          )
          const does = (value: KeyValue) => {
            const context = () => new ConditionContext([conditionsOf(key, value)])
            return list.every((each) => each.term.evaluate(context()) === each.wanted)
          }
          const domain: KeyDomain = { presence: 'sometimes', shape, values: { is: 'text' } }
          const solution = solveKey(folded, list, domain)
          if (typeof solution !== 'string') {
            found++
            assert.ok(does(solution.value), JSON.stringify(solution.value))
          } else if (solution === 'none') {
            none++
            assert.deepEqual(all.find(does), undefined)
          } else unknown++
        }),
        { numRuns: 1500 },
      )
      assert.ok(found > 300 && none > 10, `${found} found, ${none} none`)
      assert.ok(unknown < (found + none) / 3, `${unknown} unknown of ${found + none}`)
    })
  }

  test('of whole numbers, of dates and of addresses is told exactly', () => {
    const solve = (values: KeyDomain['values'], list: readonly Demand[]) =>
      solveKey(folded, list, { presence: 'always', shape: 'single', values })
    const between = (low: string, high: string) => [
      demand('NumericGreaterThan', [low], 'Allow', true),
      demand('NumericLessThan', [high], 'Allow', true),
    ]
    const whole = { is: 'whole', min: 7, max: 30 } as const
    assert.deepEqual(solve(whole, between('9', '11')), { value: { is: 'single', value: '10' } })
    assert.equal(solve(whole, between('9', '10')), 'none')
    assert.equal(solve(whole, between('30', '99')), 'none')
    const outside = [
      demand('IpAddress', ['0.0.0.0/1', '128.0.0.0/1'], 'Allow', false),
      demand('IpAddress', ['::/0'], 'Allow', false),
    ]
    assert.equal(solve({ is: 'address' }, outside), 'none')
    assert.notEqual(solve({ is: 'address' }, outside.slice(0, 1)), 'none')
    const never = [
      demand('DateLessThan', ['2026-01-01'], 'Allow', true),
      demand('DateGreaterThan', ['2026-01-01'], 'Allow', true),
    ]
    assert.equal(solve({ is: 'date' }, never), 'none')
    assert.notEqual(solve({ is: 'date' }, never.slice(1)), 'none')
  })
})
