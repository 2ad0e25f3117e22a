import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { ServiceError } from '../../../base/errors.ts'
import { account, region } from '../../../testing/house.ts'
import type { CallContext } from '../../operation.ts'
import type { StoredEncryption } from '../attributes.ts'
import type { BucketRecord, DefaultEncryption } from '../bucket.ts'
import { bucket, key, refused } from '../testing/encryption-site.ts'
import {
  type ChosenEncryption,
  type CustomerKeyInput,
  chosenEncryption,
  copySourceKeyOf,
  customerKeyOf,
  type EncryptionInput,
  encryptionAnswer,
  encryptionConditions,
  sseApplied,
} from './request.ts'

type Input = EncryptionInput & CustomerKeyInput

const call: CallContext = {
  caller: {
    ...{ type: 'root', account, arn: `arn:aws:iam::${account}:root` },
    ...{ principalId: account, accessKeyId: 'AKIA' },
  },
  ...{ region, now: 0, requestId: 'REQUEST' },
  globalConditions: { 'aws:SecureTransport': 'true', 'aws:SourceIp': '192.0.2.7' },
}
const secret = Buffer.alloc(32, 7)
const md5 = createHash('md5').update(secret).digest('base64')
const customerInput = {
  ...{ SSECustomerAlgorithm: 'AES256', SSECustomerKey: secret.toString('base64') },
  SSECustomerKeyMD5: md5,
}
const base64 = (text: string) => Buffer.from(text).toString('base64')
const withDefault = (encryption: DefaultEncryption): BucketRecord => ({ ...bucket, encryption })
const chosen = (input: Input, where = bucket) => chosenEncryption(call, input, where, key)

const kms = 'aws:kms'
const kmsDefault = withDefault({ algorithm: kms, keyId: 'alias/default', bucketKey: true })
const dsse = 'aws:kms:dsse'
const nothing = { keyId: undefined, context: undefined }

test('the request says how an object is encrypted, or else the bucket’s default', () => {
  const cases: readonly [Input, BucketRecord, ChosenEncryption][] = [
    [{}, bucket, { mode: 'AES256', byDefault: true }],
    [{ ServerSideEncryption: 'AES256' }, bucket, { mode: 'AES256', byDefault: false }],
    [{ ServerSideEncryption: 'AES256' }, kmsDefault, { mode: 'AES256', byDefault: false }],
    [
      {},
      kmsDefault,
      { mode: kms, ...nothing, keyId: 'alias/default', bucketKey: true, byDefault: true },
    ],
    [
      { BucketKeyEnabled: false },
      kmsDefault,
      { mode: kms, ...nothing, keyId: 'alias/default', bucketKey: false, byDefault: true },
    ],
    // The default's key is not that of a request which asks for the mode itself; the bucket key is.
    [
      { ServerSideEncryption: kms },
      kmsDefault,
      { mode: kms, ...nothing, bucketKey: true, byDefault: false },
    ],
    [
      { ServerSideEncryption: kms, SSEKMSKeyId: 'mine', BucketKeyEnabled: true },
      bucket,
      { mode: kms, ...nothing, keyId: 'mine', bucketKey: true, byDefault: false },
    ],
    [
      { ServerSideEncryption: dsse, SSEKMSKeyId: 'mine', BucketKeyEnabled: false },
      kmsDefault,
      { mode: dsse, ...nothing, keyId: 'mine', bucketKey: false, byDefault: false },
    ],
    [
      {},
      withDefault({ algorithm: dsse, bucketKey: true }),
      { mode: dsse, ...nothing, bucketKey: false, byDefault: true },
    ],
    [
      {},
      withDefault({ algorithm: 'AES256', bucketKey: true }),
      { mode: 'AES256', byDefault: true },
    ],
    [customerInput, kmsDefault, { mode: 'customer', customer: { key: secret, md5 } }],
  ]
  for (const [input, where, expected] of cases) {
    assert.deepEqual(chosen(input, where), expected, JSON.stringify(input))
  }
})

const needsKms =
  'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms'
