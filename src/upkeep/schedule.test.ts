import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { every } from './schedule.ts'

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('a schedule', () => {
  const held = (context: TestContext) => {
    context.mock.timers.enable({ apis: ['setInterval'] })
    const runs: PromiseWithResolvers<void>[] = []
    const logged: string[] = []
    const task = () => {
      const run = Promise.withResolvers<void>()
      runs.push(run)
      return run.promise
    }
    const schedule = every(1000, task, (line) => logged.push(line))
    return { schedule, runs, logged, tick: (ms: number) => context.mock.timers.tick(ms) }
  }

  test('runs at once and then now and then, never twice at a time', async (t) => {
    const { schedule, runs, tick } = held(t)
    assert.equal(runs.length, 1)
    tick(5000)
    assert.equal(runs.length, 1, 'the first has not ended')
    runs[0]?.resolve()
    await settled()
    tick(999)
    assert.equal(runs.length, 1)
    tick(1)
    assert.equal(runs.length, 2)
    runs[1]?.resolve()
    await schedule.stop()
  })

  test('goes on after a failure, which it tells', async (t) => {
    const { schedule, runs, logged, tick } = held(t)
    runs[0]?.reject(new Error('the key core is away'))
    await settled()
    assert.match(logged[0] ?? '', /^upkeep failed: Error: the key core is away\n/)
    tick(1000)
    assert.equal(runs.length, 2)
    runs[1]?.reject('a word')
    await settled()
    assert.equal(logged[1], 'upkeep failed: a word')
    await schedule.stop()
  })

  test('stops when what runs has ended, and begins nothing more', async (t) => {
    const { schedule, runs, tick } = held(t)
    let stopped = false
    const stop = schedule.stop().then(() => {
      stopped = true
    })
    await settled()
    assert.equal(stopped, false)
    tick(10_000)
    runs[0]?.resolve()
    await stop
    assert.equal(runs.length, 1)
  })
})
