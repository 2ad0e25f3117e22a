import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ServiceError } from '../../base/errors.ts'
import { failedPrecondition, type ReadConditions, writeCondition } from './conditional.ts'

const modified = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
const then = Date.UTC(2026, 0, 2, 3, 4, 5)
const before = then - 1000
const version = { etag: 'abc', modified }

describe('preconditions of a request that reads', () => {
  const cases: readonly [string, ReadConditions, string | undefined][] = [
    ['none', {}, undefined],
    ['its tag', { IfMatch: '"abc"' }, undefined],
    ['its tag without quotes', { IfMatch: 'abc' }, undefined],
    ['any tag', { IfMatch: '*' }, undefined],
    ['one of several tags', { IfMatch: '"x", "abc"' }, undefined],
    ['another tag', { IfMatch: '"x"' }, 'If-Match'],
    ['not its tag', { IfNoneMatch: '"abc"' }, 'If-None-Match'],
    ['not its weak tag', { IfNoneMatch: 'W/"abc"' }, 'If-None-Match'],
    ['not any tag', { IfNoneMatch: '*' }, 'If-None-Match'],
    ['not another tag', { IfNoneMatch: '"x"' }, undefined],
    ['changed before', { IfUnmodifiedSince: then }, undefined],
    ['changed before that', { IfUnmodifiedSince: before }, 'If-Unmodified-Since'],
    ['not changed since', { IfModifiedSince: then }, 'If-Modified-Since'],
    ['changed since', { IfModifiedSince: before }, undefined],
    ['its tag, though changed since', { IfMatch: 'abc', IfUnmodifiedSince: before }, undefined],
    ['another tag, though not changed', { IfMatch: 'x', IfUnmodifiedSince: then }, 'If-Match'],
    [
      'not its tag, though changed',
      { IfNoneMatch: 'abc', IfModifiedSince: before },
      'If-None-Match',
    ],
    ['not another tag, though not changed', { IfNoneMatch: 'x', IfModifiedSince: then }, undefined],
    ['its tag and not its tag', { IfMatch: 'abc', IfNoneMatch: 'abc' }, 'If-None-Match'],
    ['another tag and not its tag', { IfMatch: 'x', IfNoneMatch: 'abc' }, 'If-Match'],
  ]
  for (const [name, conditions, failed] of cases) {
    test(`${name}: ${failed ?? 'holds'}`, () => {
      assert.equal(failedPrecondition(conditions, version), failed)
    })
  }
})

describe('preconditions of a request that writes', () => {
  const isNotImplemented = (error: unknown) =>
    error instanceof ServiceError && error.code === 'NotImplemented'

  test('that the store could not keep are refused', () => {
    assert.throws(() => writeCondition({ IfNoneMatch: '"abc"' }), isNotImplemented)
    assert.throws(() => writeCondition({ IfNoneMatch: '*', IfMatch: 'abc' }), isNotImplemented)
  })

  test('are those of the store', () => {
    assert.equal(writeCondition({}), undefined)
    assert.deepEqual(writeCondition({ IfNoneMatch: '*' }), { ifNoneMatch: '*' })
    assert.deepEqual(writeCondition({ IfMatch: '"abc"' }), { ifMatch: 'abc' })
  })
})
