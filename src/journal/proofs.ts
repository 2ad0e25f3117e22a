import { type Hash, nodeHash } from './merkle.ts'

/**
 * Proofs about the tree of RFC 6962: that a leaf is in it (§2.1.1), and that a tree begins with another (§2.1.2). A
 * proof is a list of hashes from the deepest to the one below the root. Sizes are whole numbers below 2^53, so that a
 * proof has 54 hashes at most.
 */
export type Proof = readonly Hash[]

/** The root of the complete subtree over the leaves from `index * 2^level` on, `2^level` of them. */
export type Subtrees = (level: number, index: number) => Hash

export const maxProofHashes = 54

/** The root of the tree over the first `size` leaves, which are one at the least. */
export function rootOf(subtrees: Subtrees, size: number): Hash {
  return hashOf(subtrees, 0, size)
}

/** That the leaf `index` is in the tree of `size` leaves: PATH(index, D[size]). */
export function inclusionProof(subtrees: Subtrees, index: number, size: number): Hash[] {
  if (!isSize(size) || !isSize(index) || index >= size) {
    throw new RangeError(`no leaf ${index} in a tree of ${size}`)
  }
  const proof: Hash[] = []
  let start = 0
  let leaves = size
  while (leaves > 1) {
    const left = splitOf(leaves)
    const isLeft = index < start + left
    proof.push(
      isLeft ? hashOf(subtrees, start + left, leaves - left) : hashOf(subtrees, start, left),
    )
    if (!isLeft) start += left
    leaves = isLeft ? left : leaves - left
  }
  return proof.reverse()
}

/** That the tree of `to` leaves begins with that of `from`: PROOF(from, D[to]). Empty if one of them says all. */
export function consistencyProof(subtrees: Subtrees, from: number, to: number): Hash[] {
  if (!isSize(from) || !isSize(to) || from > to) {
    throw new RangeError(`no tree of ${from} leaves in one of ${to}`)
  }
  const proof: Hash[] = []
  if (from === 0) return proof
  let start = 0
  let [old, leaves] = [from, to]
  while (old < leaves) {
    const left = splitOf(leaves)
    const isLeft = old <= left
    proof.push(
      isLeft ? hashOf(subtrees, start + left, leaves - left) : hashOf(subtrees, start, left),
    )
    if (!isLeft) [start, old] = [start + left, old - left]
    leaves = isLeft ? left : leaves - left
  }
  // What both have in common is known to whoever knows the old root, unless it is only a part of that tree.
  if (start > 0) proof.push(hashOf(subtrees, start, leaves))
  return proof.reverse()
}

/** The root that `proof` leads to from the leaf, or undefined if it is no proof for these numbers. */
export function rootFromInclusion(
  leaf: Hash,
  index: number,
  size: number,
  proof: Proof,
): Hash | undefined {
  if (!isSize(size) || !isSize(index) || index >= size) return undefined
  const steps: boolean[] = []
  for (let [at, leaves] = [index, size]; leaves > 1; ) {
    const left = splitOf(leaves)
    const isLeft = at < left
    steps.push(isLeft)
    ;[at, leaves] = isLeft ? [at, left] : [at - left, leaves - left]
  }
  if (steps.length !== proof.length) return undefined
  return proof.reduce(
    (root, sibling) => (steps.pop() ? nodeHash(root, sibling) : nodeHash(sibling, root)),
    leaf,
  )
}

export function verifyInclusion(
  leaf: Hash,
  index: number,
  size: number,
  proof: Proof,
  root: Hash,
): boolean {
  return rootFromInclusion(leaf, index, size, proof) === root
}

/** Whether the tree of `to` leaves with `toRoot` begins with that of `from` leaves with `fromRoot`. */
export function verifyConsistency(
  from: number,
  fromRoot: Hash,
  to: number,
  toRoot: Hash,
  proof: Proof,
): boolean {
  if (!isSize(from) || !isSize(to) || from > to) return false
  if (from === 0) return proof.length === 0
  if (from === to) return proof.length === 0 && fromRoot === toRoot
  const steps: boolean[] = []
  let [old, leaves] = [from, to]
  while (old < leaves) {
    const left = splitOf(leaves)
    const isLeft = old <= left
    steps.push(isLeft)
    ;[old, leaves] = isLeft ? [old, left] : [old - left, leaves - left]
  }
  const isWhole = steps.every((isLeft) => isLeft)
  const [first, ...rest] = isWhole ? [fromRoot, ...proof] : proof
  if (first === undefined || rest.length !== steps.length) return false
  let [oldRoot, newRoot] = [first, first]
  for (const sibling of rest) {
    if (steps.pop()) newRoot = nodeHash(newRoot, sibling)
    else [oldRoot, newRoot] = [nodeHash(sibling, oldRoot), nodeHash(sibling, newRoot)]
  }
  return oldRoot === fromRoot && newRoot === toRoot
}

/** Of `leaves` leaves from `start` on, which is a multiple of every power of two below `leaves`. */
function hashOf(subtrees: Subtrees, start: number, leaves: number): Hash {
  const level = Math.log2(leaves)
  if (Number.isInteger(level) && 2 ** level === leaves) return subtrees(level, start / leaves)
  const left = splitOf(leaves)
  return nodeHash(hashOf(subtrees, start, left), hashOf(subtrees, start + left, leaves - left))
}

/** The largest power of two below `leaves`, which are two at the least. */
function splitOf(leaves: number): number {
  let split = 2 ** Math.floor(Math.log2(leaves))
  // The logarithm of a large number that is no power of two may be rounded to the next whole number.
  while (split >= leaves) split /= 2
  return split
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
