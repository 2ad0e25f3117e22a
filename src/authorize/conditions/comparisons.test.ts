// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables are written so.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ServiceError } from '../../base/errors.ts'
import { decide } from '../evaluate.ts'
import { compilePolicy } from '../policy/compile.ts'
import { home, keyArn, root, statement } from '../test-samples.ts'
import type { ConditionValues } from './context.ts'

/** Whether everyone is let in under one condition on `x:a`. */
/** Whether the call is allowed: by an Allow with that condition, or in spite of a Deny with it. */
function holds(
  operator: string,
  values: unknown,
  request: ConditionValues,
  Effect: 'Allow' | 'Deny' = 'Allow',
): boolean {
  const wanted = statement({ Effect, Condition: { [operator]: { 'x:a': values } } })
  const Statement = Effect === 'Allow' ? [wanted] : [statement(), wanted]
  const text = JSON.stringify({ Version: '2012-10-17', Statement })
  return decide({
    caller: root(home),
    permission: 'kms:Decrypt',
    resource: {
      type: 'key',
      arn: keyArn,
      account: home,
      policy: compilePolicy(text),
      crossAccount: true,
    },
    conditions: [request],
  }).allowed
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
describe('a comparison', () => {
  const cases: readonly (readonly [string, unknown, string | string[], boolean])[] = [
    ['StringNotEqualsIgnoreCase', '*', 'a', true],
    ['StringEqualsIgnoreCase', '*', 'a', false],
    ['StringEqualsIgnoreCase', '${aws:username}', 'aLICE', true],
    ['StringEqualsIgnoreCase', 'X-${aws:username}', 'x-alice', true],
    ['StringEqualsIgnoreCase', '${aws:username}', 'bob', false],
    ['ForAllValues:StringEquals', 'a', ['', 'x'], false],
    ['ForAllValues:StringEquals', 'a', ['', ''], true],
    ['NumericEquals', '1.25', '1.250', true],
    ['NumericEquals', '1.25', '1.2', false],
    ['DateEquals', '1709209815.25', '2024-02-29T12:30:15.25Z', true],
    ['BinaryEquals', 'QQ==', 'QQ==', true],
    ['BinaryEquals', 'QQ==', 'Qg==', false],
    // The last bits of this text stand for nothing: both say the byte 0x41.
    ['BinaryEquals', 'QQ==', 'QR==', true],
    ['ArnLike', 'arn:aws:*:*:*:*', 'arn:aws:s3:x', false],
    ['ArnLike', 'arn:aws:*:*:*:*', 'arn:aws:s3:::x', true],
    ['ArnLike', '*:aws:*:*:*:*', ':aws:s3:::x', true],
    ['ArnLike', 'arn:aws:x:r:1:a:b', 'arn:aws:x:r:1:a:b', true],
    ['ArnLike', 'arn:aws:x:r:1:a*:b', 'arn:aws:x:r:1:ac:b', true],
    ['ArnLike', 'arn:aws:x:r:1:a*:b', 'arn:aws:x:r:1:acb', false],
  ]
  for (const [operator, values, value, expected] of cases) {
    test(`${operator} ${values} on ${JSON.stringify(value)}`, () => {
      assert.equal(holds(operator, values, { 'x:a': value, 'aws:username': 'Alice' }), expected)
    })
  }
})

test('values and operators that are none', () => {
  for (const [operator, value] of [
    [':StringEquals', 'a'],
    ['BinaryEquals', '*AAA'],
    ['BinaryEquals', 'AAA*'],
    ['BinaryEquals', 'AAA'],
    ['Bool', '*'],
  ] as const) {
    assert.throws(
      () => holds(operator, value, {}),
      (error) => error instanceof ServiceError && error.code === 'malformed-policy',
      `${operator} ${value}`,
    )
  }
})

test('of many spellings of one key, every value counts', () => {
  const spellings = { 'x:a': 'one', 'X:a': 'two', 'x:A': 'three' }
  assert.equal(holds('StringEquals', ['one', 'two', 'three'], spellings), true)
  for (const missing of ['one', 'two', 'three']) {
    const others = ['one', 'two', 'three'].filter((value) => value !== missing)
    assert.equal(holds('StringEquals', others, spellings), false, missing)
  }
})

test('of two spellings with different values, neither widens an Allow nor evades a Deny, sets included', () => {
  const both = { 'x:a': 'theirs', 'X:A': 'mine' }
  const allows = (operator: string, values: readonly string[]) => holds(operator, values, both)
  assert.equal(allows('ForAnyValue:StringEquals', ['mine']), false)
  assert.equal(allows('ForAnyValue:StringEquals', ['mine', 'theirs']), true)
  assert.equal(allows('ForAllValues:StringNotEquals', ['mine']), false)
  assert.equal(allows('ForAllValues:StringEquals', ['mine']), false)
  assert.equal(allows('ForAllValues:StringEquals', ['mine', 'theirs']), true)
  const denies = (operator: string, values: readonly string[]) =>
    !holds(operator, values, both, 'Deny')
  assert.equal(denies('ForAnyValue:StringEquals', ['mine']), true)
  assert.equal(denies('ForAnyValue:StringEquals', ['other']), false)
  assert.equal(denies('ForAllValues:StringNotEquals', ['mine']), true)
  assert.equal(denies('ForAllValues:StringNotEquals', ['mine', 'theirs']), false)
})
