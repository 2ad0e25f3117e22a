import assert from 'node:assert/strict'
import fc from 'fast-check'
import { systemRandom } from '../../base/random.ts'
import { MemoryObjectStore } from '../memory/store.ts'
import type { ObjectStore, Versioning } from '../port.ts'
import { plain } from './pieces.ts'
import type { MakeSite } from './site.ts'

const keys = ['a', 'a/', 'a/b', 'a/b/c', 'a/c', 'b', 'b/a', 'é', 'é/', '\u{10000}'] as const
const key = fc.constantFrom(...keys)
const versioning = fc.constantFrom<Versioning>('unversioned', 'enabled', 'suspended')

/** What is done to both, in the order of its kinds; `nth` picks one of the versions that a key has. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), key, versioning, text: fc.string() }),
  fc.record({ kind: fc.constant('delete' as const), key, versioning }),
  fc.record({ kind: fc.constant('remove' as const), key, versioning, nth: fc.nat(3) }),
)

const query = fc.record({
  prefix: fc.constantFrom('', 'a', 'a/', 'a/b', 'é', 'x'),
  delimiter: fc.constantFrom(undefined, '/', 'b', '/b'),
  max: fc.integer({ min: 1, max: 6 }),
})

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
type Query = typeof query extends fc.Arbitrary<infer T> ? T : never

/** Random puts and deletes end up the same as in the store in memory, whatever way they are listed. */
export async function checkAgainstModel(makeSite: MakeSite): Promise<void> {
  const site = await makeSite()
  const store = await site.open()
  let count = 0
  try {
    const steps = fc.array(step, { maxLength: 25 })
    const queries = fc.array(query, { minLength: 3, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(steps, queries, async (plan, asked) => {
        count += 1
        const bucket = `b${count}`
        let now = 0
        const model = new MemoryObjectStore({ now: () => ++now }, systemRandom)
        for (const each of [store, model]) await each.createBucket(bucket)
        for (const each of plan) {
          assert.equal(await take(store, bucket, each), await take(model, bucket, each))
        }
        for (const each of asked) {
          assert.deepEqual(await listed(store, bucket, each), await listed(model, bucket, each))
          assert.deepEqual(await versions(store, bucket, each), await versions(model, bucket, each))
        }
      }),
      { numRuns: 60 },
    )
  } finally {
    await store.close()
    await site.dispose()
  }
}

/** What came of it, without what differs between any two stores. */
async function take(store: ObjectStore, bucket: string, each: Step): Promise<string> {
  try {
    if (each.kind === 'put') {
      const put = plain(each.text, {
        versioning: each.versioning,
        name: each.text.length.toString(),
      })
      const { etag, size, latest } = await store.put(bucket, each.key, put)
      return `${etag} ${size} ${latest}`
    }
    const versionId = each.kind === 'remove' ? await nthVersion(store, bucket, each) : undefined
    const deleted = await store.delete(bucket, each.key, { versioning: each.versioning, versionId })
    return `${deleted.deleteMarker} ${deleted.versionId !== undefined}`
  } catch (error) {
    return String(error)
  }
}

async function nthVersion(store: ObjectStore, bucket: string, each: { key: string; nth: number }) {
  const { versions: all } = await store.listVersions(bucket, { prefix: each.key, max: 100 })
  return all.filter(({ key: its }) => its === each.key)[each.nth]?.versionId ?? 'gone'
}

async function listed(store: ObjectStore, bucket: string, asked: Query): Promise<unknown> {
  const all: unknown[] = []
  for (let after: string | undefined; all.length < 100; ) {
    const page = await store.list(bucket, { ...asked, after })
    all.push(
      page.entries.map((entry) => `${entry.key} ${entry.etag} ${entry.size}`),
      page.prefixes,
    )
    if (page.next === undefined) break
    after = page.next
    all.push(after)
  }
  return all
}

async function versions(store: ObjectStore, bucket: string, asked: Query): Promise<unknown> {
  const all: unknown[] = []
  let next: { key: string; version?: string } | undefined
  do {
    const page = await store.listVersions(bucket, {
      ...asked,
      after: next?.key,
      afterVersion: next?.version,
    })
    const shown = page.versions.map((each) => {
      const id = each.versionId === 'null' ? 'null' : 'random'
      return [each.key, id, each.latest, each.deleteMarker, each.etag, each.size].join(' ')
    })
    all.push(shown, page.prefixes, page.next?.key)
    next = page.next
  } while (next !== undefined && all.length < 300)
  return all
}
