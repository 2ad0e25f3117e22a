// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables are written so.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decide } from '../evaluate.ts'
import { compilePolicy } from '../policy/compile.ts'
import { home, keyArn, policyText, refused, root, statement } from '../test-samples.ts'
import type { ConditionValues } from './context.ts'

/** Whether a statement with this one condition applies to a request with these values. */
function holds(
  operator: string,
  key: string,
  values: unknown,
  request: ConditionValues,
  { effect = 'Allow', version = '2012-10-17' } = {},
): boolean {
  const condition = { [operator]: { [key]: values } }
  const wanted = statement({ Sid: 'x', Effect: effect, Condition: condition })
  const text = JSON.stringify({ Version: version, Statement: [wanted] })
  const policy = compilePolicy(effect === 'Allow' ? text : text.replace('[', `[${allowAll},`))
  const resource = { type: 'key', arn: keyArn, account: home, policy, crossAccount: true } as const
  const { allowed } = decide({
    caller: root(home),
    permission: 'kms:Decrypt',
    resource,
    conditions: [request],
  })
  return effect === 'Allow' ? allowed : !allowed
}

const allowAll = JSON.stringify(statement())
const key = 'kms:EncryptionContext:dept'
const one = (value: string): ConditionValues => ({ [key]: value })
const absent: ConditionValues = {}

type Row = [operator: string, values: unknown, request: ConditionValues, expected: boolean]

function table(rows: readonly Row[]): void {
  for (const [operator, values, request, expected] of rows) {
    for (const effect of ['Allow', 'Deny']) {
      assert.equal(
        holds(operator, key, values, request, { effect }),
        expected,
        `${effect} ${operator} ${JSON.stringify(values)} on ${JSON.stringify(request)}`,
      )
    }
  }
}

test('a missing key fails positive operators, and passes negated ones and IfExists', () => {
  const samples: [operator: string, value: string, whenAbsent: boolean][] = [
    ['StringEquals', 'a', false],
    ['StringNotEquals', 'a', true],
    ['StringEqualsIgnoreCase', 'a', false],
    ['StringNotEqualsIgnoreCase', 'a', true],
    ['StringLike', '*', false],
    ['StringNotLike', '*', true],
    ['NumericEquals', '1', false],
    ['NumericNotEquals', '1', true],
    ['NumericLessThan', '1', false],
    ['NumericLessThanEquals', '1', false],
    ['NumericGreaterThan', '1', false],
    ['NumericGreaterThanEquals', '1', false],
    ['DateEquals', '2026-01-01', false],
    ['DateNotEquals', '2026-01-01', true],
    ['DateLessThan', '2026-01-01', false],
    ['DateLessThanEquals', '2026-01-01', false],
    ['DateGreaterThan', '2026-01-01', false],
    ['DateGreaterThanEquals', '2026-01-01', false],
    ['Bool', 'true', false],
    ['BinaryEquals', 'AQID', false],
    ['IpAddress', '0.0.0.0/0', false],
    ['NotIpAddress', '0.0.0.0/0', true],
    ['ArnEquals', 'arn:*:*:*:*:*', false],
    ['ArnLike', 'arn:*:*:*:*:*', false],
    ['ArnNotEquals', 'arn:*:*:*:*:*', true],
    ['ArnNotLike', 'arn:*:*:*:*:*', true],
  ]
  for (const [operator, value, whenAbsent] of samples) {
    for (const request of [absent, { [key]: [] }]) {
      table([
        [operator, value, request, whenAbsent],
        [`${operator}IfExists`, value, request, true],
        [`ForAllValues:${operator}`, value, request, true],
        [`ForAllValues:${operator}IfExists`, value, request, true],
        [`ForAnyValue:${operator}`, value, request, false],
        [`ForAnyValue:${operator}IfExists`, value, request, true],
      ])
    }
  }
})

