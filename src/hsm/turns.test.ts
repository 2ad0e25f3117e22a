import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { AccountId } from '../base/ids.ts'
import { account, failure, otherAccount } from './testing/fixtures.ts'
import { Turns } from './turns.ts'

const thirdAccount = '777788889999' as AccountId

/** Turns, and work that ends when it is told to. */
function opened(limits: { atOnce: number; waitingMax: number }) {
  const turns = new Turns(limits)
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const ask = (name: string, owner = account) =>
    turns.run(owner, () => {
      begun.push(name)
      return new Promise<string>((resolve) => ends.set(name, () => resolve(name)))
    })
  return { begun, ask, end: (name: string) => ends.get(name)?.() }
}

test('as many run at once as may, the next ones in the order of asking', async () => {
  const { begun, ask, end } = opened({ atOnce: 2, waitingMax: 8 })
  const all = Promise.all(['a', 'b', 'c', 'd'].map((each) => ask(each)))
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

test('work that fails gives its place up', async () => {
  const turns = new Turns({ atOnce: 1, waitingMax: 1 })
  const failing = turns.run(account, () => Promise.reject(new RangeError('no such modulus')))
  const next = turns.run(account, async () => 'made')
  await assert.rejects(failing, { name: 'RangeError' })
  assert.equal(await next, 'made')
  assert.equal(await turns.run(account, async () => 'again'), 'again')
})

test('accounts take turns, and each has half of the places', async () => {
  const { begun, ask, end } = opened({ atOnce: 1, waitingMax: 4 })
  const all = ['a', 'b', 'c'].map((name) => ask(name))
  await assert.rejects(ask('d'), failure('throttled'))
  all.push(ask('1', otherAccount), ask('2', otherAccount))
  await assert.rejects(ask('3', otherAccount), failure('throttled'))
  for (const name of ['a', 'b', '1', 'c', '2']) {
    await turn()
    end(name)
  }
  await Promise.all(all)
  assert.deepEqual(begun, ['a', 'b', '1', 'c', '2'])
})

test('all places together are bounded, however many accounts there are', async () => {
  const { ask, end } = opened({ atOnce: 1, waitingMax: 3 })
  const all = [ask('a'), ask('b'), ask('c'), ask('1', otherAccount)]
  await assert.rejects(ask('x', thirdAccount), failure('throttled'))
  for (const name of ['a', 'b', '1', 'c']) {
    await turn()
    end(name)
  }
  await Promise.all(all)
})
