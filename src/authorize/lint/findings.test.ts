// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables are written so.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-kms'
import type { PolicyKind } from '../policy/document.ts'
import { lintPolicy } from './lint.ts'
import { kmsPermissions } from './permissions.ts'

const root = { AWS: 'arn:aws:iam::111122223333:root' }
const plain = { Effect: 'Allow', Principal: root, Action: 'kms:Decrypt', Resource: '*' }

/** Each finding whole, but for the place in the text. */
function findingsOf(
  statement: object | readonly object[],
  kind: PolicyKind = 'key',
  Version = '2012-10-17',
): readonly string[] {
  const Statement = [statement].flat().map((each) => ({ ...plain, ...each }))
  return lintPolicy(JSON.stringify({ Version, Statement }), kind).map(
    ({ severity, check, path, sentence }) => `${severity} ${check} ${path}: ${sentence}`,
  )
}

const condition = (operator: string, key: string, value: unknown) => ({
  Condition: { [operator]: { [key]: value } },
})
const at = (operator: string, key: string) => `Statement[0].Condition.${operator}.${key}`

type Fit = readonly [key: string, value: string, fitting: readonly string[]]

const texts = ['StringEquals', 'StringLike', 'StringNotEqualsIgnoreCase']
const fits: readonly Fit[] = [
  ['kms:KeySpec', 'RSA_2048', texts],
  ['aws:PrincipalArn', root.AWS, [...texts, 'ArnLike', 'ArnNotEquals']],
  ['aws:SecureTransport', 'true', [...texts, 'Bool']],
  ['aws:CurrentTime', '2026-01-01T00:00:00Z', ['DateLessThan', 'DateNotEquals']],
  ['kms:RotationPeriodInDays', '90', ['NumericEquals', 'NumericGreaterThan']],
  ['aws:SourceIp', '10.0.0.0/8', ['IpAddress', 'NotIpAddress']],
]
/** One value that each operator takes, so that only its fit with the key is left to find. */
const operators: Readonly<Record<string, string>> = {
  StringEquals: 'a',
  StringLike: 'a',
  StringNotEqualsIgnoreCase: 'a',
  ArnLike: root.AWS,
  ArnNotEquals: root.AWS,
  Bool: 'true',
  DateLessThan: '2026-01-01T00:00:00Z',
  DateNotEquals: '2026-01-01T00:00:00Z',
  NumericEquals: '90',
  NumericGreaterThan: '90',
  IpAddress: '10.0.0.0/8',
  NotIpAddress: '10.0.0.0/8',
}
const typeOf: Readonly<Record<string, string>> = {
  'kms:KeySpec': 'String',
  'aws:PrincipalArn': 'Arn',
  'aws:SecureTransport': 'Bool',
  'aws:CurrentTime': 'Date',
  'kms:RotationPeriodInDays': 'Numeric',
  'aws:SourceIp': 'IpAddress',
}

test('each operator against a key of each type', () => {
  for (const [key, , fitting] of fits) {
    for (const [operator, value] of Object.entries(operators)) {
      const sentence = `${key} is of type ${typeOf[key]}: ${operator} compares it with nothing, or as text.`
      const expected = `error data-type-mismatch ${at(operator, key)}: ${sentence}`
      assert.deepEqual(
        findingsOf(condition(operator, key, value)),
        fitting.includes(operator) ? [] : [expected],
        `${operator} ${key}`,
      )
    }
    assert.deepEqual(findingsOf(condition('Null', key, 'true')), [])
  }
})

const variable = '${aws:PrincipalTag/team}'

