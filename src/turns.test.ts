import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { Turns } from './turns.ts'

const pass = () => new Promise((resolve) => setImmediate(resolve))

function gathering() {
  const ran: number[][] = []
  const turns = new Turns<number>((items) => ran.push([...items]))
  return { ran, turns }
}

describe('a turn', () => {
  test('is what came before it, in order', async () => {
    const { ran, turns } = gathering()
    turns.add(1)
    turns.add(2)
    assert.deepEqual(ran, [])
    await pass()
    assert.deepEqual(ran, [[1, 2]])
    turns.add(3)
    await pass()
    assert.deepEqual(ran, [[1, 2], [3]])
  })

  test('has at most 256; the rest comes in the next ones', async () => {
    const { ran, turns } = gathering()
    const all = Array.from({ length: 600 }, (_, index) => index)
    for (const item of all) turns.add(item)
    while (ran.length < 3) await pass()
    assert.deepEqual(
      ran.map(({ length }) => length),
      [256, 256, 88],
    )
    assert.deepEqual(ran.flat(), all)
    await pass()
    assert.equal(ran.length, 3)
  })

  test('gathers while the one before is held, and begins when that is released', async () => {
    const { ran, turns } = gathering()
    turns.hold(2)
    turns.add(1)
    turns.release()
    turns.add(2)
    turns.release()
    turns.add(3)
    await pass()
    assert.deepEqual(ran, [[1, 2, 3]])
  })

  test('waits a millisecond at the most for what is slow', async (t: TestContext) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { ran, turns } = gathering()
    turns.hold(1)
    turns.add(1)
    turns.add(2)
    await pass()
    assert.deepEqual(ran, [])
    t.mock.timers.tick(1)
    assert.deepEqual(ran, [[1, 2]])
    turns.add(3)
    t.mock.timers.tick(1)
    assert.deepEqual(ran, [[1, 2], [3]])
    turns.release()
    turns.add(4)
    await pass()
    assert.deepEqual(ran, [[1, 2], [3], [4]])
  })

  test('that nothing came for does not run', async () => {
    const { ran, turns } = gathering()
    turns.hold(1)
    turns.release()
    await pass()
    assert.deepEqual(ran, [])
  })
})
