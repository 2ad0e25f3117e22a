import { hash } from 'node:crypto'

/**
 * The Merkle tree of RFC 6962 §2.1, as it grows: only the roots of its complete subtrees are kept (the frontier).
 *
 * A hash is a string of 32 latin1 characters, one per byte: node:crypto hands those out three times as fast as
 * Buffers. The frontier is an immutable list, so that an older state of the tree is kept by keeping a reference.
 */
export type Hash = string

type Frontier =
  | { readonly hash: Hash; readonly leaves: number; readonly left: Frontier }
  | undefined

export type Tree = { readonly size: number; readonly frontier: Frontier }

export const hashBytes = 32

export const emptyTree: Tree = { size: 0, frontier: undefined }

const emptyRoot = hash('sha256', Buffer.alloc(0), 'latin1')
const nodeInput = Buffer.alloc(1 + 2 * hashBytes, 0x01)
const entryLeafInput = Buffer.from([0x00, 0x00, ...new Uint8Array(hashBytes)])

/** SHA-256(0x00 ‖ entry). */
export function leafHash(entry: Buffer): Hash {
  return hash('sha256', Buffer.concat([Buffer.of(0x00), entry]), 'latin1')
}

/** The leaf hash of a journal entry, whose tree entry is its type (`entry.ts`) ‖ SHA-256(text). */
export function entryLeafHash(type: number, text: Buffer): Hash {
  entryLeafInput[1] = type
  entryLeafInput.write(hash('sha256', text, 'latin1'), 2, 'latin1')
  return hash('sha256', entryLeafInput, 'latin1')
}

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Hash, right: Hash): Hash {
  nodeInput.write(left, 1, 'latin1')
  nodeInput.write(right, 1 + hashBytes, 'latin1')
  return hash('sha256', nodeInput, 'latin1')
}

export function appendLeaf(tree: Tree, leaf: Hash): Tree {
  let frontier: Exclude<Frontier, undefined> = { hash: leaf, leaves: 1, left: tree.frontier }
  while (frontier.left !== undefined && frontier.left.leaves === frontier.leaves) {
    const { left, leaves } = frontier
    frontier = { hash: nodeHash(left.hash, frontier.hash), leaves: 2 * leaves, left: left.left }
  }
  return { size: tree.size + 1, frontier }
}

export function rootHash(tree: Tree): Hash {
  if (tree.frontier === undefined) return emptyRoot
  let root = tree.frontier.hash
  for (let next = tree.frontier.left; next !== undefined; next = next.left) {
    root = nodeHash(next.hash, root)
  }
  return root
}

/** The frontier's hashes, the largest subtree first. Their number is the number of ones in the tree's size. */
export function frontierHashes(tree: Tree): Hash[] {
  const hashes: Hash[] = []
  for (let next = tree.frontier; next !== undefined; next = next.left) hashes.unshift(next.hash)
  return hashes
}

/** The tree with that size and frontier, which has as many hashes as the size has ones. */
export function treeOf(size: number, frontier: readonly Hash[]): Tree {
  let tree: Frontier
  let rest = size
  for (const hash of frontier) {
    const leaves = 2 ** Math.floor(Math.log2(rest))
    tree = { hash, leaves, left: tree }
    rest -= leaves
  }
  if (rest !== 0) throw new RangeError(`a tree of ${size} leaves has another frontier`)
  return { size, frontier: tree }
}