test('sets of values', () => {
  const key = 'kms:EncryptionContextKeys'
  assert.deepEqual(findingsOf(condition('StringEquals', key, 'a')), [
    `error missing-set-operator ${at('StringEquals', key)}: ${key} has several values: without ForAllValues or ForAnyValue it matches nothing.`,
  ])
  assert.deepEqual(findingsOf(condition('Null', key, 'false')), [])
  assert.deepEqual(findingsOf(condition('ForAnyValue:StringEquals', key, 'a')), [])
  assert.deepEqual(findingsOf(condition('ForAllValues:StringEquals', key, 'a')), [
    `warning for-all-values-matches-none ${at('ForAllValues:StringEquals', key)}: ForAllValues also matches every request without ${key}; add "Null": {"${key}": "false"} if one is needed.`,
  ])
  assert.deepEqual(findingsOf(condition('ForAnyValue:StringEqualsIfExists', key, 'a')), [
    `warning for-any-value-if-exists ${at('ForAnyValue:StringEqualsIfExists', key)}: ForAnyValue with IfExists holds for requests without ${key}.`,
  ])
  assert.deepEqual(findingsOf(condition('StringEqualsIfExists', 'kms:KeySpec', 'a')), [])
  assert.deepEqual(findingsOf(condition('ForAllValues:StringEquals', 'kms:KeySpec', 'a')), [
    `security for-all-values-of-single-valued-key ${at('ForAllValues:StringEquals', 'kms:KeySpec')}: kms:KeySpec has one value: ForAllValues also matches every request without it.`,
  ])
})

test('unknown keys are those of prefixes of which all are known', () => {
  assert.deepEqual(findingsOf(condition('StringEquals', 'KMS:Colour', 'a')), [
    `error unknown-condition-key ${at('StringEquals', 'KMS:Colour')}: no request brings the condition key KMS:Colour.`,
  ])
  assert.deepEqual(findingsOf(condition('StringEquals', 'team/kms:Colour', 'a')), [])
})

test('variables and wildcards in values', () => {
  const value = (operator: string, key: string) => at(operator, key)
  assert.deepEqual(findingsOf(condition('StringEquals', 'aws:userid', variable)), [])
  assert.deepEqual(
    findingsOf(condition('StringEquals', 'aws:userid', 'plain'), 'key', '2008-10-17'),
    [],
  )
  assert.deepEqual(
    findingsOf(condition('StringLike', 'aws:userid', variable), 'key', '2008-10-17'),
    [
      `error variable-in-2008-document ${value('StringLike', 'aws:userid')}: a policy variable is plain text in a document without "Version": "2012-10-17".`,
    ],
  )
  for (const [operator, like] of [
    ['StringEquals', 'StringLike'],
    ['StringEqualsIgnoreCase', 'StringLike'],
    ['StringNotEquals', 'StringNotLike'],
    ['StringNotEqualsIgnoreCase', 'StringNotLike'],
  ] as const) {
    for (const text of ['a*', 'a?']) {
      assert.deepEqual(findingsOf(condition(operator, 'aws:userid', text)), [
        `warning wildcard-without-like ${value(operator, 'aws:userid')}: ${operator} takes "*" and "?" literally; ${like} takes them as wildcards.`,
      ])
    }
    assert.deepEqual(findingsOf(condition(operator, 'aws:userid', '${*}-${?}')), [])
  }
  assert.deepEqual(findingsOf(condition('StringLike', 'aws:userid', 'a*')), [])
  assert.deepEqual(findingsOf(condition('StringNotLike', 'aws:userid', 'a?')), [])
  assert.deepEqual(
    findingsOf(condition('ArnEquals', 'aws:PrincipalArn', 'arn:aws:iam::*:role/a')),
    [],
  )
})

test('statements without effect', () => {
  const sentence = (what: string) =>
    `error inert-statement Statement[0]: without ${what} the statement has no effect; KMS accepts it all the same.`
  assert.deepEqual(findingsOf({ Action: undefined }), [sentence('Action')])
  assert.deepEqual(findingsOf({ Resource: undefined }), [sentence('Resource')])
  assert.deepEqual(findingsOf({ Action: undefined, Resource: undefined }), [sentence('Action')])
  assert.deepEqual(findingsOf({ Principal: undefined }, 'identity'), [])
})

