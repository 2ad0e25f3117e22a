import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { quickCost, temporaryDirectory } from '../testing/fixtures.ts'
import { testRootDriver } from '../testing/root-conformance.ts'
import {
  createPassphraseRoot,
  defaultCost,
  openPassphraseRoot,
  rootParametersFile,
} from './passphrase.ts'

const passphrase = Buffer.from('correct horse battery staple')
const bound = Buffer.from('bound')

testRootDriver('passphrase', {
  create: (directory) => createPassphraseRoot(directory, passphrase, quickCost),
  open: (directory) => openPassphraseRoot(directory, passphrase),
})

test('the default cost is 128 MiB of scrypt', (t) => {
  const directory = temporaryDirectory(t)
  const wrapped = createPassphraseRoot(directory, passphrase).wrap(Buffer.from('key'), bound)
  const parameters = JSON.parse(readFileSync(join(directory, rootParametersFile), 'utf8'))
  const { salt, ...cost } = parameters
  assert.deepEqual(cost, { version: 1, kdf: 'scrypt', ...defaultCost })
  assert.deepEqual(defaultCost, { N: 131072, r: 8, p: 1 })
  assert.equal(Buffer.from(salt, 'base64').length, 32)
  assert.equal(statSync(join(directory, rootParametersFile)).mode & 0o777, 0o600)
  const opened = openPassphraseRoot(directory, passphrase)?.unwrap(wrapped, bound)
  assert.equal(opened?.toString(), 'key')
})

test('another passphrase opens nothing', (t) => {
  const directory = temporaryDirectory(t)
  const wrapped = createPassphraseRoot(directory, passphrase, quickCost).wrap(passphrase, bound)
  const other = openPassphraseRoot(directory, Buffer.from('correct horse battery stapler'))
  assert.equal(other?.unwrap(wrapped, bound), undefined)
})

test('the passphrase is wiped nowhere but by its owner', (t) => {
  const given = Buffer.from('kept')
  createPassphraseRoot(temporaryDirectory(t), given, quickCost)
  assert.equal(given.toString(), 'kept')
})

test('a root with a passphrase does not open without', (t) => {
  const directory = temporaryDirectory(t)
  createPassphraseRoot(directory, passphrase, quickCost)
  assert.throws(() => openPassphraseRoot(directory, undefined), {
    name: 'StartRefused',
    message: 'This key hierarchy needs the passphrase it was made with, and none was given.',
  })
})

test('parameters that are damaged, or that would take all memory, are refused', (t) => {
  const directory = temporaryDirectory(t)
  const good = { version: 1, kdf: 'scrypt', N: 16, r: 8, p: 1, salt: 'AAAA' }
  const bad = [
    '',
    '[]',
    JSON.stringify({ ...good, version: 2 }),
    JSON.stringify({ ...good, kdf: 'md5' }),
    JSON.stringify({ ...good, N: 15 }),
    JSON.stringify({ ...good, N: 1 }),
    JSON.stringify({ ...good, N: 2 ** 24 }),
    JSON.stringify({ ...good, p: -1 }),
    JSON.stringify({ ...good, salt: 7 }),
  ]
  for (const text of bad) {
    writeFileSync(join(directory, rootParametersFile), text, { mode: 0o600 })
    assert.throws(
      () => openPassphraseRoot(directory, passphrase),
      { name: 'StartRefused', message: 'root.json does not hold the parameters of a root.' },
      text,
    )
  }
})
