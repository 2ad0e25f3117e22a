import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readPlainFile, sweepTemporaries, writeDurably } from './durable.ts'
import { temporaryDirectory } from './testing/fixtures.ts'

test('a file is replaced as a whole, with mode 0600', (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'file')
  writeFileSync(path, 'a long old content', { mode: 0o644 })
  writeDurably(directory, 'file', Buffer.from('new'))
  assert.equal(readFileSync(path, 'utf8'), 'new')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(directory), ['file'])
})

test('a write that is called off leaves the old file and no other', (t) => {
  const directory = temporaryDirectory(t)
  writeDurably(directory, 'file', Buffer.from('old'))
  const refuse = () => {
    throw new RangeError('no')
  }
  assert.throws(() => writeDurably(directory, 'file', Buffer.from('new'), refuse), RangeError)
  assert.equal(readFileSync(join(directory, 'file'), 'utf8'), 'old')
  assert.deepEqual(readdirSync(directory), ['file'])
})

test('reading has a limit and tells a missing file from an empty one', (t) => {
  const directory = temporaryDirectory(t)
  writeDurably(directory, 'file', Buffer.from('12345'))
  assert.deepEqual(readPlainFile(join(directory, 'file'), 5), {
    bytes: Buffer.from('12345'),
    mode: 0o600,
  })
  assert.throws(() => readPlainFile(join(directory, 'file'), 4), /longer than 4 bytes/)
  assert.equal(readPlainFile(join(directory, 'none'), 5), undefined)
})

test('sweeping removes temporary files and nothing else', (t) => {
  const directory = temporaryDirectory(t)
  writeFileSync(join(directory, 'a.tmp'), '')
  writeFileSync(join(directory, 'tmp'), '')
  sweepTemporaries(directory)
  assert.equal(existsSync(join(directory, 'a.tmp')), false)
  assert.equal(existsSync(join(directory, 'tmp')), true)
})
