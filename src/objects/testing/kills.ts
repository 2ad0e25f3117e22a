import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ObjectStore } from '../port.ts'
import { pattern, read } from './pieces.ts'
import type { Content, Line } from './writer.ts'

/** Lets a writer write, kills it, and answers what it said. */
async function writeAndKill(seed: number, args: readonly string[]): Promise<Line[]> {
  const program = join(import.meta.dirname, 'writer.ts')
  const child = spawn(process.execPath, [program, ...args], {
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

/**
 * Kills a process that writes (`writer.ts`) again and again, and looks each time whether all of what it acknowledged is
 * there and nothing is half there.
 */
export async function checkKills(
  directory: string,
  { kills, endpoint, open }: KillOptions,
): Promise<void> {
  const known = new Map<string, Content[]>()
  let acknowledged = 0
  for (let seed = 1; seed <= kills; seed++) {
    const args = [directory, String(seed), ...(endpoint === undefined ? [] : [endpoint])]
    acknowledged += follow(known, await writeAndKill(seed, args))
    const store = await open()
    for (const [key, contents] of known) {
      const bytes = await contentOf(store, key)
      const found = contents.filter((content) => fits(bytes, content))
      assert.ok(found.length > 0, `${key} after kill ${seed}: ${bytes?.length} bytes`)
      known.set(key, found.slice(0, 1))
    }
    await store.close()
  }
  assert.ok(acknowledged > 2 * kills, `only ${acknowledged} calls were acknowledged`)
}

export type KillOptions = {
  readonly kills: number
  /** Of an upstream; otherwise bodies are in files. */
  readonly endpoint?: string
  /** As another node than `main`. */
  readonly open: () => Promise<ObjectStore>
}
