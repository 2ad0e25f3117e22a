import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kagiban } from '../support/cli.ts'

test('the tour plays to its end', async () => {
  const { code, stdout, stderr } = await kagiban('tour')
  assert.equal(code, 0, `${stdout}\n${stderr}`)
  assert.match(stdout, /That was the tour/)
})

test('the tour takes no option that it does not know', async () => {
  const { code, stderr } = await kagiban('tour', '--fast')
  assert.equal(code, 2)
  assert.match(stderr, /--fast/)
})