test('strings', () => {
  table([
    ['StringEquals', 'Finance', one('Finance'), true],
    ['StringEquals', 'Finance', one('finance'), false],
    ['StringEquals', ['a', 'b'], one('b'), true],
    ['StringEquals', ['a', 'b'], one('c'), false],
    ['StringEquals', 'F*', one('Finance'), false],
    ['StringEquals', 'F*', one('F*'), true],
    ['StringEquals', '', one(''), true],
    ['StringEquals', true, one('true'), true],
    ['StringEquals', 1.0, one('1'), true],
    ['StringNotEquals', 'a', one('a'), false],
    ['StringNotEquals', 'a', one('b'), true],
    ['StringNotEquals', ['a', 'b'], one('a'), false],
    ['StringNotEquals', ['a', 'b'], one('c'), true],
    ['StringEqualsIgnoreCase', 'FINance', one('finANCE'), true],
    ['StringEqualsIgnoreCase', 'f*', one('finance'), false],
    ['StringNotEqualsIgnoreCase', 'FIN', one('fin'), false],
    ['StringNotEqualsIgnoreCase', 'FIN', one('fi'), true],
    ['StringLike', 'F*e', one('Finance'), true],
    ['StringLike', 'f*e', one('Finance'), false],
    ['StringLike', 'a?c', one('a/c'), true],
    ['StringLike', 'a*', one('a:b/c'), true],
    ['StringNotLike', 'F*', one('Finance'), false],
    ['StringNotLike', ['x*', 'F*'], one('Finance'), false],
    ['StringNotLike', 'x*', one('Finance'), true],
    ['StringEqualsIfExists', 'a', one('b'), false],
    ['StringEqualsIfExists', 'a', one('a'), true],
  ])
})

test('numbers', () => {
  table([
    ['NumericEquals', '10', one('10.0'), true],
    ['NumericEquals', 10, one('10'), true],
    ['NumericEquals', '10', one('9'), false],
    ['NumericEquals', '10', one('ten'), false],
    ['NumericNotEquals', '10', one('ten'), true],
    ['NumericNotEquals', ['10', '11'], one('11'), false],
    ['NumericNotEquals', ['10', '11'], one('12'), true],
    ['NumericLessThan', '10', one('9.5'), true],
    ['NumericLessThan', '10', one('10'), false],
    ['NumericLessThan', '10', one('x'), false],
    ['NumericLessThan', ['10', '20'], one('15'), true],
    ['NumericLessThanEquals', '10', one('10'), true],
    ['NumericLessThanEquals', '10', one('10.1'), false],
    ['NumericGreaterThan', '-1', one('0'), true],
    ['NumericGreaterThan', '0', one('0'), false],
    ['NumericGreaterThanEquals', '0', one('0'), true],
    ['NumericGreaterThanEquals', '9', one('10'), true],
    ['NumericGreaterThanEquals', '10', one('9'), false],
  ])
})

test('dates, in either notation on either side', () => {
  table([
    ['DateEquals', '2026-01-01T00:00:00Z', one('1767225600'), true],
    ['DateEquals', '1767225600', one('2026-01-01'), true],
    ['DateEquals', '2026', one('2026-01-01T00:00Z'), true],
    ['DateEquals', '2026-01-01T01:00:00+01:00', one('2026-01-01T00:00:00.000Z'), true],
    ['DateEquals', '2026-01-01T00:00:00.5Z', one('2026-01-01T00:00:00Z'), false],
    ['DateEquals', '2026-01-01T00:00:00.5Z', one('1767225600.5'), true],
    ['DateEquals', '2026-01-01', one('tomorrow'), false],
    ['DateNotEquals', '2026-01-01', one('2026-01-01'), false],
    ['DateNotEquals', '2026-01-01', one('2026-01-02'), true],
    ['DateLessThan', '2026-02', one('2026-01-31T23:59:59Z'), true],
    ['DateLessThan', '2026-02', one('2026-02-01'), false],
    ['DateLessThanEquals', '2026-02', one('2026-02-01'), true],
    ['DateGreaterThan', '2026-02', one('2026-02-01T00:00:01Z'), true],
    ['DateGreaterThan', '2026-02', one('2026-02-01T00:00:00Z'), false],
    ['DateGreaterThanEquals', '2026-02', one('2026-02-01T00:00:00Z'), true],
    ['DateGreaterThanEquals', '2026-02', one('2026-01-31'), false],
  ])
})

test('booleans and bytes', () => {
  table([
    ['Bool', 'true', one('true'), true],
    ['Bool', true, one('TRUE'), true],
    ['Bool', 'False', one('false'), true],
    ['Bool', 'true', one('false'), false],
    ['Bool', 'true', one('1'), false],
    ['BinaryEquals', 'AQID', one('AQID'), true],
    ['BinaryEquals', 'AQID', one('AQIE'), false],
    ['BinaryEquals', 'AQID', one('not base64'), false],
  ])
})