const incompatible =
  'Server Side Encryption with Customer provided key is incompatible with the encryption method specified'
const notSupported = 'The encryption method specified is not supported'
const noMap =
  "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which " +
  'represents a string-string map'

test('what does not go together is refused in AWS’s words', () => {
  const context = base64('{"a":"b"}')
  const cases: readonly [Input, string, string][] = [
    [{ ServerSideEncryption: '' }, 'InvalidArgument', notSupported],
    [{ ServerSideEncryption: 'aes256' }, 'InvalidArgument', notSupported],
    [{ ServerSideEncryption: 'aws:fsx' }, 'InvalidArgument', notSupported],
    [{ SSEKMSKeyId: 'mine' }, 'InvalidArgument', needsKms],
    [{ SSEKMSEncryptionContext: context }, 'InvalidArgument', needsKms],
    [{ BucketKeyEnabled: true, ServerSideEncryption: 'AES256' }, 'InvalidArgument', needsKms],
    [{ ServerSideEncryption: 'AES256', SSEKMSKeyId: 'mine' }, 'InvalidArgument', needsKms],
    [
      { ServerSideEncryption: dsse, BucketKeyEnabled: true },
      'InvalidArgument',
      'S3 Bucket Keys are not supported for aws:kms:dsse',
    ],
    [{ ServerSideEncryption: kms, SSEKMSKeyId: '' }, 'InvalidArgument', "Invalid keyId ''"],
    [{ ...customerInput, ServerSideEncryption: 'AES256' }, 'InvalidArgument', incompatible],
    [{ ...customerInput, ServerSideEncryption: kms }, 'InvalidArgument', incompatible],
    [{ SSECustomerKeyMD5: md5, ServerSideEncryption: kms }, 'InvalidArgument', incompatible],
    [{ ...customerInput, SSEKMSKeyId: 'mine' }, 'InvalidArgument', needsKms],
    [{ ...customerInput, BucketKeyEnabled: true }, 'InvalidArgument', incompatible],
  ]
  for (const [input, code, text] of cases) {
    assert.throws(() => chosen(input), refused(code, text), JSON.stringify(input))
    // A default is no header.
    if (input.BucketKeyEnabled === undefined) {
      assert.throws(() => chosen(input, kmsDefault), refused(code, text), JSON.stringify(input))
    }
  }
  const long = { ServerSideEncryption: kms, SSEKMSKeyId: 'k'.repeat(2049) }
  assert.throws(() => chosen(long), refused('InvalidArgument', /^Invalid keyId 'k{255}'$/))
})

test('the argument stands in the error', () => {
  const argumentsOf = (input: Input) => {
    try {
      chosen(input)
      return assert.fail('taken')
    } catch (error) {
      assert.ok(error instanceof ServiceError)
      return error.members
    }
  }
  const ArgumentName = 'x-amz-server-side-encryption'
  assert.deepEqual(argumentsOf({ ServerSideEncryption: 'x' }), { ArgumentName, ArgumentValue: 'x' })
  const twice = { ...customerInput, ServerSideEncryption: 'AES256' }
  assert.deepEqual(argumentsOf(twice), { ArgumentName, ArgumentValue: 'AES256' })
})

test('an encryption context is Base64 of a map of strings', () => {
  const contextOf = (text: string, more: Input = {}) => {
    const input = { ServerSideEncryption: kms, SSEKMSEncryptionContext: text, ...more }
    const found = chosen(input)
    assert.ok(found.mode === kms)
    return found.context
  }
  assert.deepEqual(contextOf(base64('{"a":"b","ü":""}')), { a: 'b', ü: '' })
  assert.equal(contextOf(base64('{}')), undefined)
  const own = contextOf(base64('{"__proto__":"x"}'))
  assert.deepEqual(Object.entries(own ?? {}), [['__proto__', 'x']])
  const bad = [
    ...['', 'not base64!', base64('{"a":"b"}').replace(/=*$/, ' '), base64('{"a":1}')],
    ...[base64('["a"]'), base64('"a"'), base64('null'), base64('{"a":{"b":"c"}}'), base64('{"a"')],
    Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x22, 0x22, 0x7d]).toString('base64'),
  ]
  for (const text of bad) {
    assert.throws(() => contextOf(text), refused('InvalidArgument', noMap), text)
  }
})

