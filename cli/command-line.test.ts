import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { describe, test } from 'node:test'
import { dataDirectory, parse, serviceOptions } from './command-line.ts'

const invocation = (...argv: string[]) => ({ argv, env: {} })
const usage = (message: string | RegExp) => ({ name: 'UsageError', message })

describe('a command line', () => {
  test('is options and what the command names', () => {
    const { values, positionals } = parse(
      invocation('file', '--data', 'd', '--node=n', '--root-passphrase-fd', '3'),
      serviceOptions,
      ['FILE'],
    )
    assert.deepEqual({ ...values }, { data: 'd', node: 'n', 'root-passphrase-fd': '3' })
    assert.deepEqual(positionals, ['file'])
    const dashed = parse(invocation('--', '--data'), serviceOptions, ['FILE'])
    assert.deepEqual(dashed.positionals, ['--data'])
  })

  test('with too little or too much is refused', () => {
    assert.throws(() => parse(invocation(), {}, ['FILE']), usage('Give FILE; got none.'))
    assert.throws(() => parse(invocation('a', 'b'), {}, ['FILE']), usage('Give FILE; got 2.'))
    assert.throws(() => parse(invocation('a'), {}, []), usage('Give no arguments; got 1.'))
  })

  test('with unknown options, or options without their value, is refused', () => {
    assert.throws(() => parse(invocation('--nope'), {}, []), usage(/^Unknown option '--nope'/))
    assert.throws(
      () => parse(invocation('--data'), serviceOptions, []),
      usage(/^Option '--data <value>' argument missing/),
    )
    for (const name of Object.keys(serviceOptions)) {
      assert.throws(
        () => parse(invocation(`--${name}=`), serviceOptions, []),
        usage(`--${name} is empty.`),
      )
    }
  })
})

test('the data folder is the option, the variable, or the default', () => {
  const env = { KAGIBAN_DATA: '/env' }
  assert.equal(dataDirectory('/option', env), '/option')
  assert.equal(dataDirectory(undefined, env), '/env')
  assert.equal(dataDirectory(undefined, { KAGIBAN_DATA: '' }), resolve('data'))
  assert.equal(dataDirectory('relative/folder', {}), resolve('relative/folder'))
})
