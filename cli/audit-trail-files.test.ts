import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { MemoryBuckets } from '../src/delivery/testing/buckets.ts'
import { account, bucket, trailOf, World } from '../src/delivery/testing/world.ts'
import { publicKey, temporaryDirectory } from '../src/journal/testing/fixtures.ts'
import { kagiban } from '../tests/support/cli.ts'

test('audit verify --trail-files compares a downloaded bucket with the journals', async (context) => {
  const folder = temporaryDirectory(context)
  const buckets = new MemoryBuckets()
  buckets.owners.set(bucket, account)
  const world = await World.open({ folder, buckets })
  await world.change('CreateTrail', trailOf())
  await world.change('StartLogging', trailOf({ logging: true }))
  await world.event()
  for (let round = 0; round < 3; round++) await world.deliverAfter(3600)
  await world.close()
  const files = join(folder, 'files')
  const keys = [...buckets.in(bucket).keys()]
  for (const [key, { body }] of buckets.in(bucket)) {
    mkdirSync(dirname(join(files, key)), { recursive: true })
    writeFileSync(join(files, key), body)
  }
  const verify = (...more: string[]) => {
    const key = ['--key', publicKey.toString('hex')]
    return kagiban('audit', 'verify', '--data', folder, ...key, '--trail-files', files, ...more)
  }
  const clean = await verify()
  assert.equal(clean.code, 0, clean.stderr)
  assert.match(clean.stdout, /trail files: 6 digests and 1 log files are as the journal says\n/)
  const newest =
    keys
      .filter((key) => key.includes('-Digest/'))
      .sort()
      .at(-1) ?? ''
  rmSync(join(files, newest))
  const robbed = await verify('--json')
  assert.equal(robbed.code, 1)
  assert.match(robbed.stderr, /says that it was delivered, and it is not there\.\n$/)
  const { trailFiles } = JSON.parse(robbed.stdout) as { trailFiles: { faults: { kind: string }[] } }
  assert.deepEqual(
    trailFiles.faults.map(({ kind }) => kind),
    ['missing-digest'],
  )
  const since = new Date(world.clock.now() + 1000).toISOString()
  assert.equal((await verify('--since', since)).code, 0, 'it need not be there any more')
})
