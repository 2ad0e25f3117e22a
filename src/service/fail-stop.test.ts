import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { failStopExit, placeOf } from './fail-stop.ts'

const module = join(import.meta.dirname, 'fail-stop.ts')

/** Runs a program of its own that fails; answers how it ended. */
function failing(program: string) {
  const text = `
    import { failStop } from ${JSON.stringify(module)}
    failStop((line) => process.stderr.write(line + '\\n'))
    setTimeout(() => process.stdout.write('went on'), 200)
    function culprit() { ${program} }
    setTimeout(culprit, 1)
  `
  return spawnSync(process.execPath, ['--input-type=module', '--eval', text], { encoding: 'utf8' })
}

const failures: [what: string, program: string, name: RegExp][] = [
  ['an error', "throw new RangeError('the secret')", /RangeError\n {4}at \S*culprit /],
  ['a rejection', "Promise.reject(new TypeError('the secret'))", /TypeError\n {4}at \S*culprit /],
  ['a value', "throw 'the secret'", /a value that is no error, string/],
  ['a rejected value', "Promise.reject('the secret')", /ERR_UNHANDLED_REJECTION/],
  [
    'an error without a listener',
    "process.emit('error', Object.assign(new Error('the secret'), { code: 'ECONNRESET' }))",
    /Error ECONNRESET\n {4}at \S*culprit /,
  ],
  [
    'an error that names a request',
    'JSON.parse(\'{"the secret"\')',
    /SyntaxError\n {4}at JSON\.parse/,
  ],
]
for (const [what, program, name] of failures) {
  test(`${what} that nobody foresaw ends the process, says where, and quotes nothing`, () => {
    const { status, stdout, stderr } = failing(program)
    assert.equal(status, failStopExit, stderr)
    assert.equal(stdout, '')
    assert.match(stderr, /^the service failed: /)
    assert.match(stderr, name)
    assert.doesNotMatch(stderr, /secret/)
  })
}

test('a log that fails does not keep it alive', () => {
  const text = `
    import { failStop } from ${JSON.stringify(module)}
    failStop(() => { throw new Error('no log') })
    setTimeout(() => {}, 5000)
    throw new Error('first')
  `
  const { status } = spawnSync(process.execPath, ['--input-type=module', '--eval', text])
  assert.equal(status, failStopExit)
})

test('what looks like a place inside a message is not taken for one', () => {
  const error = new Error('one\n    at the secret (file:1:1)\n    at two')
  assert.doesNotMatch(placeOf(error), /secret|two/)
  const odd = Object.assign(new Error('x'), { code: 'no code' })
  assert.match(placeOf(odd), /^Error\n {4}at /)
})
