import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { readRecords } from '../journal/reader.ts'
import { temporaryDirectory } from '../journal/testing/fixtures.ts'
import { openChildWorld } from './testing/child-world.ts'
import { delivered, faultsOf } from './testing/delivered.ts'
import { bucket, trailOf } from './testing/world.ts'

const kills = 20

test(`${kills} kills: no event twice, none missing, the chain unbroken`, async (context) => {
  const folder = temporaryDirectory(context)
  const acknowledged: string[] = []
  for (let kill = 0; kill < kills; kill++) acknowledged.push(...(await runAndKill(folder)))
  const { world, buckets, signer } = await openChildWorld(folder)
  context.after(() => world.close())
  await world.delivery.settle()
  await world.change('StopLogging', trailOf())
  const last = [...readRecords(join(folder, 'journal', 'main'))].length
  // The chain ends with a digest whose time is the next second.
  for (let round = 0; round < 20; round++) {
    await world.delivery.settle()
    await sleep(20)
  }
  const { events, digests } = delivered(buckets.in(bucket))
  assert.deepEqual(faultsOf(buckets.in(bucket), await signer.publicKeys()), [])
  const recorded = [...readRecords(join(folder, 'journal', 'main'))]
    .slice(1, last)
    .map(({ record }) => (JSON.parse(record) as { eventID: string }).eventID)
  assert.deepEqual(events.toSorted(), recorded.toSorted())
  const found = new Set(events)
  assert.deepEqual(
    acknowledged.filter((id) => !found.has(id)),
    [],
  )
  assert.ok(digests.size > 4 && acknowledged.length > 300, `${digests.size} digests`)
  context.diagnostic(`${events.length} events, ${digests.size} digests`)
})

/** Answers the events that were acknowledged before it was killed, at some moment soon after it was ready. */
async function runAndKill(folder: string): Promise<string[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'testing/child.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  const ready = Promise.withResolvers<void>()
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part
    if (text.includes('ready\n')) ready.resolve()
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await Promise.race([ready.promise, ended])
  assert.ok(text.includes('ready\n'), 'the child ended at once')
  await sleep(Math.random() * 400)
  child.kill('SIGKILL')
  await ended
  const lines = text.slice(0, text.lastIndexOf('\n')).split('\n')
  return lines.filter((line) => line !== 'ready')
}
