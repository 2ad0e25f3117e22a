import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import test from 'node:test'
import fc from 'fast-check'
import { appendLeaf, emptyTree, type Hash, leafHash, rootHash } from './merkle.ts'
import {
  consistencyProof,
  inclusionProof,
  maxProofHashes,
  rootOf,
  type Subtrees,
  verifyConsistency,
  verifyInclusion,
} from './proofs.ts'

const leaves = Array.from({ length: 600 }, (_, index) => leafHash(Buffer.from(`leaf ${index}`)))

/** MTH of RFC 6962 §2.1, word for word, and with its own hash. */
function naiveRoot(hashes: readonly Hash[]): Hash {
  const [first] = hashes
  if (first === undefined) throw new Error('an empty tree')
  if (hashes.length === 1) return first
  let split = 1
  while (split * 2 < hashes.length) split *= 2
  const children = naiveRoot(hashes.slice(0, split)) + naiveRoot(hashes.slice(split))
  return hash('sha256', Buffer.from(`\x01${children}`, 'latin1'), 'latin1')
}

/** PATH of RFC 6962 §2.1.1, word for word. */
function naivePath(index: number, hashes: readonly Hash[]): Hash[] {
  if (hashes.length === 1) return []
  let split = 1
  while (split * 2 < hashes.length) split *= 2
  const [left, right] = [hashes.slice(0, split), hashes.slice(split)]
  if (index < split) return [...naivePath(index, left), naiveRoot(right)]
  return [...naivePath(index - split, right), naiveRoot(left)]
}

/** SUBPROOF of RFC 6962 §2.1.2, word for word. */
function naiveSubproof(old: number, hashes: readonly Hash[], isWhole: boolean): Hash[] {
  if (old === hashes.length) return isWhole ? [] : [naiveRoot(hashes)]
  let split = 1
  while (split * 2 < hashes.length) split *= 2
  const [left, right] = [hashes.slice(0, split), hashes.slice(split)]
  if (old <= split) return [...naiveSubproof(old, left, isWhole), naiveRoot(right)]
  return [...naiveSubproof(old - split, right, false), naiveRoot(left)]
}

const subtrees: Subtrees = (level, index) =>
  naiveRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))

const sizes = fc.integer({ min: 1, max: leaves.length })
const pairs = fc
  .tuple(sizes, sizes)
  .map(([one, other]) => [Math.min(one, other), Math.max(one, other)])

test('the root out of subtrees is that of the growing tree', () => {
  let tree = emptyTree
  for (const [index, leaf] of leaves.slice(0, 300).entries()) {
    tree = appendLeaf(tree, leaf)
    assert.equal(rootOf(subtrees, index + 1), rootHash(tree))
  }
})

test('proofs are those of RFC 6962, and verify', () => {
  fc.assert(
    fc.property(pairs, ([one = 1, size = 1]) => {
      const index = one - 1
      const tree = leaves.slice(0, size)
      const root = naiveRoot(tree)
      const path = inclusionProof(subtrees, index, size)
      assert.deepEqual(path, naivePath(index, tree))
      assert.ok(verifyInclusion(leaves[index] ?? '', index, size, path, root))
      const proof = consistencyProof(subtrees, one, size)
      assert.deepEqual(proof, naiveSubproof(one, tree, true))
      assert.ok(verifyConsistency(one, naiveRoot(leaves.slice(0, one)), size, root, proof))
    }),
  )
})

test('no other leaf, place, size or root is proved, and no changed proof', () => {
  const flipped = (text: Hash) => String.fromCharCode(text.charCodeAt(0) ^ 1) + text.slice(1)
  fc.assert(
    fc.property(pairs, fc.nat(), ([one = 1, size = 1], at) => {
      const index = one - 1
      const root = rootOf(subtrees, size)
      const leaf = leaves[index] ?? ''
      const path = inclusionProof(subtrees, index, size)
      assert.ok(!verifyInclusion(flipped(leaf), index, size, path, root))
      assert.ok(!verifyInclusion(leaf, index, size, path, flipped(root)))
      assert.ok(!verifyInclusion(leaf, index, size, [...path, root], root))
      for (const other of [index - 1, index + 1, size, -1, 0.5]) {
        assert.ok(!verifyInclusion(leaf, other, size, path, root))
      }
      const old = rootOf(subtrees, one)
      const proof = consistencyProof(subtrees, one, size)
      assert.ok(!verifyConsistency(one, flipped(old), size, root, proof))
      assert.ok(!verifyConsistency(one, old, size, flipped(root), proof))
      assert.ok(!verifyConsistency(one, old, size, root, [...proof, root]))
      assert.ok(!verifyConsistency(size + 1, old, size, root, proof))
      assert.ok(!verifyConsistency(0, old, size, root, [root]))
      for (const list of [path, proof]) {
        if (list.length === 0) continue
        const place = at % list.length
        const changed = list.map((hash, index) => (index === place ? flipped(hash) : hash))
        const shorter = list.filter((_, index) => index !== place)
        for (const wrong of [changed, shorter]) {
          assert.ok(
            !verifyInclusion(leaf, index, size, list === path ? wrong : path.slice(1), root) ||
              list !== path,
          )
          if (list === proof) assert.ok(!verifyConsistency(one, old, size, root, wrong))
        }
      }
    }),
  )
})

test('a tree of other leaves is not consistent, whatever proof is given', () => {
  const other = [...leaves.slice(0, 99), leafHash(Buffer.from('another')), ...leaves.slice(100)]
  const forked: Subtrees = (level, index) =>
    naiveRoot(other.slice(index * 2 ** level, (index + 1) * 2 ** level))
  for (const from of [100, 101, 128, 200, 255]) {
    const held = rootOf(subtrees, from)
    const root = rootOf(forked, 256)
    assert.ok(!verifyConsistency(from, held, 256, root, consistencyProof(forked, from, 256)))
    assert.ok(!verifyConsistency(from, held, 256, root, consistencyProof(subtrees, from, 256)))
  }
})

test('the largest sizes stay exact', () => {
  const max = Number.MAX_SAFE_INTEGER
  const seen: Subtrees = (level, index) => {
    assert.ok(Number.isSafeInteger(index) && (index + 1) * 2 ** level <= max, `${level}/${index}`)
    return 'x'.repeat(32)
  }
  for (const size of [2 ** 52 + 1, 2 ** 52, 2 ** 49 - 1, max]) {
    for (const index of [0, 1, 2 ** 31, 2 ** 48, size - 1].filter((one) => one < size)) {
      const path = inclusionProof(seen, index, size)
      assert.ok(path.length <= maxProofHashes)
      if (index > 0) assert.ok(consistencyProof(seen, index, size).length <= maxProofHashes)
    }
  }
})

test('a leaf or a tree that is not there has no proof', () => {
  for (const [index, size] of [
    [0, 0],
    [5, 5],
    [-1, 3],
    [1.5, 3],
  ] as const) {
    assert.throws(() => inclusionProof(subtrees, index, size), RangeError)
  }
  assert.throws(() => consistencyProof(subtrees, 4, 3), RangeError)
  assert.deepEqual(consistencyProof(subtrees, 0, 3), [])
})
