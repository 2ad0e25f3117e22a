import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ServiceError } from '../base/errors.ts'
import { actionOf, awsQuery } from './aws-query.ts'
import type { HttpRequest } from './protocol.ts'
import { escapeXml } from './query/xml.ts'
import {
  blob,
  boolean,
  integer,
  list,
  map,
  required,
  string,
  structure,
  timestamp,
} from './schema.ts'

const version = '2011-06-15'
const protocol = awsQuery('https://sts.amazonaws.com/doc/2011-06-15/', version)

function post(form: string, contentType = 'application/x-www-form-urlencoded'): HttpRequest {
  return {
    method: 'POST',
    target: '/',
    rawHeaders: ['Content-Type', contentType],
    body: Buffer.from(form),
    remoteAddress: '127.0.0.1',
  }
}

const everything = structure({
  Text: string({ max: 20 }),
  Bytes: blob(),
  Count: integer(),
  Flag: boolean(),
  Time: timestamp(),
  Words: list(string()),
  Context: map(),
  Inner: structure({ Text: string() }),
  Tags: list(structure({ Key: required(string()), Value: string() })),
})

const decode = (form: string) =>
  protocol.decode(everything, post(`Action=A&Version=${version}${form}`))

for (const [what, form, message] of [
  ['a broken escape', 'Text=%4', 'Request is not URL-encoded'],
  ['an escape that is no hexadecimal', 'Text=%zz', 'Request is not URL-encoded'],
  ['escapes that are not UTF-8', 'Text=%ff', 'Request is not URL-encoded'],
  ['an escaped surrogate', 'Text=%ed%a0%80', 'Request is not URL-encoded'],
  ['raw bytes beyond ASCII', 'Text=é', 'Request is not URL-encoded'],
  ['raw white space', 'Text=a b', 'Request is not URL-encoded'],
  ['a duplicate', 'Text=a&Text=b', 'Duplicate parameter'],
  ['a duplicate in other spelling', 'Text=a&T%65xt=b', 'Duplicate parameter'],
  ['an empty pair', 'Text=a&&Count=1', 'Invalid parameter name'],
  ['a name of many segments', `${'a.'.repeat(20)}b=1`, 'Invalid parameter name'],
  ['a long name', `${'a'.repeat(257)}=1`, 'Invalid parameter name'],
  ['a text with fields', 'Text.a=1', 'Unexpected complex element termination'],
  ['a structure with a text', 'Inner=a', 'Unexpected complex element termination'],
  ['a list with a text', 'Words=a', 'Unexpected list element termination'],
  ['a list without member', 'Words.1=a', 'Unexpected list element termination'],
  [
    'a list with more than members',
    'Words.member.1=a&Words.x=b',
    'Unexpected list element termination',
  ],
  ['a list with a gap', 'Words.member.2=a', 'Unexpected list element termination'],
  ['a list numbered from zero', 'Words.member.0=a', 'Unexpected list element termination'],
  ['a list numbered oddly', 'Words.member.01=a', 'Unexpected list element termination'],
  ['a list of texts with fields', 'Words.member.1.x=a', 'Unexpected complex element termination'],
  ['a map without a value', 'Context.entry.1.key=a', 'Unexpected complex element termination'],
  [
    'a key twice in a map',
    'Context.entry.1.key=a&Context.entry.1.value=1&Context.entry.2.key=a&Context.entry.2.value=2',
    'Duplicate key',
  ],
  ['a word for an integer', 'Count=one', 'Invalid integer'],
  ['a fraction for an integer', 'Count=1.5', 'Invalid integer'],
  ['an integer of 33 bits', 'Count=2147483648', 'Invalid integer'],
  ['a number for a boolean', 'Flag=1', 'Invalid boolean'],
  ['a number for a timestamp', 'Time=1593622000', 'Invalid timestamp'],
  ['a day that is none', 'Time=2026-02-31T25:00:00Z', 'Invalid timestamp'],
  ['bad base64', 'Bytes=QQ', 'Invalid base64'],
] as const) {
  test(`refuses ${what}`, () => {
    assert.throws(() => decode(`&${form}`), { code: 'serialization', publicMessage: message })
  })
}

