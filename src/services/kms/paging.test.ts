import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ServiceError } from '../../base/errors.ts'
import { OrderedIds } from './ordered-ids.ts'
import { type Listing, readPage } from './paging.ts'
import { otherAccount, rootOf, TestKms } from './testing/test-kms.ts'

function listing(ids: OrderedIds, scope = 'test'): Listing<string> {
  return {
    scope: [scope],
    defaultLimit: 10,
    after: (position, count) => ids.after(position, count),
    positionOf: (id) => id,
  }
}

const invalidMarker = (error: unknown) =>
  error instanceof ServiceError && error.code === 'invalid-marker'

test('pages show what stays exactly once and in order, whatever comes and goes between them', () => {
  const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { maxLength: 60 })
  fc.assert(
    fc.property(ids, ids, ids, fc.integer({ min: 1, max: 7 }), (stay, leave, come, Limit) => {
      const set = new OrderedIds()
      for (const id of [...stay, ...leave]) set.add(id)
      const seen: string[] = []
      let Marker: string | undefined
      do {
        const { items, truncated } = readPage({ Limit, Marker }, listing(set))
        assert.ok(items.length <= Limit)
        assert.equal(truncated.Truncated, truncated.NextMarker !== undefined)
        seen.push(...items)
        Marker = truncated.NextMarker
        const gone = leave.pop()
        if (gone !== undefined && !stay.includes(gone)) set.delete(gone)
        const added = come.pop()
        if (added !== undefined) set.add(added)
      } while (Marker !== undefined)
      assert.deepEqual(seen, [...new Set(seen)].sort())
      assert.deepEqual(
        stay.filter((id) => !seen.includes(id)),
        [],
      )
    }),
  )
})

test('a marker is good for its own list alone, and not altered', () => {
  const ids = new OrderedIds()
  for (const id of ['a', 'b', 'c']) ids.add(id)
  const { NextMarker = '' } = readPage({ Limit: 1 }, listing(ids)).truncated
  assert.deepEqual(readPage({ Limit: 1, Marker: NextMarker }, listing(ids)).items, ['b'])
  assert.throws(() => readPage({ Marker: NextMarker }, listing(ids, 'other')), invalidMarker)
  for (let index = 0; index < NextMarker.length; index++) {
    const other = NextMarker[index] === 'A' ? 'B' : 'A'
    const altered = NextMarker.slice(0, index) + other + NextMarker.slice(index + 1)
    assert.throws(() => readPage({ Marker: altered }, listing(ids)), invalidMarker)
  }
  for (const Marker of ['', '.', 'x', `${NextMarker}.`, `${NextMarker}x`, ` ${NextMarker}`, 'ÿ']) {
    assert.throws(() => readPage({ Marker }, listing(ids)), invalidMarker)
  }
})

test('the last page is not truncated when it is exactly full', () => {
  const ids = new OrderedIds()
  for (const id of ['a', 'b']) ids.add(id)
  assert.deepEqual(readPage({ Limit: 2 }, listing(ids)), {
    items: ['a', 'b'],
    truncated: { Truncated: false },
  })
})

test('ListKeys lists the keys of the account, a hundred by default', async () => {
  const kms = new TestKms()
  await kms.key({}, { caller: rootOf(otherAccount) })
  const made: string[] = []
  for (let count = 0; count < 101; count++) made.push((await kms.key()).keyId)
  const { Keys: first, NextMarker, Truncated } = await kms.ok('ListKeys', {})
  assert.ok(Array.isArray(first) && first.length === 100)
  assert.equal(Truncated, true)
  const { Keys: second, ...rest } = await kms.ok('ListKeys', { Marker: NextMarker })
  assert.deepEqual(rest, { Truncated: false })
  const keys = [first, second].flat() as { KeyId: string; KeyArn: string }[]
  assert.deepEqual(
    keys.map((key) => key.KeyId),
    made.sort(),
  )
  for (const { KeyId, KeyArn } of keys) {
    assert.equal(KeyArn, `arn:aws:kms:us-east-1:111122223333:key/${KeyId}`)
  }
})

test('a marker of another account or another operation is refused', async () => {
  const kms = new TestKms()
  await kms.key()
  await kms.key()
  const { NextMarker: Marker } = await kms.ok('ListKeys', { Limit: 1 })
  const [code] = await kms.fails('ListKeys', { Marker }, { caller: rootOf(otherAccount) })
  assert.equal(code, 'invalid-marker')
  assert.equal((await kms.fails('ListAliases', { Marker }))[0], 'invalid-marker')
})

test('ListKeyPolicies has one page with one name', async () => {
  const kms = new TestKms()
  const { keyId: KeyId } = await kms.key()
  assert.deepEqual(await kms.ok('ListKeyPolicies', { KeyId, Limit: 1 }), {
    PolicyNames: ['default'],
    Truncated: false,
  })
  assert.equal((await kms.fails('ListKeyPolicies', { KeyId, Marker: 'x' }))[0], 'invalid-marker')
})
