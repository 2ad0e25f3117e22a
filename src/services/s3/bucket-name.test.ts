import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBucketName, requireBucketName } from './bucket-name.ts'

test('names that no bucket may have', () => {
  const names = [
    ...['', 'ab', 'a'.repeat(64), 'Abc', 'a_b', 'a b', 'a/b', 'été', '-ab', 'ab-', '.ab', 'ab.'],
    ...['a..b', '192.168.5.4', 'xn--abc', 'sthree-abc', 'amzn-s3-demo-abc', 'abc-s3alias'],
    ...['abc--ol-s3', 'abc.mrap', 'abc--x-s3', 'abc--table-s3', 'abc-an', 'abc\n', '__proto__'],
  ]
  assert.deepEqual(names.filter(isBucketName), [])
  assert.throws(() => requireBucketName('Abc'), {
    code: 'InvalidBucketName',
    message: 'The specified bucket is not valid.',
    members: { BucketName: 'Abc' },
  })
})

test('names that a bucket may have', () => {
  const names = ['abc', 'a'.repeat(63), '123', 'a.b-c', '1.2.3', '192.168.5.4.5', 'a--b', 'a.-b']
  assert.deepEqual(names.filter(isBucketName), names)
})
