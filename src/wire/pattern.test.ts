import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compilePattern } from './pattern.ts'

/** Patterns of KMS and CloudTrail as their models have them. */
const ofAws = [
  '^[a-zA-Z0-9:/_-]+$',
  '^[\\w+=,.@:/-]+$',
  '^([A-Za-z0-9\\-]+)\\.([A-Za-z0-9\\-]+)(\\.[A-Za-z0-9\\-]+)+$',
  '^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$',
  '^([a-z]+-){2,3}\\d+$',
  '[\\w]+',
  '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+',
  '[\\u0020-\\u00FF]*',
  '^[a-f0-9]+$',
  '^(/[a-zA-Z0-9\\/_-]+/kms/xks/v\\d{1,2})$|^(/kms/xks/v\\d{1,2})$',
  '^[a-zA-Z0-9\\/+=]+$',
  '^(com|eu)\\.amazonaws\\.vpce\\.([a-z]+-){2,3}\\d+\\.vpce-svc-[0-9a-z]+$',
  '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*',
]

for (const source of ofAws) {
  test(`compiles ${source}, which stays fast`, () => {
    const compiled = compilePattern(source)
    const started = performance.now()
    for (const unit of ['a', 'a-', 'a.', '/a', '-', '.'])
      compiled.test(`${unit.repeat(4000)}\u0001`)
    assert.ok(performance.now() - started < 1000)
  })
}

for (const source of [
  '(a+)+',
  '(a*)*b',
  '([a-z]+)*',
  '(a|a)*',
  '(?:a+){2,}',
  '((a+)b?)+',
  '(a)\\1',
  '(?=a+)a',
  '(?<!a)b',
  '([a-z-]+-)+',
  '(-+a-)+',
  '(.+-)+',
  '(-|a+)*',
]) {
  test(`refuses ${source}`, () => assert.throws(() => compilePattern(source), /exponential/))
}

test('a pattern matches the whole value', () => {
  assert.equal(compilePattern('[\\w]+').test('default'), true)
  assert.equal(compilePattern('[\\w]+').test('two words'), false)
  assert.equal(compilePattern('a|b').test('ab'), false)
  assert.equal(compilePattern('[\\w]+').test('line\n'), false)
})
