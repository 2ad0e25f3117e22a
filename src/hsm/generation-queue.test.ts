import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { GenerationQueue } from './generation-queue.ts'
import { failure } from './testing/fixtures.ts'

/** A queue, and generations that end when they are told to. */
function opened(limits: { atOnce: number; waitingMax: number }) {
  const queue = new GenerationQueue(limits)
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const ask = (name: string) =>
    queue.run(() => {
      begun.push(name)
      return new Promise<string>((resolve) => ends.set(name, () => resolve(name)))
    })
  return { queue, begun, ask, end: (name: string) => ends.get(name)?.() }
}

test('as many run at once as may, the next ones in the order of asking', async () => {
  const { begun, ask, end } = opened({ atOnce: 2, waitingMax: 8 })
  const all = Promise.all(['a', 'b', 'c', 'd'].map(ask))
  await turn()
  assert.deepEqual(begun, ['a', 'b'])
  end('b')
  await turn()
  assert.deepEqual(begun, ['a', 'b', 'c'])
  end('a')
  end('c')
  await turn()
  assert.deepEqual(begun, ['a', 'b', 'c', 'd'])
  end('d')
  assert.deepEqual(await all, ['a', 'b', 'c', 'd'])
})

test('what finds too many waiting is refused, and there is room again later', async () => {
  const { begun, ask, end } = opened({ atOnce: 1, waitingMax: 1 })
  const first = ask('a')
  const second = ask('b')
  await assert.rejects(ask('c'), failure('throttled'))
  end('a')
  assert.equal(await first, 'a')
  const third = ask('d')
  await assert.rejects(ask('e'), failure('throttled'))
  end('b')
  await second
  await turn()
  end('d')
  assert.equal(await third, 'd')
  assert.deepEqual(begun, ['a', 'b', 'd'])
})

test('a generation that fails gives its place up', async () => {
  const queue = new GenerationQueue({ atOnce: 1, waitingMax: 1 })
  const failing = queue.run(() => Promise.reject(new RangeError('no such modulus')))
  const next = queue.run(async () => 'made')
  await assert.rejects(failing, { name: 'RangeError' })
  assert.equal(await next, 'made')
  assert.equal(await queue.run(async () => 'again'), 'again')
})
