import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyOne, anyRun, compileGlob, type Pattern, parseGlob } from './glob.ts'

const matches = (pattern: string, text: string) => compileGlob(parseGlob(pattern))(text)

/** The definition, by dynamic programming over all pairs of prefixes. */
function oracle(pattern: Pattern, text: string): boolean {
  const units = pattern.flatMap((piece): Pattern[number][] =>
    typeof piece === 'string' ? piece.split('') : [piece],
  )
  let row = Array.from({ length: text.length + 1 }, (_, length) => length === 0)
  for (const unit of units) {
    const next = [unit === anyRun && row[0] === true]
    for (let i = 1; i <= text.length; i++) {
      next[i] =
        unit === anyRun
          ? row[i] === true || next[i - 1] === true
          : row[i - 1] === true && (unit === anyOne || unit === text[i - 1])
    }
    row = next
  }
  return row[text.length] === true
}

test('wildcards', () => {
  const cases: [pattern: string, text: string, expected: boolean][] = [
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['*', 'a:/b', true],
    ['**', 'a', true],
    ['?', '', false],
    ['?', 'a', true],
    ['?', 'ab', false],
    ['a', 'a', true],
    ['a', 'A', false],
    ['kms:*', 'kms:decrypt', true],
    ['kms:*', 'kms:', true],
    ['kms:*', 'iam:decrypt', false],
    ['*a', 'ba', true],
    ['*a', 'ab', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['ab*ba', 'aba', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['*?*', '', false],
    ['*?b*', 'ab', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*a.c*', 'abc', false],
    ['[ab]', 'a', false],
  ]
  for (const [pattern, text, expected] of cases) {
    assert.equal(matches(pattern, text), expected, `${pattern} on ${text}`)
  }
})

test('text put into a pattern stays literal', () => {
  const glob = compileGlob(['team-', '*', '?', anyRun])
  assert.equal(glob('team-*?/x'), true)
  assert.equal(glob('team-ab/x'), false)
})

test('agrees with the definition, for short and for long text', () => {
  const unit = fc.constantFrom('a', 'b', '鍵', anyRun, anyOne)
  const letter = fc.constantFrom('a', 'b', '鍵')
  const pattern = fc.array(unit, { maxLength: 12 })
  const long = fc
    .tuple(fc.array(letter, { minLength: 20, maxLength: 90 }), fc.array(unit, { maxLength: 4 }))
    .map(([piece, tail]): Pattern => [anyRun, ...piece, anyOne, ...tail, anyRun, 'b'])
  fc.assert(
    fc.property(pattern, fc.array(letter, { maxLength: 14 }), (units, letters) => {
      const text = letters.join('')
      assert.equal(compileGlob(units)(text), oracle(units, text))
    }),
    { numRuns: 3000 },
  )
  fc.assert(
    fc.property(fc.oneof(long, pattern), fc.nat(300), fc.boolean(), (units, pad, hit) => {
      const own = units
        .map((piece) => (piece === anyRun ? 'ab' : piece === anyOne ? 'b' : piece))
        .join('')
      const text = `${'ab'.repeat(pad)}${hit ? own : own.slice(1)}${'a'.repeat(200)}b`
      assert.equal(compileGlob(units)(text), oracle(units, text))
    }),
    { numRuns: 300 },
  )
})

test('hostile patterns do not backtrack', () => {
  const text = 'a'.repeat(8000)
  const hostile = [
    `${'a*'.repeat(4000)}b`,
    `*${'a'.repeat(4000)}b*`,
    `*${'a?'.repeat(2000)}b*`,
    `*${'?'.repeat(3000)}b*`,
    `${'*a'.repeat(2000)}*${'?a'.repeat(2000)}b`,
  ]
  const start = process.hrtime.bigint()
  for (const pattern of hostile) assert.equal(matches(pattern, text), false)
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  assert.ok(seconds < 2, `took ${seconds} s; a quadratic search takes minutes`)
})
