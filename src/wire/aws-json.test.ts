import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ServiceError } from '../base/errors.ts'
import { awsJson, targetOf } from './aws-json.ts'
import type { HttpRequest } from './protocol.ts'
import { blob, integer, map, required, string, structure } from './schema.ts'

const encrypt = structure({
  KeyId: required(string({ min: 1, max: 2048 })),
  Plaintext: required(blob({ min: 1, max: 4096, sensitive: true })),
  EncryptionContext: map(),
  Limit: integer({ min: 1, max: 1000 }),
})

function request(
  body: string,
  headers: readonly string[] = ['Content-Type', 'application/x-amz-json-1.1'],
): HttpRequest {
  return {
    method: 'POST',
    target: '/',
    rawHeaders: headers,
    body: Buffer.from(body),
    remoteAddress: '127.0.0.1',
  }
}

const body = '{"KeyId":"alias/a","Plaintext":"QUJD"}'

for (const [what, headers] of [
  ['no Content-Type', []],
  ['AWS JSON 1.0', ['Content-Type', 'application/x-amz-json-1.0']],
  ['plain JSON', ['Content-Type', 'application/json']],
  ['a form', ['Content-Type', 'application/x-www-form-urlencoded']],
  ['a longer media type', ['Content-Type', 'application/x-amz-json-1.1x']],
  [
    'two Content-Types',
    ['Content-Type', 'application/x-amz-json-1.1', 'content-type', 'text/plain'],
  ],
] as const) {
  test(`${what} finds no operation`, () => {
    assert.throws(() => awsJson.decode(encrypt, request(body, headers)), {
      code: 'unknown-operation',
      publicMessage: undefined,
    })
  })
}

test('parameters and case of the Content-Type do not matter', () => {
  for (const type of [
    'application/x-amz-json-1.1',
    'application/x-amz-json-1.1; charset=utf-8',
    'APPLICATION/X-AMZ-JSON-1.1 ;charset=UTF-8',
  ]) {
    const input = awsJson.decode(encrypt, request(body, ['cOnTeNt-TyPe', type]))
    assert.deepEqual(input, { KeyId: 'alias/a', Plaintext: Buffer.from('ABC') })
  }
})

test('malformed bodies and broken bounds are told apart', () => {
  assert.throws(() => awsJson.decode(encrypt, request('{')), { code: 'serialization' })
  assert.throws(() => awsJson.decode(encrypt, request('{"KeyId":"a"}')), {
    code: 'validation',
    publicMessage:
      "1 validation error detected: Value null at 'plaintext' failed to satisfy constraint: Member must not be null",
  })
  assert.throws(() => awsJson.decode(encrypt, request('')), {
    code: 'validation',
    publicMessage:
      "2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null; Value null at 'plaintext' failed to satisfy constraint: Member must not be null",
  })
})

test('the plaintext of a request that breaks a bound is overwritten', (t) => {
  const allocated: Buffer[] = []
  const allocate = Buffer.allocUnsafe
  t.mock.method(Buffer, 'allocUnsafe', (size: number) => {
    const buffer = allocate(size)
    allocated.push(buffer)
    return buffer
  })
  const bad = request('{"KeyId":"","Plaintext":"QUJD"}')
  assert.throws(() => awsJson.decode(encrypt, bad), { code: 'validation' })
  t.mock.restoreAll()
  assert.deepEqual(allocated, [Buffer.alloc(3)])
})

test('whatever the body holds, it is decoded or refused by a ServiceError', () => {
  const texts = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc
      .record(
        {
          KeyId: fc.jsonValue(),
          Plaintext: fc.jsonValue(),
          EncryptionContext: fc.jsonValue(),
          Limit: fc.jsonValue(),
        },
        { requiredKeys: [] },
      )
      .map((value) => Buffer.from(JSON.stringify(value))),
  )
  fc.assert(
    fc.property(texts, (bytes) => {
      try {
        awsJson.decode(encrypt, { ...request(''), body: bytes })
      } catch (error) {
        assert.ok(error instanceof ServiceError, String(error))
        assert.ok(error.code === 'serialization' || error.code === 'validation', error.code)
      }
    }),
    { numRuns: 1000 },
  )
})