test('the ARN in it is the one that S3 adds, and is not kept twice', () => {
  const contextOf = (arn: string, bucketKey: boolean) => {
    const SSEKMSEncryptionContext = base64(JSON.stringify({ a: 'b', 'aws:s3:arn': arn }))
    const input = { ServerSideEncryption: kms, SSEKMSEncryptionContext }
    const found = chosen({ ...input, BucketKeyEnabled: bucketKey })
    assert.ok(found.mode === kms)
    return found.context
  }
  const [ofObject, ofBucket] = [`arn:aws:s3:::bucket/${key}`, 'arn:aws:s3:::bucket']
  assert.deepEqual(contextOf(ofObject, false), { a: 'b' })
  assert.deepEqual(contextOf(ofBucket, true), { a: 'b' })
  const wrong = refused('InvalidArgument', /no other aws:s3:arn than/)
  assert.throws(() => contextOf(ofBucket, false), wrong)
  assert.throws(() => contextOf(ofObject, true), wrong)
  assert.throws(() => contextOf('arn:aws:s3:::bucket/other', false), wrong)
})

test('a key of a read, and of the source of a copy', () => {
  assert.equal(customerKeyOf(call, {}), undefined)
  assert.deepEqual(customerKeyOf(call, customerInput), { key: secret, md5 })
  assert.equal(copySourceKeyOf(call, {}), undefined)
  const source = {
    ...{ CopySourceSSECustomerAlgorithm: 'AES256', CopySourceSSECustomerKeyMD5: md5 },
    CopySourceSSECustomerKey: customerInput.SSECustomerKey,
  }
  assert.deepEqual(copySourceKeyOf(call, source), { key: secret, md5 })
  const { CopySourceSSECustomerKeyMD5: _, ...half } = source
  assert.throws(() => copySourceKeyOf(call, half), refused('InvalidArgument', /MD5/))
})

test('policies see the headers as they are, and no default', () => {
  assert.deepEqual(encryptionConditions({}), {})
  assert.deepEqual(encryptionConditions({ ServerSideEncryption: kms, SSEKMSKeyId: 'mine' }), {
    's3:x-amz-server-side-encryption': kms,
    's3:x-amz-server-side-encryption-aws-kms-key-id': 'mine',
  })
  assert.deepEqual(encryptionConditions(customerInput), {
    's3:x-amz-server-side-encryption-customer-algorithm': 'AES256',
  })
})

test('answers and records say what was done', () => {
  const keyArn = `arn:aws:kms:${region}:${account}:key/x`
  const cases: readonly [StoredEncryption, object, string][] = [
    [{ mode: 'AES256', byDefault: false }, { ServerSideEncryption: 'AES256' }, 'SSE_S3'],
    [{ mode: 'AES256', byDefault: true }, { ServerSideEncryption: 'AES256' }, 'Default_SSE_S3'],
    [
      { mode: kms, keyArn, bucketKey: true, byDefault: true },
      { ServerSideEncryption: kms, SSEKMSKeyId: keyArn, BucketKeyEnabled: true },
      'Default_SSE_KMS',
    ],
    [
      { mode: kms, keyArn, bucketKey: false, byDefault: false },
      { ServerSideEncryption: kms, SSEKMSKeyId: keyArn },
      'SSE_KMS',
    ],
    [
      { mode: dsse, keyArn, bucketKey: false, byDefault: true },
      { ServerSideEncryption: dsse, SSEKMSKeyId: keyArn },
      'Default_DSSE_KMS',
    ],
    [
      { mode: 'customer', keyMd5: md5 },
      { SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: md5 },
      'SSE_C',
    ],
  ]
  for (const [stored, answer, applied] of cases) {
    assert.deepEqual(encryptionAnswer(stored), answer)
    assert.equal(sseApplied(stored), applied)
  }
})
