import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OperatorError } from '../src/operator/socket.ts'
import { run } from './run.ts'

test('what a service said in a failure does not act on the terminal', async (t) => {
  const written: string[] = []
  t.mock.method(process.stderr, 'write', (text: string) => written.push(text) > 0)
  const command = {
    ...{ words: ['x'], synopsis: 'x', summary: '', help: '' },
    run: async () => {
      throw new OperatorError('Denied: \u001b[2J\u009b31m\u202ea\nb')
    },
  }
  const code = await run(command, { argv: [], env: {} })
  t.mock.restoreAll()
  assert.equal(code, 1)
  assert.deepEqual(written, ['kagiban: Denied: \\u{1b}[2J\\u{9b}31m\\u{202e}a\nb\n'])
})
