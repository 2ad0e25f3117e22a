import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import type { ObjectStore } from '../port.ts'
import { newObjectsFolder } from '../testing/folder.ts'
import { pattern, read } from '../testing/pieces.ts'
import { openFileStore } from './store.ts'
import type { Content, Line } from './testing/writer.ts'

const kills = 20

/** Lets a writer write, kills it, and answers what it said. */
async function writeAndKill(directory: string, seed: number): Promise<Line[]> {
  const program = join(import.meta.dirname, 'testing', 'writer.ts')
  const child = spawn(process.execPath, [program, directory, String(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  while (output === '' && child.exitCode === null) await pause(5)
  await pause(30 + ((seed * 97) % 400))
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  await pause(5)
  const lines = output.split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line))
}

/** What each key may have after the kill: what was acknowledged, or what was under way. */
function follow(known: Map<string, Content[]>, lines: readonly Line[]): number {
  let acknowledged = 0
  for (const line of lines) {
    if ('begins' in line)
      known.set(line.begins, [...(known.get(line.begins) ?? [null]), line.content])
    else {
      acknowledged += 1
      known.set(line.done, [known.get(line.done)?.at(-1) ?? null])
    }
  }
  return acknowledged
}

async function contentOf(store: ObjectStore, key: string): Promise<Buffer | null> {
  try {
    return (await read(store, 'b', key)).bytes
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && error.code === 'no-such-key', `${error}`)
    return null
  }
}

function fits(bytes: Buffer | null, content: Content): boolean {
  if (bytes === null || content === null) return bytes === content
  return bytes.equals(Buffer.concat(content.map(({ size, seed }) => pattern(size, seed))))
}

test('what a killed process acknowledged is there, and nothing is half there', async (context) => {
  const directory = newObjectsFolder(context)
  const known = new Map<string, Content[]>()
  let acknowledged = 0
  for (let seed = 1; seed <= kills; seed++) {
    acknowledged += follow(known, await writeAndKill(directory, seed))
    const store = await openFileStore({
      ...{ directory, node: 'reader', clock: systemClock, random: systemRandom },
    })
    for (const [key, contents] of known) {
      const bytes = await contentOf(store, key)
      const found = contents.filter((content) => fits(bytes, content))
      assert.ok(found.length > 0, `${key} after kill ${seed}: ${bytes?.length} bytes`)
      known.set(key, found.slice(0, 1))
    }
    await store.close()
  }
  assert.ok(acknowledged > 2 * kills, `only ${acknowledged} calls were acknowledged`)
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
