import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import { newObjectsFolder } from '../testing/folder.ts'
import { checkKills } from '../testing/kills.ts'
import { openFileStore } from './store.ts'

test('what a killed process acknowledged is there, and nothing is half there', async (context) => {
  const directory = newObjectsFolder(context)
  const options = { directory, clock: systemClock, random: systemRandom }
  await checkKills(directory, {
    kills: 20,
    open: () => openFileStore({ ...options, node: 'reader' }),
  })
  await checkSwept(directory)
})

/** The next start of the killed process's node removes what no row names, and only that. */
async function checkSwept(directory: string): Promise<void> {
  const store = await openFileStore({
    ...{ directory, node: 'main', clock: systemClock, random: systemRandom },
  })
  const files = () => {
    const own = join(directory, 'bodies', 'main')
    return readdirSync(own, { recursive: true, encoding: 'utf8' })
      .filter((path) => /^[^/]+\/\d+$/.test(path))
      .map((path) => `main/${path}`)
  }
  const database = new DatabaseSync(join(directory, 'objects.db'), { readOnly: true })
  const named = () =>
    database
      .prepare(
        'SELECT body FROM segment UNION SELECT body FROM part UNION SELECT body FROM garbage',
      )
      .all()
      .map(({ body }) => body)
      .filter((body) => body !== null)
  for (let tries = 0; files().length > named().length && tries < 200; tries++) await pause(50)
  assert.deepEqual(files().sort(), named().sort())
  for (const body of named()) assert.ok(existsSync(join(directory, 'bodies', String(body))))
  database.close()
  await store.close()
}
