import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { newObjectsFolder } from '../testing/folder.ts'
import { nodeDisk } from './disk.ts'
import { FileBodies } from './file-bodies.ts'

/** A folder of bodies, and beside it a file that is none of them. */
function besideSomething(context: TestContext) {
  const directory = newObjectsFolder(context)
  const folder = join(directory, 'bodies')
  const other = join(directory, 'root.key')
  mkdirSync(join(folder, 'main', 'a-1'), { recursive: true })
  writeFileSync(other, 'secret')
  const bodies = new FileBodies({ disk: nodeDisk, folder, newName: async () => 'main/a-1/0' })
  return { folder, other, bodies }
}

const noNames = [
  ...['../root.key', 'main/a-1/../../../root.key', '/etc/hostname', 'main/lock.db'],
  ...['main/a-1/0/../0', 'main/a-1/', './main/a-1/0', '', 'MAIN/a-1/0', 'main/a-1/0\n'],
]

test('a row that names something else as a body leads nowhere', async (context) => {
  const { other, bodies } = besideSomething(context)
  for (const name of noNames) {
    await assert.rejects(bodies.open(name), { code: 'internal', detail: /a body that is none/ })
    await bodies.remove(name)
  }
  assert.equal(readFileSync(other, 'utf8'), 'secret')
})

test('a link in the place of a body is neither read nor written through', async (context) => {
  const { folder, other, bodies } = besideSomething(context)
  const place = join(folder, 'main', 'a-1', '0')
  symlinkSync(other, place)
  await assert.rejects(bodies.open('main/a-1/0'), { code: 'internal', detail: /ELOOP/ })
  const body = bodies.create()
  await body.add(Buffer.from('bytes'))
  await assert.rejects(body.end(), { code: 'internal', detail: /ELOOP/ })
  assert.equal(readFileSync(other, 'utf8'), 'secret')
  await bodies.remove('main/a-1/0')
  assert.ok(existsSync(other))
  rmSync(place, { force: true })
})
