import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { withLock } from './lock.ts'
import { failure, temporaryDirectory } from './testing/fixtures.ts'

const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid

test('the lock is there while the work is done, and gone afterwards, also when it failed', (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'lock')
  assert.equal(
    withLock(directory, systemClock, () => existsSync(path)),
    true,
  )
  assert.deepEqual(readdirSync(directory), [])
  const failing = () =>
    withLock(directory, systemClock, () => {
      throw new RangeError('no')
    })
  assert.throws(failing, RangeError)
  assert.deepEqual(readdirSync(directory), [])
})

test('the lock of a dead process is broken, and that of this very number', (t) => {
  const directory = temporaryDirectory(t)
  for (const pid of [deadPid(), process.pid]) {
    writeFileSync(join(directory, 'lock'), `${pid} ${hostname()} 00\n`)
    assert.equal(
      withLock(directory, systemClock, () => 'done'),
      'done',
    )
    assert.deepEqual(readdirSync(directory), [])
  }
})

test('a lock older than 30 seconds is broken, whoever has it', (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'lock')
  const then = Date.now() / 1000 - 31
  for (const mark of [`${process.ppid} ${hostname()} 00\n`, '7 elsewhere 00\n', '']) {
    writeFileSync(path, mark)
    utimesSync(path, then, then)
    assert.equal(
      withLock(directory, systemClock, () => 'done'),
      'done',
    )
  }
})

test('a living lock is waited for, and not for ever', (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'lock')
  // The second is of another machine, where the same number may be alive.
  for (const mark of [`${process.ppid} ${hostname()} 00\n`, `${deadPid()} elsewhere 00\n`]) {
    writeFileSync(path, mark)
    const started = performance.now()
    let ran = false
    const work = () => {
      ran = true
    }
    assert.throws(() => withLock(directory, systemClock, work, 100), failure('internal'))
    assert.equal(ran, false)
    assert.ok(performance.now() - started >= 90)
    assert.equal(existsSync(path), true)
  }
})

test('who lost the lock is told so before the change, and does not remove the new one', (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'lock')
  withLock(directory, systemClock, (assertHeld) => {
    assertHeld()
    writeFileSync(path, 'another process')
    assert.throws(assertHeld, failure('internal'))
    rmSync(path)
    assert.throws(assertHeld, failure('internal'))
    writeFileSync(path, 'another process')
  })
  assert.equal(existsSync(path), true)
})
