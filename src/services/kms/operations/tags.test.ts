import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestKms } from '../testing/test-kms.ts'

const tag = (TagKey: string, TagValue = '') => ({ TagKey, TagValue })
const many = (count: number) => Array.from({ length: count }, (_, index) => tag(`key-${index}`))

test('tags that a request cannot have', async () => {
  const kms = new TestKms()
  const { keyId: KeyId } = await kms.key()
  const cases = [
    [[tag('a', '1'), tag('b'), tag('a', '2')], 'Duplicate tag keys'],
    [many(51), 'Too many tags'],
    [[tag('aws:x')], 'Tags beginning with aws: are reserved'],
    [[tag('AwS:x')], 'Tags beginning with aws: are reserved'],
  ] as const
  for (const [Tags, text] of cases) {
    assert.deepEqual(await kms.fails('TagResource', { KeyId, Tags }), ['tag', text])
    assert.deepEqual(await kms.fails('CreateKey', { Tags }), ['tag', text])
  }
  assert.deepEqual(await kms.fails('UntagResource', { KeyId, TagKeys: ['a', 'AWS:x'] }), [
    'tag',
    'Tags beginning with aws: are reserved',
  ])
  await kms.ok('TagResource', { KeyId, Tags: [tag('a'), tag('A'), tag('aws')] })
})

test('tags are added, replaced and removed', async () => {
  const kms = new TestKms()
  const { keyId: KeyId } = await kms.key({ Tags: [tag('b', '1'), tag('a', '1')] })
  await kms.ok('TagResource', { KeyId, Tags: [tag('c', '3'), tag('a', '2')] })
  const { Tags, ...rest } = await kms.ok('ListResourceTags', { KeyId })
  assert.deepEqual(Tags, [tag('a', '2'), tag('b', '1'), tag('c', '3')])
  assert.deepEqual(rest, { Truncated: false })
  await kms.ok('UntagResource', { KeyId, TagKeys: ['b', 'unknown'] })
  assert.deepEqual(kms.record(KeyId).tags, [tag('a', '2'), tag('c', '3')])
  const { changes } = await kms.call('UntagResource', { KeyId, TagKeys: ['unknown'] })
  assert.deepEqual(changes, [])
})

test('a key has a quota of tags', async () => {
  const kms = new TestKms()
  const { keyId: KeyId } = await kms.key({ Tags: many(50) })
  const [code] = await kms.fails('TagResource', { KeyId, Tags: [tag('one more')] })
  assert.equal(code, 'limit-exceeded')
  await kms.ok('TagResource', { KeyId, Tags: [tag('key-7', 'replaced')] })
})

test('tags are listed in pages', async () => {
  const kms = new TestKms()
  const { keyId: KeyId } = await kms.key({ Tags: many(3) })
  const { Tags, Truncated, NextMarker } = await kms.ok('ListResourceTags', { KeyId, Limit: 2 })
  assert.deepEqual(Tags, [tag('key-0'), tag('key-1')])
  assert.equal(Truncated, true)
  assert.deepEqual(await kms.ok('ListResourceTags', { KeyId, Marker: NextMarker }), {
    Tags: [tag('key-2')],
    Truncated: false,
  })
  const { keyId: other } = await kms.key({ Tags: many(3) })
  const [code] = await kms.fails('ListResourceTags', { KeyId: other, Marker: NextMarker })
  assert.equal(code, 'invalid-marker')
})
