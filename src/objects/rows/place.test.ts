import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import { nodeDisk } from '../files/disk.ts'
import { newObjectsFolder } from '../testing/folder.ts'
import { openInline } from './channel.ts'
import { openDatabase } from './database.ts'
import { openRows } from './open-rows.ts'
import type { Place } from './place.ts'
import type { RowsOptions } from './rows.ts'
import { migrations, prepareDatabase } from './schema.ts'

const connect = (options: RowsOptions) => openInline(options, { disk: nodeDisk.sync })

async function placeOf(directory: string, kind: Place['kind']) {
  const options = { directory, node: 'main', clock: systemClock, random: systemRandom, connect }
  const { rows, place } = await openRows(options, kind)
  await rows.close()
  return place
}

/** Rows from before there was more than one place. */
function formerRows(directory: string, body: string | null): void {
  const database = openDatabase(join(directory, 'objects.db'))
  prepareDatabase(database, migrations.slice(0, 1))
  database.exec(`INSERT INTO bucket (name) VALUES ('b')`)
  database
    .prepare(`INSERT INTO part VALUES ('u', 1, 1, 1, '', '', x'', 0, ?, NULL, NULL)`)
    .run(body)
  database.close()
}

test('the first place that rows have is theirs for good', async (context) => {
  const directory = newObjectsFolder(context)
  const first = await placeOf(directory, 's3')
  assert.match(first.id, /^[0-9a-f]{32}$/)
  assert.equal(first.used, false)
  assert.deepEqual(await placeOf(directory, 's3'), first)
  await assert.rejects(placeOf(directory, 'files'), /their bodies are in S3, not in files/)
})

test('bodies from before there were places are in files', async (context) => {
  const directory = newObjectsFolder(context)
  formerRows(directory, 'main/ab-1/0')
  await assert.rejects(placeOf(directory, 's3'), /their bodies are in files, not in S3/)
  assert.deepEqual(await placeOf(directory, 'files'), { kind: 'files', id: '', used: true })
})

test('rows from before there were places, and without bodies, may go anywhere', async (context) => {
  const directory = newObjectsFolder(context)
  formerRows(directory, null)
  assert.equal((await placeOf(directory, 's3')).used, false)
})