test('who is let in', () => {
  const inverted = { Principal: undefined, NotPrincipal: root }
  assert.deepEqual(findingsOf(inverted), [
    'security allow-not-principal Statement[0]: Allow with NotPrincipal lets in everybody else, of every account.',
  ])
  assert.deepEqual(findingsOf({ ...inverted, Effect: 'Deny' }), [
    'warning deny-not-principal Statement[0]: Deny with NotPrincipal spares a role session only if account, role and session are all listed, and never a principal with a permissions boundary; aws:PrincipalArn in a condition says it better.',
  ])
  const open = (path: string) =>
    `security open-to-everyone ${path}: every principal of every account is let in; a condition such as kms:CallerAccount would say which.`
  assert.deepEqual(findingsOf({ Principal: '*' }), [open('Statement[0].Principal')])
  assert.deepEqual(findingsOf({ Principal: { AWS: [root.AWS, '*'] } }), [
    open('Statement[0].Principal.AWS[1]'),
  ])
  assert.deepEqual(findingsOf({ Principal: '*', Effect: 'Deny' }), [])
  assert.deepEqual(findingsOf({ Principal: '*' }, 'resource-control'), [])
  assert.deepEqual(
    findingsOf({ Principal: '*', Resource: '*', Action: 's3:GetObject' }, 'bucket'),
    [open('Statement[0].Principal')],
  )
  for (const key of [
    'kms:CallerAccount',
    'aws:PrincipalOrgID',
    'aws:SourceAccount',
    'aws:userid',
  ]) {
    assert.deepEqual(findingsOf({ Principal: '*', ...condition('StringEquals', key, 'a') }), [])
  }
  const elsewhere = condition('StringEquals', 'aws:PrincipalType', 'User')
  assert.deepEqual(findingsOf({ Principal: '*', ...elsewhere }), [open('Statement[0].Principal')])
})

test('actions', () => {
  assert.deepEqual(findingsOf({ Action: ['kms:Decypt', 'iam:Decypt'] }), [
    'error unknown-action Statement[0].Action[0]: there is no permission that kms:Decypt stands for.',
  ])
  const control = (pattern: string, names: string) =>
    `security control-by-wildcard Statement[0].Action: ${pattern} includes ${names}, by which its holder can make itself a user of the key.`
  assert.deepEqual(findingsOf({ Action: 'kms:Put*' }), [control('kms:Put*', 'kms:PutKeyPolicy')])
  assert.deepEqual(findingsOf({ Action: 'kms:Create?rant' }), [
    control('kms:Create?rant', 'kms:CreateGrant'),
  ])
  assert.deepEqual(findingsOf({ Action: 'kms:*e*' }), [
    control(
      'kms:*e*',
      'kms:CreateGrant and kms:PutKeyPolicy and kms:ReplicateKey and kms:ImportKeyMaterial',
    ),
  ])
  for (const Action of ['*', 'kms:*', 'KMS:*', 'kms:PutKeyPolicy', 'kms:Describe*']) {
    assert.deepEqual(findingsOf({ Action }), [])
  }
  assert.deepEqual(findingsOf({ Action: 'kms:Put*', Effect: 'Deny' }), [])
  assert.deepEqual(findingsOf({ Action: undefined, NotAction: 'kms:Put*' }), [])
  const narrowed = condition('StringEquals', 'kms:CallerAccount', 'a')
  assert.deepEqual(findingsOf({ Action: 'kms:Put*', ...narrowed }), [])
})

test('patterns that others cover', () => {
  const action = (index: number, text: string, by: string) =>
    `suggestion redundant-action Statement[0].Action[${index}]: ${text} is covered by ${by}.`
  const resource = (index: number, text: string, by: string) =>
    `suggestion redundant-resource Statement[0].Resource[${index}]: ${text} is covered by ${by}.`
  const actions = (...Action: string[]) => findingsOf({ Action })
  const resources = (...Resource: string[]) => findingsOf({ Resource })
  assert.deepEqual(actions('kms:Decrypt', 'kms:*'), [action(0, 'kms:Decrypt', 'kms:*')])
  assert.deepEqual(actions('kms:*', 'kms:Decrypt'), [action(1, 'kms:Decrypt', 'kms:*')])
  assert.deepEqual(actions('kms:Decrypt', 'KMS:decrypt'), [action(1, 'KMS:decrypt', 'kms:Decrypt')])
  assert.deepEqual(actions('kms:Describe*', 'kms:D*'), [action(0, 'kms:Describe*', 'kms:D*')])
  assert.deepEqual(actions('kms:Decrypt', 'kms:Encrypt'), [])
  assert.deepEqual(actions('kms:Decrypt', 'kms:*Rotation'), [])
  // What begins alike may end otherwise.
  assert.deepEqual(actions('kms:Disable*', 'kms:*Rotation'), [])
  assert.deepEqual(actions('kms:D?crypt', 'kms:*'), [])
  assert.deepEqual(resources('arn:aws:kms:us-east-1:1:key/a', 'arn:aws:kms:us-east-1:1:KEY/A'), [])
  assert.deepEqual(resources('arn:aws:kms:*:1:key/a', '*'), [])
  assert.deepEqual(resources('arn:aws:kms:us-east-1:1:key/a', '*'), [
    resource(0, 'arn:aws:kms:us-east-1:1:key/a', '*'),
  ])
  assert.deepEqual(
    resources('arn:aws:kms:us-east-1:1:key/x', `arn:aws:kms:us-east-1:1:key/${variable}*`),
    [],
  )
  assert.deepEqual(resources(`arn:aws:kms:us-east-1:1:key/${variable}`, '*'), [])
})

