import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lineChanges } from './line-changes.ts'

test('what stayed is left out', () => {
  assert.deepEqual(lineChanges([], []), [])
  assert.deepEqual(lineChanges(['a', 'b'], ['a', 'b']), [])
  assert.deepEqual(lineChanges(['a', 'b', 'c'], ['a', 'x', 'c']), ['- b', '+ x'])
  assert.deepEqual(lineChanges([], ['a']), ['+ a'])
  assert.deepEqual(lineChanges(['a'], []), ['- a'])
})

test('taking away what went and adding what came leads from one to the other', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 })
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const changes = lineChanges(before, after)
      const counted = (all: readonly string[]) => [...all].sort().join('')
      const gone = changes.filter((line) => line.startsWith('- ')).map((line) => line.slice(2))
      const come = changes.filter((line) => line.startsWith('+ ')).map((line) => line.slice(2))
      assert.equal(counted([...after, ...gone]), counted([...before, ...come]))
    }),
  )
})

test('very long ones are shown as a whole', () => {
  const many = (letter: string) => Array.from({ length: 2500 }, (_, at) => `${letter}${at}`)
  assert.equal(lineChanges(many('a'), many('b')).length, 5000)
})