test('addresses: version 4 and 6 never match each other', () => {
  table([
    ['IpAddress', '203.0.113.0/24', one('203.0.113.99'), true],
    ['IpAddress', '203.0.113.7/24', one('203.0.113.99'), true],
    ['IpAddress', '203.0.113.0/24', one('203.0.114.1'), false],
    ['IpAddress', '203.0.113.5', one('203.0.113.5'), true],
    ['IpAddress', '203.0.113.5', one('203.0.113.6'), false],
    ['IpAddress', '203.0.113.4/31', one('203.0.113.5'), true],
    ['IpAddress', '203.0.113.4/31', one('203.0.113.6'), false],
    ['IpAddress', '0.0.0.0/0', one('8.8.8.8'), true],
    ['IpAddress', '0.0.0.0/0', one('::1'), false],
    ['IpAddress', '::/0', one('8.8.8.8'), false],
    ['IpAddress', '::/0', one('2001:db8::1'), true],
    ['IpAddress', '2001:DB8::/32', one('2001:0db8:0:0:0:0:0:1'), true],
    ['IpAddress', '2001:db8::/32', one('2001:db9::1'), false],
    ['IpAddress', '::ffff:192.0.2.1', one('::ffff:c000:201'), true],
    ['IpAddress', ['10.0.0.0/8', '::1'], one('::1'), true],
    ['IpAddress', '0.0.0.0/0', one('010.0.0.1'), false],
    ['NotIpAddress', '10.0.0.0/8', one('10.1.1.1'), false],
    ['NotIpAddress', '10.0.0.0/8', one('11.1.1.1'), true],
    ['NotIpAddress', ['10.0.0.0/8', '11.0.0.0/8'], one('11.1.1.1'), false],
    ['NotIpAddress', '10.0.0.0/8', one('nowhere'), true],
  ])
})

test('ARNs are matched part by part: a star reaches over no colon but the last', () => {
  const arn = 'arn:aws:iam::111122223333:role/path/Name'
  table([
    ['ArnEquals', arn, one(arn), true],
    ['ArnLike', 'arn:aws:iam::*:role/*', one(arn), true],
    ['ArnEquals', 'arn:aws:iam::*:role/*', one(arn), true],
    ['ArnLike', 'arn:aws:iam::111122223333:ROLE/*', one(arn), false],
    ['ArnLike', 'arn:*:*:*:*:*', one(arn), true],
    ['ArnLike', 'arn:aws:iam:*:role/path/Name:*', one(arn), false],
    ['ArnLike', 'arn:aws:*:role/path/Name:*:*', one(arn), false],
    ['StringLike', 'arn:aws:*:role/path/Name', one(arn), true],
    ['ArnLike', 'arn:aws:sns:r:a:topic:*', one('arn:aws:sns:r:a:topic:x:y'), true],
    ['ArnLike', 'arn:aws:sns:r:a:topic:z*', one('arn:aws:sns:r:a:topic:x:y'), false],
    ['ArnLike', 'arn:aws:sns:r:a:*', one('arn:aws:sns:r:a:topic:x:y'), true],
    ['ArnLike', 'arn:*:*:*:*:*', one('not an arn'), false],
    ['ArnNotEquals', arn, one(arn), false],
    ['ArnNotLike', 'arn:aws:iam::*:user/*', one(arn), true],
    ['ArnNotLike', 'arn:aws:iam::*:role/*', one(arn), false],
  ])
})

test('Null asks for presence only', () => {
  table([
    ['Null', 'true', absent, true],
    ['Null', true, one(''), false],
    ['Null', 'false', absent, false],
    ['Null', 'FALSE', one(''), true],
    ['Null', 'true', { [key]: [] }, true],
    ['Null', 'false', { [key]: ['a', 'b'] }, true],
    ['Null', ['true', 'false'], absent, true],
  ])
})

test('set operators quantify over the values of the request', () => {
  const ab = { [key]: ['a', 'b'] }
  table([
    ['ForAllValues:StringEquals', ['a', 'b', 'c'], ab, true],
    ['ForAllValues:StringEquals', ['a', 'c'], ab, false],
    ['ForAllValues:StringEquals', 'a', one(''), true],
    ['ForAllValues:StringEquals', 'a', { [key]: [''] }, true],
    ['ForAllValues:StringEquals', 'a', one('a'), true],
    ['ForAllValues:StringLike', '?', ab, true],
    ['ForAllValues:StringNotEquals', 'a', ab, false],
    ['ForAllValues:StringNotEquals', 'c', ab, true],
    ['ForAnyValue:StringEquals', ['b', 'c'], ab, true],
    ['ForAnyValue:StringEquals', 'c', ab, false],
    ['ForAnyValue:StringNotEquals', 'a', ab, true],
    ['ForAnyValue:StringNotEquals', ['a', 'b'], ab, false],
    ['ForAnyValue:StringEquals', 'a', one('a'), true],
    ['ForAnyValue:StringEqualsIfExists', 'c', ab, false],
  ])
})