test('refuses more parameters than any operation needs', () => {
  const many = Array.from({ length: 1030 }, (_, index) => `&p${index}=`).join('')
  assert.throws(() => decode(many), {
    code: 'serialization',
    publicMessage: 'Too many parameters',
  })
})

test('refuses what is no form', () => {
  const request = post(`Action=A&Version=${version}`, 'application/json')
  assert.throws(() => protocol.decode(everything, request), {
    code: 'serialization',
    publicMessage: 'Request is not a form',
  })
  assert.equal(actionOf(request).action, undefined)
})

test('refuses another version, and none', () => {
  const decodeAll = (form: string) => protocol.decode(everything, post(form))
  assert.throws(() => decodeAll('Action=GetCallerIdentity&Version=2010-01-01'), {
    code: 'unknown-operation',
    publicMessage: 'Could not find operation GetCallerIdentity for version 2010-01-01',
  })
  assert.throws(() => decodeAll('Action=GetCallerIdentity'), {
    code: 'unknown-operation',
    publicMessage: 'Could not find operation GetCallerIdentity for version NO_VERSION_SPECIFIED',
  })
})

test('bounds are validated in AWS’s words', () => {
  assert.throws(() => decode(`&Text=${'x'.repeat(21)}&Tags.member.1.Value=a`), {
    code: 'validation',
    publicMessage:
      `2 validation errors detected: Value '${'x'.repeat(21)}' at 'text' failed to satisfy constraint: ` +
      'Member must have length less than or equal to 20; ' +
      "Value null at 'tags.1.member.key' failed to satisfy constraint: Member must not be null",
  })
})

test('decodes every type', () => {
  const form = [
    '&Text=a+b%2Bc%e9%8d%b5',
    '&Bytes=QUJD&Count=-5&Flag=true&Time=2020-07-01T16:46:40.191Z',
    '&Words.member.2=y&Words.member.1=x',
    '&Context.entry.1.key=__proto__&Context.entry.1.value=v',
    '&Inner.Text=t&Inner.Unknown=u&Unknown.member.1=u',
    '&Tags.member.1.Key=k&Tags.member.1.Value=v',
  ].join('')
  const { Context, ...others } = decode(form) as Record<string, object>
  assert.deepEqual(others, {
    Text: 'a b+c鍵',
    Bytes: Buffer.from('ABC'),
    Count: -5,
    Flag: true,
    Time: 1593622000191,
    Words: ['x', 'y'],
    Inner: { Text: 't' },
    Tags: [{ Key: 'k', Value: 'v' }],
  })
  assert.ok(Context)
  assert.equal(Object.getPrototypeOf(Context), null)
  assert.deepEqual(Object.entries(Context), [['__proto__', 'v']])
})

test('an empty list', () => assert.deepEqual(decode('&Words='), { Words: [] }))

test('a GET is read from its query string, a POST from its body', () => {
  const form = `Action=GetCallerIdentity&Version=${version}&Text=a`
  const get = { ...post(''), method: 'GET', target: `/?${form}` }
  assert.deepEqual(actionOf(get), { action: 'GetCallerIdentity', version: '2011-06-15' })
  assert.deepEqual(protocol.decode(everything, get), { Text: 'a' })
  assert.equal(actionOf({ ...post(''), target: `/?${form}` }).action, undefined)
  assert.equal(actionOf(post(form)).action, 'GetCallerIdentity')
  assert.equal(
    actionOf(post(form, 'application/x-www-form-urlencoded; charset=utf-8')).action,
    'GetCallerIdentity',
  )
})

test('no Action, no answer: it never throws', () => {
  for (const form of ['', 'Version=1', 'Action', 'Action.x=1', 'Action=%', 'Action=A&Action=B']) {
    const expected = form === 'Action' ? '' : undefined
    assert.equal(actionOf(post(form)).action, expected, form)
  }
})

