import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { ServiceError } from '../base/errors.ts'
import { JournalEngine } from '../journal/engine.ts'
import { nodeFiles } from '../journal/node-files.ts'
import { appendBatch, publicKey, temporaryDirectory } from '../journal/testing/fixtures.ts'
import { GzipWriter } from './gzip.ts'
import { DeliveryJournals } from './journals.ts'
import { JournalsThread } from './journals-thread.ts'
import { account, home, trailOf } from './testing/world.ts'

function setUp(context: TestContext) {
  const folder = temporaryDirectory(context)
  const journals = join(folder, 'journal')
  const engineOf = (node: string) => {
    const newOrigin = `kagiban/${node}/${randomUUID()}`
    const directory = join(journals, node)
    const engine = new JournalEngine(nodeFiles, {
      ...{ directory, newOrigin, publicKey, segmentBytes: 16 * 1024 },
    })
    context.after(() => engine.close())
    return { engine, origin: newOrigin }
  }
  const options = { journals, node: 'one', lock: join(folder, 'lock') }
  return { engineOf, options }
}

function event(id: string): string {
  return JSON.stringify({
    eventID: id,
    eventTime: '2026-01-02T03:04:05Z',
    eventCategory: 'Management',
    awsRegion: home,
    recipientAccountId: account,
  })
}

test('positions, places and content of journals, in a thread of their own', async (context) => {
  const { engineOf, options } = setUp(context)
  const one = engineOf('one')
  const two = engineOf('two')
  mkdirSync(join(options.journals, 'no-journal'))
  for (let batch = 0; batch < 100; batch++)
    appendBatch(one.engine, [event(`a${batch}`), 'x'.repeat(300)])
  appendBatch(two.engine, [event('b0')])
  const thread = new JournalsThread(options)
  const { own, positions } = await thread.positions()
  assert.equal(own, one.origin)
  assert.deepEqual(positions, { [one.origin]: 200, [two.origin]: 1 })
  assert.equal(await thread.find(one.origin, 0, 200, 'a7'), 14)
  assert.equal(await thread.find(one.origin, 15, 200, 'a7'), undefined)
  const request = { trail: trailOf(), region: home, from: { [one.origin]: 3 }, to: positions }
  const { to, file } = await thread.collect({ ...request, exact: false })
  const again = await thread.collect({ ...request, to, exact: true })
  assert.deepEqual(again, { to, file }, 'what is collected again is the same, byte for byte')
  assert.deepEqual(to, positions)
  const text = gunzipSync(file?.body ?? Buffer.alloc(0)).toString()
  const { Records } = JSON.parse(text) as { Records: { eventID: string }[] }
  assert.equal(Records.length, 99)
  assert.deepEqual([Records[0]?.eventID, Records.at(-1)?.eventID], ['a2', 'b0'])
  const counts = file?.ranges.map(({ origin, from, to: end, count }) => [origin, from, end, count])
  assert.deepEqual(counts, [
    [one.origin, 3, 200, 98],
    [two.origin, 0, 1, 1],
  ])
  appendBatch(two.engine, [event('b1')])
  assert.equal((await thread.positions()).positions[two.origin], 2)
  await assert.rejects(
    thread.collect({ ...request, to: { [two.origin]: 9 }, exact: true }),
    isInternal,
  )
  await thread.close()
  await assert.rejects(thread.positions(), isInternal)
})

function isInternal(error: unknown): boolean {
  assert.ok(error instanceof ServiceError)
  assert.equal(error.code, 'internal')
  return true
}

test('one process delivers, and another when that is gone', (context) => {
  const { engineOf, options } = setUp(context)
  engineOf('one')
  const journals = [1, 2].map(() => new DeliveryJournals({ ...options, files: nodeFiles }))
  const [first, second] = journals
  assert.deepEqual([first?.lock(), second?.lock(), first?.lock()], [true, false, true])
  first?.close()
  assert.equal(second?.lock(), true)
  second?.close()
})

test('one gzip member, however long the text', () => {
  const writer = new GzipWriter()
  const pieces = Array.from({ length: 300 }, (_, count) => `${count} é ${'x'.repeat(10_000)}`)
  for (const piece of pieces) writer.add(piece)
  const { body, sha256 } = writer.finish()
  assert.equal(gunzipSync(body).toString(), pieces.join(''))
  assert.match(sha256, /^[0-9a-f]{64}$/)
  assert.equal(body.indexOf(Buffer.from([0x1f, 0x8b, 8, 0]), 1), -1)
})