test('several values without a set operator match nothing', () => {
  const ab = { [key]: ['a', 'b'] }
  table([
    ['StringEquals', ['a', 'b'], ab, false],
    ['StringLike', '*', ab, false],
    ['StringEqualsIfExists', 'a', ab, false],
    ['StringNotEquals', 'c', ab, false],
  ])
})

test('key names match without regard to case, the encryption context suffix included', () => {
  const spelled = { 'KMS:encryptionCONTEXT:Dept': 'a' }
  table([
    ['StringEquals', 'a', spelled, true],
    ['Null', 'false', spelled, true],
  ])
  assert.equal(holds('StringEquals', 'AWS:sourceip', 'x', { 'aws:SourceIp': 'x' }), true)
  assert.equal(holds('StringEquals', 'aws:SourceIp', 'x', { 'aws:SourceIpX': 'x' }), false)
})

test('encryption context keys that differ only in case grant less, whichever value comes first', () => {
  const split = { 'kms:EncryptionContext:dept': 'a', 'kms:EncryptionContext:DEPT': 'b' }
  const swapped = { 'kms:EncryptionContext:DEPT': 'b', 'kms:EncryptionContext:dept': 'a' }
  for (const request of [split, swapped]) {
    assert.equal(holds('StringEquals', key, 'a', request), false)
    assert.equal(holds('StringEquals', key, ['a', 'b'], request), true)
    assert.equal(holds('StringNotEquals', key, 'a', request), false)
    assert.equal(holds('StringEquals', key, 'a', request, { effect: 'Deny' }), true)
    assert.equal(holds('StringNotEquals', key, 'a', request, { effect: 'Deny' }), true)
    assert.equal(holds('StringEquals', key, 'c', request, { effect: 'Deny' }), false)
    assert.equal(holds('Null', key, 'true', request), false)
  }
  const same = { 'kms:EncryptionContext:dept': 'a', 'kms:EncryptionContext:DEPT': 'a' }
  assert.equal(holds('StringEquals', key, 'a', same), true)
  const variable = `\${${key}}`
  assert.equal(holds('StringEquals', 'aws:x', variable, { ...same, 'aws:x': 'a' }), true)
  assert.equal(holds('StringEquals', 'aws:x', variable, { ...split, 'aws:x': 'a' }), false)
})

test('all operators and all keys of a statement must hold', () => {
  const policy = compilePolicy(
    policyText(
      statement({
        Condition: {
          StringEquals: { 'aws:a': 'x', 'aws:b': ['y', 'z'] },
          Bool: { 'aws:SecureTransport': 'true' },
        },
      }),
    ),
  )
  const full = { 'aws:a': 'x', 'aws:b': 'z', 'aws:SecureTransport': 'true' }
  const ask = (conditions: ConditionValues) =>
    decide({
      caller: root(home),
      permission: 'kms:Decrypt',
      resource: { type: 'key', arn: keyArn, account: home, policy, crossAccount: true },
      conditions: [conditions],
    }).allowed
  assert.equal(ask(full), true)
  for (const name of Object.keys(full)) assert.equal(ask({ ...full, [name]: 'other' }), false, name)
})

test('variables', () => {
  const request = {
    [key]: 'alice',
    'aws:username': 'alice',
    'aws:star': '*',
    'aws:list': ['alice'],
    'aws:PrincipalTag/team name': 'alice',
    'aws:PrincipalArn': 'arn:aws:iam::111122223333:user/alice',
    'aws:yes': 'true',
  }
  table([
    ['StringEquals', '${aws:username}', request, true],
    ['StringEquals', '${AWS:UserName}', request, true],
    ['StringEquals', 'x${aws:username}', request, false],
    ['StringEqualsIgnoreCase', '${aws:username}', { ...request, [key]: 'ALICE' }, true],
    ['StringLike', "al*${aws:absent, 'e'}", request, true],
    ['StringLike', '${aws:star}', request, false],
    ['StringLike', '${aws:star}', { ...request, [key]: '*' }, true],
    ['StringLike', 'al${*}', request, false],
    ['StringLike', 'al${*}${?}${$}', { ...request, [key]: 'al*?$' }, true],
    ['StringEquals', '${aws:PrincipalTag/team name}', request, true],
    ['StringEquals', '$alice', { ...request, [key]: '$alice' }, true],
    ['StringEquals', '${aws:absent}', request, false],
    ['StringNotEquals', '${aws:absent}', request, true],
    ['StringNotLike', '${aws:absent}*', request, true],
    ['StringNotEquals', ['${aws:absent}', 'alice'], request, false],
    ['StringEquals', '${aws:list}', request, false],
    ['StringEquals', "${aws:list, 'alice'}", request, false],
    ['StringEquals', ['${aws:absent}', 'alice'], request, true],
    ['Bool', '${aws:yes}', { ...request, [key]: 'true' }, true],
    ['ArnEquals', '${aws:PrincipalArn}', { ...request, [key]: request['aws:PrincipalArn'] }, true],
    [
      'ArnEquals',
      'arn:aws:iam::*:user/${aws:username}',
      { ...request, [key]: request['aws:PrincipalArn'] },
      true,
    ],
    ['ArnEquals', '${aws:username}', request, false],
  ])
})