test('statements that say the same', () => {
  const same = (index: number) =>
    `suggestion redundant-statement Statement[${index}]: another statement says the same.`
  assert.deepEqual(findingsOf([{ Sid: 'a' }, { Sid: 'b' }, { Sid: 'c' }]), [same(1), same(2)])
  const both = ['kms:Encrypt', 'kms:Decrypt']
  assert.deepEqual(findingsOf([{ Action: both }, { Action: both.toReversed() }]), [same(1)])
  assert.deepEqual(findingsOf([{}, { Effect: 'Deny' }]), [])
  assert.deepEqual(findingsOf([{}, { Principal: { AWS: '444455556666' } }]), [])
  assert.deepEqual(findingsOf([{}, { Resource: 'arn:aws:kms:us-east-1:1:key/a' }]), [])
  const one = condition('StringEquals', 'aws:userid', 'a')
  assert.deepEqual(findingsOf([one, one]), [same(1)])
  assert.deepEqual(findingsOf([one, condition('StringEquals', 'aws:userid', 'b')]), [])
  assert.deepEqual(findingsOf([one, condition('StringEquals', 'aws:username', 'a')]), [])
  assert.deepEqual(findingsOf([one, condition('StringLike', 'aws:userid', 'a')]), [])
})

test('findings come in the order of the text, with their places', () => {
  const text = `{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Principal": "*", "Resource": "*",
      "Condition": {"NumericEquals": {"kms:KeySpec": "1"}},
      "Action": ["kms:Nothing", "kms:Nowhere"]}
  ]
}`
  assert.deepEqual(
    lintPolicy(text, 'key').map(({ line, column, check }) => [line, column, check]),
    [
      [4, 38, 'open-to-everyone'],
      [5, 54, 'data-type-mismatch'],
      [6, 18, 'unknown-action'],
      [6, 33, 'unknown-action'],
    ],
  )
})

test('what cannot be read is one finding, at its place', () => {
  assert.deepEqual(lintPolicy('{"Version":\n "2012-10-17", "Statement": []}', 'key'), [
    {
      ...{ severity: 'error', check: 'not-accepted', line: 2, column: 29, path: 'Statement' },
      sentence: 'at least one statement is needed.',
    },
  ])
  const [long, ...more] = lintPolicy(' '.repeat(40_000), 'key')
  assert.deepEqual(more, [])
  assert.deepEqual([long?.check, long?.line, long?.column, long?.path], ['not-accepted', 1, 1, ''])
  assert.match(long?.sentence ?? '', /32768|policy/i)
})

test('the permissions are those of the operations that there are', () => {
  const operations = Object.keys(sdk)
    .filter((name) => name.endsWith('Command') && !name.startsWith('$'))
    .map((name) => name.slice(0, -'Command'.length))
  const expected = operations.filter((name) => name !== 'ReEncrypt')
  expected.push('ReEncryptFrom', 'ReEncryptTo', 'SynchronizeMultiRegionKey')
  assert.deepEqual(kmsPermissions.toSorted(), expected.map((name) => `kms:${name}`).toSorted())
})
