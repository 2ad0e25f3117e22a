import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { RootDriver } from '../drivers/root.ts'
import { temporaryDirectory } from './fixtures.ts'

/** What makes a root of some driver in an empty folder, and opens it again. */
export type RootUnderTest = {
  readonly create: (directory: string) => RootDriver
  readonly open: (directory: string) => RootDriver | undefined
}

/** What every root driver must do. */
export function testRootDriver(name: string, { create, open }: RootUnderTest): void {
  const bound = Buffer.from('where it belongs')
  const key = Buffer.from('0123456789abcdef0123456789abcdef')
  const scenario = (what: string, run: (t: TestContext) => void) =>
    test(`root driver ${name}: ${what}`, run)

  scenario('says its name', (t) => {
    assert.equal(create(temporaryDirectory(t)).name, name)
  })
  scenario('finds no root in an empty folder', (t) => {
    assert.equal(open(temporaryDirectory(t)), undefined)
  })
  scenario('opens what it wrapped, also after it was opened again', (t) => {
    const directory = temporaryDirectory(t)
    const root = create(directory)
    const wrapped = root.wrap(key, bound)
    assert.deepEqual(root.unwrap(wrapped, bound), key)
    assert.deepEqual(open(directory)?.unwrap(wrapped, bound), key)
  })
  scenario('wraps the same key differently each time, and never in clear', (t) => {
    const root = create(temporaryDirectory(t))
    const wrapped = root.wrap(key, bound)
    assert.notDeepEqual(wrapped, root.wrap(key, bound))
    assert.equal(wrapped.includes(key.subarray(0, 8)), false)
  })
  scenario('opens nothing that was moved or altered in any bit', (t) => {
    const root = create(temporaryDirectory(t))
    const wrapped = root.wrap(key, bound)
    assert.equal(root.unwrap(wrapped, Buffer.from('elsewhere')), undefined)
    assert.equal(root.unwrap(wrapped.subarray(0, -1), bound), undefined)
    assert.equal(root.unwrap(Buffer.alloc(0), bound), undefined)
    for (let bit = 0; bit < wrapped.length * 8; bit++) {
      const altered = Buffer.from(wrapped)
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.equal(root.unwrap(altered, bound), undefined, `bit ${bit}`)
    }
  })
  scenario('opens nothing of another root', (t) => {
    const wrapped = create(temporaryDirectory(t)).wrap(key, bound)
    assert.equal(create(temporaryDirectory(t)).unwrap(wrapped, bound), undefined)
  })
}