test('any form is decoded or refused by a ServiceError', () => {
  const part = fc.constantFrom(
    ...[
      'Text',
      'Words',
      'Context',
      'Tags',
      'Inner',
      '.member',
      '.entry',
      '.1',
      '.2',
      '.key',
      '.value',
    ],
    ...['=', '=', '&', '&', 'a', '%41', '%', '.', '+', '__proto__'],
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
      try {
        decode(`&${parts.join('')}`)
      } catch (error) {
        assert.ok(error instanceof ServiceError, String(error))
        assert.ok(['serialization', 'validation', 'unknown-operation'].includes(error.code))
      }
    }),
    { numRuns: 2000 },
  )
})

test('an answer', () => {
  const schema = structure({ UserId: string(), Account: string(), Arn: string() })
  const output = {
    UserId: '111122223333',
    Account: '111122223333',
    Arn: 'arn:aws:iam::111122223333:root',
  }
  const { status, headers, body } = protocol.encode('GetCallerIdentity', schema, output, 'the-id')
  assert.equal(status, 200)
  assert.equal(
    body,
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>' +
      '<UserId>111122223333</UserId><Account>111122223333</Account><Arn>arn:aws:iam::111122223333:root</Arn>' +
      '</GetCallerIdentityResult><ResponseMetadata><RequestId>the-id</RequestId></ResponseMetadata>' +
      '</GetCallerIdentityResponse>',
  )
  assert.deepEqual(headers, [
    ...['x-amzn-RequestId', 'the-id', 'Content-Type', 'text/xml'],
    ...['Content-Length', String(body.length)],
  ])
})

test('an answer of every type', () => {
  const output = {
    Bytes: Buffer.from('ABC'),
    Count: 1,
    Flag: false,
    Time: 1593622000000,
    Words: ['a', '<'],
    Context: { k: '&' },
    Inner: { Text: 't' },
    Tags: [{ Key: 'k', Value: undefined }],
    Unnamed: 'x',
  }
  const { body } = protocol.encode('Op', everything, output, 'id')
  assert.ok(typeof body === 'string')
  assert.ok(
    body.includes(
      '<OpResult><Bytes>QUJD</Bytes><Count>1</Count><Flag>false</Flag><Time>2020-07-01T16:46:40Z</Time>' +
        '<Words><member>a</member><member>&lt;</member></Words>' +
        '<Context><entry><key>k</key><value>&amp;</value></entry></Context>' +
        '<Inner><Text>t</Text></Inner><Tags><member><Key>k</Key></member></Tags></OpResult>',
    ),
    body,
  )
})

test('an operation without output has no Result', () => {
  const { body } = protocol.encode('DeleteUser', undefined, undefined, 'id')
  assert.equal(
    body,
    '<DeleteUserResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">' +
      '<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DeleteUserResponse>',
  )
})

test('a secret is never answered in XML', () => {
  const schema = structure({ Plaintext: blob({ sensitive: true }) })
  assert.throws(() => protocol.encode('Op', schema, { Plaintext: Buffer.from('a') }, 'id'), {
    code: 'internal',
  })
})

test('an error', () => {
  const error = new ServiceError('invalid-signature', 'a < "b"', { detail: 'hidden' })
  const { status, headers, body } = protocol.encodeError(error, 'the-id')
  assert.equal(status, 403)
  assert.equal(
    body,
    '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>' +
      '<Code>SignatureDoesNotMatch</Code><Message>a &lt; &quot;b&quot;</Message></Error>' +
      '<RequestId>the-id</RequestId></ErrorResponse>',
  )
  assert.deepEqual(headers.slice(0, 4), ['x-amzn-RequestId', 'the-id', 'Content-Type', 'text/xml'])
  assert.equal(headers.at(-1), String(body.length))
})

test('XML text is ASCII that XML can hold', () => {
  assert.equal(escapeXml(`&<>"'`), '&amp;&lt;&gt;&quot;&apos;')
  assert.equal(escapeXml('\t\r\n'), '&#x9;&#xD;&#xA;')
  assert.equal(escapeXml('\u0000\u001f\ud800\uffff'), '&#xFFFD;'.repeat(4))
  assert.equal(escapeXml('\u007fé鍵\u{1f511}'), '&#x7F;&#xE9;&#x9375;&#x1F511;')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.match(escapeXml(text), /^([ !#-%(-;=?-~]|&(#x[0-9A-F]+|amp|lt|gt|quot|apos);)*$/)
    }),
  )
})
