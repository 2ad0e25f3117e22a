import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Put, type Row, StoreConflict } from '../port.ts'
import { liveRows, put, puts, type StoreSite, withStores } from './stores.ts'

type Write = { writer: 0 | 1; changes: { id: string; deletes: boolean; stale: boolean }[] }

const writes: fc.Arbitrary<Write[][]> = fc.array(
  fc.array(
    fc.record({
      writer: fc.constantFrom<0 | 1>(0, 1),
      changes: fc.uniqueArray(
        fc.record({
          id: fc.constantFrom('a', 'b', 'c'),
          deletes: fc.boolean(),
          stale: fc.integer({ min: 0, max: 3 }).map((chance) => chance === 0),
        }),
        { selector: ({ id }) => id, minLength: 1, maxLength: 3 },
      ),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  { minLength: 1, maxLength: 8 },
)

/**
 * Each step asks for several commits at once, of either writer. Whatever the interleaving, replaying the commits
 * that succeeded by their revisions must find each put as it expected the row, and must end where the store ends.
 */
export async function checkInterleavings(makeSite: () => Promise<StoreSite>): Promise<void> {
  const property = fc.asyncProperty(writes, (steps) =>
    withStores(makeSite, 3, async (...stores) => {
      const model = new Map<string, Row>()
      let serial = 0
      for (const step of steps) {
        const asked = step.map((write) => {
          const changes = write.changes.map(({ id, deletes, stale }) => {
            const expected = live(model, id) + (stale ? 1 : 0)
            serial += 1
            return put(id, deletes ? null : `${serial}`, expected)
          })
          return { changes, commit: stores[write.writer].commit(puts(...changes)) }
        })
        const outcomes = await Promise.allSettled(asked.map(({ commit }) => commit))
        replay(
          model,
          asked.map(({ changes }) => changes),
          outcomes,
        )
      }
      const rows = [...model.values()].filter(({ body }) => body !== null)
      rows.sort((a, b) => (a.id < b.id ? -1 : 1))
      assert.deepEqual((await liveRows(stores[2])).rows, rows)
      const changes = await stores[2].changesSince(0)
      assert.deepEqual(new Map(changes.rows.map((row) => [row.id, row])), model)
    }),
  )
  await fc.assert(property, { numRuns: 40 })
}

function live(model: Map<string, Row>, id: string): number {
  const row = model.get(id)
  return row === undefined || row.body === null ? 0 : row.revision
}

function replay(
  model: Map<string, Row>,
  asked: readonly Put[][],
  outcomes: readonly PromiseSettledResult<number>[],
): void {
  // What each row was at any time during the step.
  const seen = new Set(asked.flat().map(({ id }) => `${id} ${live(model, id)}`))
  const done = outcomes.flatMap((outcome, index) =>
    outcome.status === 'fulfilled'
      ? [{ revision: outcome.value, changes: asked[index] ?? [] }]
      : [],
  )
  done.sort((a, b) => a.revision - b.revision)
  const newest = Math.max(0, ...[...model.values()].map(({ revision }) => revision))
  const revisions = [newest, ...done.map(({ revision }) => revision)]
  assert.deepEqual(
    revisions,
    [...new Set(revisions)].sort((a, b) => a - b),
  )
  for (const { revision, changes } of done) {
    for (const { kind, id, body, expected } of changes) {
      assert.equal(live(model, id), expected)
      model.set(id, { kind, id, body, revision })
      seen.add(`${id} ${live(model, id)}`)
    }
  }
  outcomes.forEach((outcome, index) => {
    if (outcome.status === 'fulfilled') return
    assert.ok(outcome.reason instanceof StoreConflict)
    const explained = (asked[index] ?? []).some(({ id, expected }) =>
      [...seen].some((state) => state.startsWith(`${id} `) && state !== `${id} ${expected}`),
    )
    assert.ok(explained, 'a conflict without a cause')
  })
}
