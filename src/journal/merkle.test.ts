import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  appendLeaf,
  emptyTree,
  entryLeafHash,
  frontierHashes,
  leafHash,
  rootHash,
} from './merkle.ts'

const hex = (hash: string) => Buffer.from(hash, 'latin1').toString('hex')
const sha256 = (...parts: Buffer[]) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** MTH of RFC 6962 §2.1, word by word. */
function naiveRoot(entries: readonly Buffer[]): Buffer {
  const [first] = entries
  if (first === undefined) return sha256()
  if (entries.length === 1) return sha256(Buffer.of(0), first)
  let split = 1
  while (split * 2 < entries.length) split *= 2
  const [left, right] = [entries.slice(0, split), entries.slice(split)]
  return sha256(Buffer.of(1), naiveRoot(left), naiveRoot(right))
}

const root = (entries: readonly Buffer[]) =>
  rootHash(entries.reduce((tree, entry) => appendLeaf(tree, leafHash(entry)), emptyTree))

test('the roots of the published Certificate Transparency test tree', () => {
  const entries = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ].map((entry) => Buffer.from(entry, 'hex'))
  const roots = [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ]
  roots.forEach((expected, size) => {
    assert.equal(hex(root(entries.slice(0, size))), expected, `size ${size}`)
    assert.equal(naiveRoot(entries.slice(0, size)).toString('hex'), expected, `naive, size ${size}`)
  })
})

test('any tree has the root that the definition gives', () => {
  const entries = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 70 })
  fc.assert(
    fc.property(entries, (arrays) => {
      const buffers = arrays.map((array) => Buffer.from(array))
      assert.equal(hex(root(buffers)), naiveRoot(buffers).toString('hex'))
    }),
  )
})

test('the entry of a record is 0x01 and its SHA-256', () => {
  const record = Buffer.from('{"eventName":"Decrypt"}')
  const entry = Buffer.concat([Buffer.of(1), sha256(record)])
  assert.equal(hex(entryLeafHash(1, record)), sha256(Buffer.of(0), entry).toString('hex'))
})

test('an older tree stays as it was when leaves are appended', () => {
  let tree = emptyTree
  const roots: string[] = []
  const trees = [tree]
  for (let leaf = 0; leaf < 100; leaf += 1) {
    roots.push(rootHash(tree))
    tree = appendLeaf(tree, leafHash(Buffer.of(leaf)))
    trees.push(tree)
  }
  roots.forEach((expected, size) => {
    const older = trees[size] ?? emptyTree
    assert.equal(rootHash(older), expected)
    const ones = size.toString(2).replaceAll('0', '').length
    assert.equal(frontierHashes(older).length, ones)
  })
})