test('a document of 2008 knows no variables', () => {
  const request = { [key]: '${aws:username}', 'aws:username': 'alice' }
  const version = '2008-10-17'
  assert.equal(holds('StringEquals', key, '${aws:username}', request, { version }), true)
  assert.equal(
    holds('StringEquals', key, '${aws:username}', { ...request, [key]: 'alice' }, { version }),
    false,
  )
  assert.equal(holds('StringLike', key, '${*}', { [key]: '${x}' }, { version }), true)
  assert.equal(holds('StringEquals', key, '${', { [key]: '${' }, { version }), true)
})

test('what cannot be compared is refused', () => {
  const cases: [operator: string, value: unknown, message: RegExp][] = [
    ['StringMatches', 'a', /no such condition operator/],
    ['stringEquals', 'a', /no such condition operator/],
    ['ForEachValue:StringEquals', 'a', /no such condition operator/],
    ['ForAllValues:Null', 'true', /no such condition operator/],
    ['NullIfExists', 'true', /no such condition operator/],
    ['IfExists', 'true', /no such condition operator/],
    ['toString', 'true', /no such condition operator/],
    ['NumericEquals', 'ten', /does not fit/],
    ['NumericEquals', '', /does not fit/],
    ['NumericEquals', '0x10', /does not fit/],
    ['NumericEquals', '${aws:username}', /does not fit/],
    ['DateEquals', '2026-02-30', /does not fit/],
    ['DateEquals', '2026-01-01T00:00:00', /does not fit/],
    ['DateEquals', '2026-01-01T24:00:00Z', /does not fit/],
    ['DateEquals', 'now', /does not fit/],
    ['IpAddress', '10.0.0.0/33', /does not fit/],
    ['IpAddress', '10.0.0', /does not fit/],
    ['IpAddress', '10.0.0.256', /does not fit/],
    ['IpAddress', '1::2::3', /does not fit/],
    ['IpAddress', '1:2:3:4:5:6:7', /does not fit/],
    ['IpAddress', '1:2:3:4::5:6:7:8', /does not fit/],
    ['IpAddress', '::1/129', /does not fit/],
    ['IpAddress', 'fe80::1%eth0', /does not fit/],
    ['IpAddress', ['10.0.0.0/8', '*'], /does not fit/],
    ['Bool', 'yes', /true or false/],
    ['Bool', '', /true or false/],
    ['Null', 'yes', /true or false/],
    ['BinaryEquals', 'AQI', /does not fit/],
    ['ArnEquals', '*', /six parts/],
    ['ArnLike', 'arn:aws:iam:*', /six parts/],
    ['StringEquals', '${aws:username', /no closing brace/],
    ['StringEquals', '${}', /policy variable/],
    ['StringEquals', '${username}', /policy variable/],
    ['StringEquals', "${aws:username, 'x}", /policy variable/],
    ['StringEquals', '${aws:username,x}', /policy variable/],
    ['StringEquals', '${ aws:username}', /policy variable/],
    ['StringEquals', [], /at least one value/],
    ['StringEquals', null, /a string, a number or a boolean/],
    ['StringEquals', [['a']], /a string, a number or a boolean/],
    ['StringEquals', { a: 'b' }, /a string, a number or a boolean/],
  ]
  for (const [operator, value, message] of cases) {
    assert.throws(
      () => holds(operator, key, value, absent),
      refused('malformed-policy', message),
      `${operator} ${JSON.stringify(value)}`,
    )
  }
  assert.throws(
    () => holds('StringEquals', 'SourceIp', 'a', absent),
    refused('malformed-policy', /prefix/),
  )
})
