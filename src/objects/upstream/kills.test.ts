import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { newObjectsFolder } from '../testing/folder.ts'
import { checkKills } from '../testing/kills.ts'
import { UpstreamServer } from '../testing/upstream-server.ts'
import { markerName } from './marker.ts'
import { openOver } from './testing/open.ts'

test('what a killed process acknowledged is there, and nothing is half there', async (context) => {
  const server = await new UpstreamServer().start()
  const directory = newObjectsFolder(context)
  const open = () => openOver(server, { directory, node: 'reader' })
  await checkKills(directory, { kills: 8, endpoint: server.endpoint, open })
  await checkSwept(server, directory)
  await server.stop()
})

/** The next start of the killed process's node removes what no row names, and only that. */
async function checkSwept(server: UpstreamServer, directory: string): Promise<void> {
  const store = await openOver(server, { directory, node: 'main' })
  const database = new DatabaseSync(join(directory, 'objects.db'), { readOnly: true })
  const named = () =>
    database
      .prepare(
        'SELECT body FROM segment UNION SELECT body FROM part UNION SELECT body FROM garbage',
      )
      .all()
      .map(({ body }) => body)
      .filter((body) => body !== null)
      .sort()
  const bodies = () => [...server.objects.keys()].filter((name) => name !== markerName).sort()
  const settled = () => bodies().length === named().length && server.uploads.size === 0
  for (let tries = 0; !settled() && tries < 200; tries++) await pause(50)
  assert.deepEqual(bodies(), named())
  assert.equal(server.uploads.size, 0)
  database.close()
  await store.close()
}
