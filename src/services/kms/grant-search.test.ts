import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { KeyId } from '../../base/ids.ts'
import { contextOf, type GrantRecord, operationSet, pairsOf } from './grant.ts'
import { byTerms, findGrant, type Permission } from './grant-search.ts'
import { OrderedRecords } from './ordered-records.ts'
import { account, region } from './testing/test-kms.ts'

const keyId = '00000000-0000-4000-8000-000000000001' as KeyId
let made = 0

function grant(members: Partial<GrantRecord>): GrantRecord {
  made += 1
  return {
    ...{ grantId: made.toString(16).padStart(64, '0'), region, account, keyId },
    ...{ keyCreatedAt: 1, createdAt: 1, issuingAccount: account, grantee: 'a', operations: 1 },
    ...members,
  }
}

/** Looks into every grant, one by one. */
function fits(grant: GrantRecord, party: string, { operations, context }: Permission): boolean {
  if (grant.grantee !== party || (grant.operations & operations) !== operations) return false
  if (context === 'ignored') return true
  if (grant.contextEquals !== undefined) {
    return JSON.stringify(grant.contextEquals) === JSON.stringify(context.equals)
  }
  const within = contextOf(context.within) ?? {}
  return Object.entries(contextOf(grant.contextSubset) ?? {}).every(
    ([key, value]) => within[key] === value,
  )
}

function indexOf(grants: readonly GrantRecord[]) {
  const index = new OrderedRecords<GrantRecord>(byTerms)
  for (const each of grants) index.add(each)
  let reads = 0
  const find = (party: string, permission: Permission) =>
    findGrant(party, permission, (isBeyond, count) => {
      reads += 1
      return index.from(isBeyond, count)
    })
  return { find, reads: () => reads }
}

const used = (operations: number, context: Record<string, string>): Permission => {
  const pairs = pairsOf(context)
  return { operations, context: { equals: pairs, within: pairs ?? [] } }
}

test('the search finds a grant exactly when there is one that fits', () => {
  const text = fc.constantFrom('a', 'b', 'c', 'ab')
  const pairs = fc.dictionary(text, text, { maxKeys: 4 })
  const party = fc.constantFrom('a', 'b')
  const operations = fc.integer({ min: 1, max: 7 })
  const some = fc
    .record({ party, operations, pairs, kind: fc.constantFrom('none', 'equals', 'subset') })
    .map((drawn) =>
      grant({
        grantee: drawn.party,
        operations: drawn.operations,
        ...(drawn.kind === 'equals' && { contextEquals: pairsOf(drawn.pairs) }),
        ...(drawn.kind === 'subset' && { contextSubset: pairsOf(drawn.pairs) }),
      }),
    )
  const context = fc.oneof(
    fc.constant('ignored' as const),
    pairs.map((of) => ({ equals: pairsOf(of), within: pairsOf(of) ?? [] })),
    pairs.map((of) => ({ equals: undefined, within: pairsOf(of) ?? [] })),
  )
  fc.assert(
    fc.property(
      fc.array(some, { maxLength: 30 }),
      party,
      fc.record({ operations, context }),
      (grants, asked, permission) => {
        const found = indexOf(grants).find(asked, permission)
        const expected = grants.some((each) => fits(each, asked, permission))
        assert.equal(found !== undefined, expected)
        if (found !== undefined) assert.ok(fits(found, asked, permission))
      },
    ),
    { numRuns: 3000 },
  )
})

test('what does not fit is leapt over, however much of it there is', () => {
  const volumes = Array.from({ length: 20_000 }, (_, at) => [
    grant({ contextEquals: ['volume', `v${at}`] }),
    grant({ contextSubset: ['department', 'finance', 'volume', `v${at}`] }),
    grant({ operations: 2 }),
  ]).flat()
  const { find, reads } = indexOf(volumes)
  const among = { department: 'finance', project: 'x', volume: 'v777' }
  assert.deepEqual(find('a', used(1, among))?.contextSubset?.at(-1), 'v777')
  assert.deepEqual(find('a', used(1, { volume: 'v19999' }))?.contextEquals?.at(-1), 'v19999')
  assert.equal(find('a', used(1, { ...among, volume: 'none' })), undefined)
  assert.equal(find('a', used(4, among)), undefined)
  assert.equal(find('b', used(1, among)), undefined)
  assert.ok(reads() < 40, `${reads()} reads`)
})

test('a search ends although all that there is fits the context and not the operation', () => {
  const keys = Array.from({ length: 60 }, (_, at) => `k${at}`)
  const context = Object.fromEntries(keys.map((key) => [key, 'x']))
  const grants = keys.flatMap((a) =>
    keys.flatMap((b) => (a < b ? [grant({ contextSubset: [a, 'x', b, 'x'] })] : [])),
  )
  const { find, reads } = indexOf(grants)
  assert.equal(find('a', used(operationSet(['Encrypt']), context)), undefined)
  assert.ok(reads() <= 260, `${reads()} reads`)
})