test('an answer', () => {
  const output = structure({ KeyId: string(), CiphertextBlob: blob() })
  const value = { KeyId: 'k', CiphertextBlob: Buffer.from('ABC') }
  assert.deepEqual(awsJson.encode('Encrypt', output, value, 'the-id'), {
    status: 200,
    headers: [
      'x-amzn-RequestId',
      'the-id',
      'Content-Type',
      'application/x-amz-json-1.1',
      'Content-Length',
      '37',
    ],
    body: '{"KeyId":"k","CiphertextBlob":"QUJD"}',
  })
})

test('an answer that holds a secret is bytes', () => {
  const output = structure({ Plaintext: blob({ sensitive: true }) })
  const { headers, body: bytes } = awsJson.encode(
    'Decrypt',
    output,
    { Plaintext: Buffer.from('ABC') },
    'the-id',
  )
  assert.deepEqual(bytes, Buffer.from('{"Plaintext":"QUJD"}'))
  assert.equal(headers.at(-1), '20')
})

test('an operation without output answers 200 and nothing', () => {
  const { status, headers, body: nothing } = awsJson.encode('EnableKey', undefined, undefined, 'id')
  assert.deepEqual([status, headers.slice(-2), nothing], [200, ['Content-Length', '0'], ''])
})

test('errors: message, Message for a denial, no message where there is none', () => {
  const bodyOf = (error: ServiceError) => awsJson.encodeError(error, 'the-id', 'kms').body
  assert.equal(
    bodyOf(new ServiceError('not-found', "Key 'é' does not exist")),
    '{"__type":"NotFoundException","message":"Key \'\\u00e9\' does not exist"}',
  )
  assert.equal(
    bodyOf(new ServiceError('access-denied', 'User: a is not authorized')),
    '{"__type":"AccessDeniedException","Message":"User: a is not authorized"}',
  )
  assert.equal(
    bodyOf(new ServiceError('invalid-ciphertext', undefined, { detail: 'tag mismatch' })),
    '{"__type":"InvalidCiphertextException"}',
  )
  assert.equal(
    bodyOf(new ServiceError('validation', '')),
    '{"__type":"ValidationException","message":""}',
  )
  const { status, headers } = awsJson.encodeError(new ServiceError('unknown-operation'), 'the-id')
  assert.equal(status, 400)
  assert.deepEqual(headers, [
    'x-amzn-RequestId',
    'the-id',
    'Content-Type',
    'application/x-amz-json-1.1',
    'Content-Length',
    '38',
  ])
})

test('the target is split at its last dot', () => {
  const target = (value: string) => targetOf(request('', ['X-AMZ-TARGET', value]))
  assert.deepEqual(target('TrentService.Encrypt'), { prefix: 'TrentService', operation: 'Encrypt' })
  assert.deepEqual(target('com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents'), {
    prefix: 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101',
    operation: 'LookupEvents',
  })
  for (const value of ['', 'Encrypt', '.Encrypt', 'TrentService.', `T.${'x'.repeat(255)}`]) {
    assert.equal(target(value), undefined, value)
  }
})

test('only a POST to / with one target has a target', () => {
  const headers = ['x-amz-target', 'TrentService.Encrypt']
  const good = request('', headers)
  assert.notEqual(targetOf(good), undefined)
  assert.notEqual(targetOf({ ...good, target: '/?X-Amz-Algorithm=AWS4-HMAC-SHA256' }), undefined)
  assert.equal(targetOf({ ...good, method: 'GET' }), undefined)
  assert.equal(targetOf({ ...good, target: '/other' }), undefined)
  assert.equal(targetOf({ ...good, rawHeaders: [...headers, ...headers] }), undefined)
  assert.equal(targetOf({ ...good, rawHeaders: [] }), undefined)
})
