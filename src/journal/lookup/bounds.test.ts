import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ServiceError } from '../../base/errors.ts'
import { JournalEngine } from '../engine.ts'
import { nodeFiles } from '../node-files.ts'
import type { LookupQuery } from '../port.ts'
import { appendBatch, publicKey, temporaryDirectory } from '../testing/fixtures.ts'
import { openLookup } from './lookup.ts'
import { LookupIndex } from './lookup-index.ts'

const account = '111122223333'
const region = 'us-east-1'
const start = Date.UTC(2026, 0, 1)
const clock = { now: () => start + 60_000 }
const query: LookupQuery = { account, region, from: 0, to: Number.MAX_SAFE_INTEGER, limit: 50 }

/** A journal with one event of each of these sizes in bytes, a second apart. */
function journalOf(context: TestContext, sizes: readonly number[]) {
  const data = temporaryDirectory(context)
  const engine = new JournalEngine(nodeFiles, {
    directory: join(data, 'journal', 'main'),
    newOrigin: 'kagiban/main/00000000-0000-4000-8000-000000000000',
    publicKey,
    segmentBytes: 2 * 1024 * 1024,
  })
  context.after(() => engine.close())
  const written = sizes.map((size, second) => {
    const event = {
      eventTime: new Date(start + second * 1000).toISOString().replace('.000Z', 'Z'),
      awsRegion: region,
      recipientAccountId: account,
      eventCategory: 'Management',
      note: '',
    }
    const rest = size - Buffer.byteLength(JSON.stringify(event))
    const record = JSON.stringify({ ...event, note: '鍵'.repeat(rest / 3).padEnd(rest % 3, 'x') })
    appendBatch(engine, [record])
    return record
  })
  return { journals: join(data, 'journal'), file: join(data, 'index.db'), written }
}

function pagesOf(index: LookupIndex): (readonly string[])[] {
  const pages: (readonly string[])[] = []
  for (let after: number | undefined; ; ) {
    const page = index.find({ ...query, after })
    pages.push(page.records)
    after = page.next
    if (after === undefined) return pages
    assert.ok(pages.length < 100, 'it does not end')
  }
}

test('a page ends at a mebibyte of text, and the next one goes on', (context) => {
  const sizes = Array.from({ length: 30 }, (_, at) => (at % 3 === 0 ? 200_000 : 300))
  const { journals, file, written } = journalOf(context, sizes)
  const index = new LookupIndex({
    journals,
    file,
    clock,
    retentionDays: 90,
    shownDays: 90,
    files: nodeFiles,
  })
  context.after(() => index.close())
  const pages = pagesOf(index)
  assert.deepEqual(pages.flat(), written.toReversed())
  assert.ok(pages.length >= 2)
  for (const [at, records] of pages.entries()) {
    const bytes = records.reduce((sum, record) => sum + Buffer.byteLength(record), 0)
    assert.ok(bytes <= 1024 * 1024, `${bytes} bytes`)
    assert.ok(bytes > 800_000 || at === pages.length - 1, `${bytes} bytes`)
  }
})

test('small records fill a page to its limit', (context) => {
  const { journals, file, written } = journalOf(
    context,
    Array.from({ length: 60 }, () => 600),
  )
  const index = new LookupIndex({
    journals,
    file,
    clock,
    retentionDays: 90,
    shownDays: 90,
    files: nodeFiles,
  })
  context.after(() => index.close())
  assert.deepEqual(
    pagesOf(index).map((records) => records.length),
    [50, 10],
  )
  assert.equal(index.find({ ...query, limit: 60 }).next, undefined)
  assert.equal(written.length, 60)
})

test('only so many queries wait; the next is told to come later', async (context) => {
  const { journals, file, written } = journalOf(context, [500, 500])
  const lookup = await openLookup({ journals, file, clock })
  context.after(() => lookup.close())
  const waiting = Array.from({ length: 4 + 64 }, () => lookup.find(query))
  for (let more = 0; more < 3; more += 1) {
    await assert.rejects(lookup.find(query), (error) => {
      assert.ok(error instanceof ServiceError)
      assert.deepEqual([error.code, error.publicMessage], ['throttled', 'Rate exceeded'])
      return true
    })
  }
  for (const page of await Promise.all(waiting)) {
    assert.deepEqual(page.records, written.toReversed())
  }
  assert.deepEqual((await lookup.find(query)).records, written.toReversed())
})

test('what waits is answered before the index closes', async (context) => {
  const { journals, file, written } = journalOf(context, [500])
  const lookup = await openLookup({ journals, file, clock })
  const waiting = Array.from({ length: 20 }, () => lookup.find(query))
  await lookup.close()
  for (const page of await Promise.all(waiting)) assert.deepEqual(page.records, written)
  await assert.rejects(lookup.find(query), { code: 'internal' })
})
