import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorCodes, internalError, ServiceError } from '../base/errors.ts'
import { awsJson } from './aws-json.ts'
import { awsQuery } from './aws-query.ts'
import { wireError, wireName } from './errors.ts'

const awsSts = awsQuery('https://sts.amazonaws.com/doc/2011-06-15/', '2011-06-15')
const serverFaults = ['internal', 'key-unavailable', 'unavailable']
/** Of IAM and STS, which speak AWS Query alone. */
const queryOnly = errorCodes.filter((code) => wireName(code, 'json', 'kms') === 'InternalFailure')
/** Two of STS whose code in AWS Query ends as those of AWS JSON do. */
const exceptions = ['ExpiredTokenException', 'InvalidAuthorizationMessageException']

for (const code of errorCodes) {
  test(`'${code}' has a name in AWS JSON, and the status of a fault of its side`, () => {
    const error = new ServiceError(code, 'public words', { detail: 'hidden words' })
    const { name, status, message } = wireError(error, 'json', 'kms')
    assert.match(name, /^[A-Z][A-Za-z0-9]+$/)
    assert.equal(message, 'public words')
    const own = serverFaults.includes(code) || queryOnly.includes(code)
    assert.ok(own ? status >= 500 : status === 400 || status === 413, `${name} ${status}`)
    if (code !== 'unavailable' && !queryOnly.includes(code)) assert.match(name, /Exception$/)

    const reply = awsJson.encodeError(error, 'id', 'kms')
    assert.equal(reply.status, status)
    assert.ok(typeof reply.body === 'string' && !reply.body.includes('hidden'))
    assert.equal(JSON.parse(reply.body).__type, name)
  })

  test(`'${code}' has a name in AWS Query, or is an internal failure without words`, () => {
    const error = new ServiceError(code, 'public words', { detail: 'hidden words' })
    const { name, status, message } = wireError(error, 'query', 'sts')
    if (!exceptions.includes(name)) assert.doesNotMatch(name, /Exception$/)
    if (name === 'InternalFailure' && code !== 'internal') {
      assert.equal(status, 500)
      assert.equal(message, undefined)
    } else assert.equal(message, 'public words')

    const reply = awsSts.encodeError(error, 'id', 'sts')
    assert.equal(reply.status, status)
    assert.ok(typeof reply.body === 'string' && !reply.body.includes('hidden'))
    assert.ok(reply.body.includes(`<Code>${name}</Code>`))
    assert.ok(reply.body.includes(`<Type>${status < 500 ? 'Sender' : 'Receiver'}</Type>`))
  })
}

test('names and statuses in AWS JSON', () => {
  for (const [code, name, status] of [
    ['not-found', 'NotFoundException', 400],
    ['already-exists', 'AlreadyExistsException', 400],
    ['disabled', 'DisabledException', 400],
    ['dry-run', 'DryRunOperationException', 400],
    ['invalid-state', 'KMSInvalidStateException', 400],
    ['malformed-policy', 'MalformedPolicyDocumentException', 400],
    ['access-denied', 'AccessDeniedException', 400],
    ['invalid-lookup-attributes', 'InvalidLookupAttributesException', 400],
    ['throttled', 'ThrottlingException', 400],
    ['key-unavailable', 'KeyUnavailableException', 500],
    ['unavailable', 'ServiceUnavailable', 503],
    ['request-too-large', 'RequestEntityTooLargeException', 413],
  ] as const) {
    assert.deepEqual(wireError(new ServiceError(code, 'm'), 'json', 'kms'), {
      name,
      status,
      message: 'm',
    })
  }
})

test('names and statuses in AWS Query', () => {
  for (const [code, name, status] of [
    ['unrecognized-client', 'InvalidClientTokenId', 403],
    ['invalid-signature', 'SignatureDoesNotMatch', 403],
    ['access-denied', 'AccessDenied', 403],
    ['expired-token', 'ExpiredToken', 403],
    ['missing-authentication', 'MissingAuthenticationToken', 403],
    ['unknown-operation', 'InvalidAction', 400],
    ['validation', 'ValidationError', 400],
    ['throttled', 'Throttling', 400],
    ['serialization', 'MalformedInput', 400],
    ['not-found', 'NoSuchEntity', 404],
  ] as const) {
    assert.deepEqual(wireError(new ServiceError(code, 'm'), 'query'), {
      name,
      status,
      message: 'm',
    })
  }
})

test('the internal failure has its own name in KMS alone', () => {
  const error = internalError('the disk is gone', new Error('EIO'))
  assert.deepEqual(wireError(error, 'json', 'kms'), {
    name: 'KMSInternalException',
    status: 500,
    message: undefined,
  })
  assert.equal(wireError(error, 'json', 'cloudtrail').name, 'InternalFailure')
  assert.equal(wireError(error, 'json').name, 'InternalFailure')
  assert.equal(wireError(error, 'query', 'sts').name, 'InternalFailure')
})

test('the record uses the same names', () => {
  for (const code of errorCodes) {
    for (const protocol of ['json', 'query'] as const) {
      const { name } = wireError(new ServiceError(code), protocol, 'kms')
      assert.equal(wireName(code, protocol, 'kms'), name)
    }
  }
})
