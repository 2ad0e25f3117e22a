import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../testing/fixtures.ts'
import { testRootDriver } from '../testing/root-conformance.ts'
import { createFileRoot, openFileRoot, rootKeyFile } from './file.ts'

testRootDriver('file', { create: createFileRoot, open: openFileRoot })

test('the root key file has 32 bytes, mode 0600, and nothing is left beside it', (t) => {
  const directory = temporaryDirectory(t)
  createFileRoot(directory)
  const path = join(directory, rootKeyFile)
  assert.equal(readFileSync(path).length, 32)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(directory), [rootKeyFile])
})

test('a root key file that others may read is refused', (t) => {
  const directory = temporaryDirectory(t)
  createFileRoot(directory)
  for (const mode of [0o640, 0o604, 0o620, 0o601]) {
    chmodSync(join(directory, rootKeyFile), mode)
    assert.throws(() => openFileRoot(directory), {
      name: 'StartRefused',
      message: `The root key file lets others than its owner in (mode ${mode.toString(8)}); make it 0600.`,
    })
  }
})

test('a root key file of another size is refused', (t) => {
  const directory = temporaryDirectory(t)
  for (const size of [0, 31, 33]) {
    writeFileSync(join(directory, rootKeyFile), Buffer.alloc(size), { mode: 0o600 })
    assert.throws(() => openFileRoot(directory), {
      name: 'StartRefused',
      message: `The root key file is ${size} bytes long; it must be 32.`,
    })
  }
})

test('a symbolic link is not followed', (t) => {
  const [directory, elsewhere] = [temporaryDirectory(t), temporaryDirectory(t)]
  createFileRoot(elsewhere)
  symlinkSync(join(elsewhere, rootKeyFile), join(directory, rootKeyFile))
  assert.throws(() => openFileRoot(directory), { code: 'ELOOP' })
})
