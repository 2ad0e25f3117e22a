import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '../base/errors.ts'
import { readHeaders } from './request-headers.ts'

test('256 headers are the most', () => {
  const headers = (count: number) => Array.from({ length: count }, (_, i) => [`h${i}`, 'v']).flat()
  assert.equal(readHeaders(headers(256)).names.length, 256)
  assert.throws(
    () => readHeaders(headers(257)),
    (error) => error instanceof ServiceError && error.detail === 'too many headers',
  )
})

test('a name without a value is no header', () => {
  const { names, values } = readHeaders(['Host', 'kms.test', 'Date'])
  assert.deepEqual([names, values], [['host'], ['kms.test']])
})
