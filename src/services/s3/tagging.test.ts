import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ServiceError } from '../../base/errors.ts'
import {
  decodeTags,
  encodeTags,
  existingTagConditions,
  requestTagConditions,
  tagsOfHeader,
} from './tagging.ts'

const many = (count: number) => Array.from({ length: count }, (_, at) => `k${at}=v`).join('&')

describe('the header x-amz-tagging', () => {
  const refused: readonly [string, string, RegExp][] = [
    [many(11), 'BadRequest', /^Object tags cannot be greater than 10$/],
    ['a=1&a=2', 'InvalidArgument', /without tag name duplicates\.$/],
    ['a=%FF', 'InvalidArgument', /URLEncoded/],
    ['aws:a=1', 'InvalidTag', /^Your TagKey cannot be prefixed with aws:$/],
    ['AWS%3Aa=1', 'InvalidTag', /prefixed/],
    ['=1', 'InvalidTag', /^The TagKey you have provided is invalid$/],
    ['a%3Cb=1', 'InvalidTag', /^The TagKey you have provided is invalid$/],
    [`${'k'.repeat(129)}=1`, 'InvalidTag', /TagKey/],
    [`a=${'v'.repeat(257)}`, 'InvalidTag', /^The TagValue you have provided is invalid$/],
    ['a=1%0A', 'InvalidTag', /TagValue/],
  ]
  for (const [text, code, message] of refused) {
    test(`'${text.slice(0, 40)}': ${code}`, () => {
      assert.throws(
        () => tagsOfHeader(text),
        (error) => {
          assert.ok(error instanceof ServiceError)
          assert.equal(error.code, code)
          assert.match(error.message, message)
          return true
        },
      )
    })
  }

  test('has the form of a query', () => {
    assert.deepEqual(tagsOfHeader(''), [])
    assert.deepEqual(tagsOfHeader('a=1&b&c+d=%C3%A9%2B'), [
      { key: 'a', value: '1' },
      { key: 'b', value: '' },
      { key: 'c d', value: 'é+' },
    ])
    assert.equal(tagsOfHeader(many(10)).length, 10)
  })
})

test('tags are kept as they are', () => {
  const tag = fc.record({ key: fc.string(), value: fc.string() }, { noNullPrototype: true })
  fc.assert(
    fc.property(fc.array(tag), (tags) => {
      assert.deepEqual(decodeTags(encodeTags(tags)), tags)
    }),
  )
  assert.equal(encodeTags([]), '')
})

test('tags are condition values, of the request and of what is there', () => {
  const tags = [{ key: 'Team', value: 'red' }]
  assert.deepEqual(requestTagConditions(tags), {
    's3:RequestObjectTag/Team': 'red',
    's3:RequestObjectTagKeys': ['Team'],
  })
  assert.deepEqual(requestTagConditions([]), {})
  assert.deepEqual(existingTagConditions(encodeTags(tags)), { 's3:ExistingObjectTag/Team': 'red' })
})
