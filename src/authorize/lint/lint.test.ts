// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables are written so.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { PolicyKind } from '../policy/document.ts'
import { lintPolicy } from './lint.ts'

const account = '111122223333'
const allowed = {
  Effect: 'Allow',
  Principal: { AWS: `arn:aws:iam::${account}:root` },
  Action: 'kms:Decrypt',
  Resource: '*',
}

function policy(statement: object, Version = '2012-10-17'): string {
  return JSON.stringify({ Version, Statement: [{ ...allowed, ...statement }] })
}

function checksOf(text: string, kind: PolicyKind = 'key'): readonly string[] {
  return lintPolicy(text, kind).map(({ severity, check }) => `${severity} ${check}`)
}

function conditionOf(operator: string, key: string, value: unknown = 'x'): object {
  return { Condition: { [operator]: { [key]: value } } }
}

describe('the linter', () => {
  test('finds nothing in a policy that says what it means', () => {
    assert.deepEqual(checksOf(policy({})), [])
    assert.deepEqual(
      checksOf(policy(conditionOf('StringEquals', 'kms:EncryptionContext:team', 'payments'))),
      [],
    )
  })

  const cases: readonly (readonly [name: string, statement: object, finding: string])[] = [
    [
      'an operator that does not exist',
      conditionOf('StringMatches', 'aws:userid'),
      'error not-accepted',
    ],
    ['IfExists with Null', conditionOf('NullIfExists', 'aws:userid', 'true'), 'error not-accepted'],
    [
      'a variable without its brace',
      conditionOf('StringEquals', 'aws:userid', '${aws:userid'),
      'error not-accepted',
    ],
    [
      'a default without its quote',
      conditionOf('StringEquals', 'aws:userid', "${aws:userid, 'x}"),
      'error not-accepted',
    ],
    [
      'a principal of no valid form',
      { Principal: { AWS: 'arn:aws:iam::1:root' } },
      'error not-accepted',
    ],
    [
      'a number compared with a text',
      conditionOf('NumericEquals', 'kms:KeySpec', '1'),
      'error data-type-mismatch',
    ],
    [
      'an address compared as text',
      conditionOf('StringEquals', 'aws:SourceIp', '10.0.0.1'),
      'error data-type-mismatch',
    ],
    [
      'a key that no request brings',
      conditionOf('StringEquals', 'kms:Colour'),
      'error unknown-condition-key',
    ],
    [
      'a variable where none is taken',
      conditionOf('NumericEquals', 'kms:RotationPeriodInDays', '1'),
      '',
    ],
    [
      'ForAllValues on a single-valued key',
      conditionOf('ForAllValues:StringEquals', 'kms:KeySpec'),
      'security for-all-values-of-single-valued-key',
    ],
    [
      'ForAllValues, which matches requests without the key',
      conditionOf('ForAllValues:StringEquals', 'kms:GrantOperations', 'Decrypt'),
      'warning for-all-values-matches-none',
    ],
    [
      'a list compared without a set operator',
      conditionOf('StringEquals', 'kms:EncryptionContextKeys'),
      'error missing-set-operator',
    ],
    [
      'ForAnyValue with IfExists',
      conditionOf('ForAnyValue:StringEqualsIfExists', 'aws:TagKeys'),
      'warning for-any-value-if-exists',
    ],
    [
      'a wildcard that is none',
      conditionOf('StringEquals', 'aws:userid', 'AIDA*'),
      'warning wildcard-without-like',
    ],
    ['a statement without Action', { Action: undefined }, 'error inert-statement'],
    ['a statement without Resource', { Resource: [] }, 'error inert-statement'],
    ['an action that does not exist', { Action: 'kms:Decript' }, 'error unknown-action'],
    ['a pattern of actions that matches none', { Action: 'kms:X*' }, 'error unknown-action'],
    [
      'administration that includes making grants',
      { Action: 'kms:Create*' },
      'security control-by-wildcard',
    ],
    [
      'administration that includes the key policy',
      { Action: 'kms:Put*' },
      'security control-by-wildcard',
    ],
    ['everyone', { Principal: '*' }, 'security open-to-everyone'],
    [
      'Allow with NotPrincipal',
      { Principal: undefined, NotPrincipal: { AWS: account } },
      'security allow-not-principal',
    ],
    [
      'Deny with NotPrincipal',
      { Effect: 'Deny', Principal: undefined, NotPrincipal: { AWS: account } },
      'warning deny-not-principal',
    ],
    [
      'an action that another covers',
      { Action: ['kms:Decrypt', 'kms:D*'] },
      'suggestion redundant-action',
    ],
    [
      'the same action twice',
      { Action: ['kms:Decrypt', 'KMS:decrypt'] },
      'suggestion redundant-action',
    ],
    [
      'a resource that another covers',
      { Resource: ['*', 'arn:aws:kms:us-east-1:111122223333:key/k'] },
      'suggestion redundant-resource',
    ],
  ]
  for (const [name, statement, finding] of cases) {
    test(`finds ${name}`, () => {
      assert.deepEqual(checksOf(policy(statement)), finding === '' ? [] : [finding])
    })
  }

  test('spares everyone who is narrowed by a condition', () => {
    const narrowed = {
      Principal: '*',
      ...conditionOf('StringEquals', 'kms:CallerAccount', account),
    }
    assert.deepEqual(checksOf(policy(narrowed)), [])
  })

  test('finds variables in a document that has none', () => {
    const statement = conditionOf('StringEquals', 'aws:userid', '${aws:username}')
    assert.deepEqual(checksOf(policy(statement, '2008-10-17')), ['error variable-in-2008-document'])
  })

  test('finds a statement that says the same as another', () => {
    const statements = [allowed, { ...allowed, Sid: 'Again' }]
    const text = JSON.stringify({ Version: '2012-10-17', Statement: statements })
    const [finding, ...more] = lintPolicy(text, 'key')
    assert.deepEqual(more, [])
    assert.equal(finding?.check, 'redundant-statement')
    assert.equal(finding?.path, 'Statement[1]')
  })

  test('says where: line, column and path', () => {
    const text = `{
  "Version": "2012-10-17",
  "Statement": {
    "Effect": "Allow", "Principal": {"AWS": "111122223333"},
    "Action": ["kms:Encrypt",
               "kms:Nothing"], "Resource": "*"
  }
}`
    const [finding] = lintPolicy(text, 'key')
    assert.deepEqual(finding, {
      severity: 'error',
      check: 'unknown-action',
      line: 6,
      column: 16,
      path: 'Statement.Action[1]',
      sentence: 'there is no permission that kms:Nothing stands for.',
    })
  })

  test('reports what cannot be read at all as the one finding, with its place', () => {
    const [finding, ...more] = lintPolicy(
      '{"Version": "2012-10-17", "Version": "2012-10-17"}',
      'key',
    )
    assert.deepEqual(more, [])
    assert.deepEqual(
      [finding?.severity, finding?.check, finding?.line],
      ['error', 'not-accepted', 1],
    )
  })

  test('reads identity policies by their own rules', () => {
    const text = JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: ['s3:GetObject', 'kms:Decrypt'], Resource: '*' },
    })
    assert.deepEqual(checksOf(text, 'identity'), [])
    assert.deepEqual(checksOf(policy({}), 'identity'), ['error not-accepted'])
  })
})
