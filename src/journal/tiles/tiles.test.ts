import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { appendLeaf, emptyTree, leafHash, rootHash } from '../merkle.ts'
import {
  consistencyProof,
  inclusionProof,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '../proofs.ts'
import { TileFile } from './tile-file.ts'
import { parseTilePath, tilePath } from './tile-path.ts'
import { StaleTiles, type TileRows, TileTree } from './tile-tree.ts'

function entryOf(index: number): Buffer {
  const entry = Buffer.alloc(33, 1)
  entry.writeUInt32BE(index, 29)
  return entry
}

class Rows implements TileRows {
  readonly kept = new Map<string, Buffer>()
  get = (level: number, number: number) => this.kept.get(`${level}/${number}`)
  put = (level: number, number: number, bytes: Buffer) => {
    this.kept.set(`${level}/${number}`, Buffer.from(bytes))
  }
}

function grown(size: number, rows = new Rows()): TileTree {
  const tree = new TileTree(rows, 0)
  for (let index = 0; index < size; index += 1) tree.append(entryOf(index))
  return tree
}

const size = 70_000
const large = grown(size)
const roots = new Map<number, string>()
for (let [index, tree] = [0, emptyTree]; index < size; index += 1) {
  tree = appendLeaf(tree, leafHash(entryOf(index)))
  roots.set(index + 1, rootHash(tree))
}

describe('paths of tiles', () => {
  test('are those of the specification', () => {
    const name = { level: 0, number: 1_234_067, width: 256 }
    assert.equal(tilePath(name), 'tile/0/x001/x234/067')
    assert.deepEqual(parseTilePath('tile/0/x001/x234/067'), name)
    assert.equal(tilePath({ level: 'entries', number: 0, width: 7 }), 'tile/entries/000.p/7')
  })

  test('have one spelling', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0, 1, 9, 10, 63, 'entries' as const),
        fc.integer({ min: 0, max: 10 ** 14 }),
        fc.integer({ min: 1, max: 256 }),
        (level, number, width) => {
          assert.deepEqual(parseTilePath(tilePath({ level, number, width })), {
            level,
            number,
            width,
          })
        },
      ),
    )
    const none = [
      ...['tile/0/1', 'tile/0/0001', 'tile/0/x000/001', 'tile/00/001', 'tile/64/001'],
      ...['tile/0/001.p/0', 'tile/0/001.p/256', 'tile/0/001.p/01', 'tile/0/001.p/', 'tile/-1/001'],
      ...['tile/0/001/', '/tile/0/001', 'tile/0/x001/x234/x067', 'tile/0/../001', 'tile/x/001'],
      ...[
        'tile/0/x1/234',
        `tile/0/${'x001/'.repeat(6)}001`,
        'tile/0/001?a',
        'tile/entries/001.p/999',
      ],
    ]
    for (const path of none) assert.equal(parseTilePath(path), undefined, path)
  })
})

describe('the tree in tiles', () => {
  test('has the tiles that the specification counts for 70,000 entries', () => {
    const has = (level: number | 'entries', number: number, width: number) =>
      large.read({ level, number, width }, size)?.length
    assert.equal(has(0, 272, 256), 8192)
    assert.equal(has(0, 273, 112), 112 * 32)
    assert.equal(has(0, 273, 113), undefined)
    assert.equal(has(0, 273, 256), undefined)
    assert.equal(has(1, 0, 256), 8192)
    assert.equal(has(1, 1, 17), 17 * 32)
    assert.equal(has(1, 1, 18), undefined)
    assert.equal(has(2, 0, 1), 32)
    assert.equal(has(2, 0, 2), undefined)
    assert.equal(has(3, 0, 1), undefined)
    assert.equal(has('entries', 273, 112), 112 * 35)
    assert.equal(has('entries', 273, 113), undefined)
    assert.equal(has('entries', 274, 1), undefined)
    // Of 256 entries: one full tile, and above it a partial one.
    assert.equal(large.read({ level: 0, number: 0, width: 256 }, 256)?.length, 8192)
    assert.equal(large.read({ level: 1, number: 0, width: 1 }, 256)?.length, 32)
    assert.equal(large.read({ level: 1, number: 0, width: 1 }, 255), undefined)
  })

  test('serves hashes that its entries have, and entries that its hashes are of', () => {
    const bundle = large.read({ level: 'entries', number: 5, width: 256 }, size) ?? Buffer.alloc(0)
    const tile = large.read({ level: 0, number: 5, width: 256 }, size) ?? Buffer.alloc(0)
    for (let at = 0; at < 256; at += 1) {
      assert.equal(bundle.readUInt16BE(at * 35), 33)
      const entry = bundle.subarray(at * 35 + 2, at * 35 + 35)
      assert.deepEqual(entry, entryOf(5 * 256 + at))
      assert.equal(leafHash(entry), tile.toString('latin1', at * 32, at * 32 + 32))
    }
    const above = large.read({ level: 1, number: 0, width: 6 }, size) ?? Buffer.alloc(0)
    const subtree = rootOf(
      (level, index) => large.subtrees(level, index + (5 * 256) / 2 ** level),
      256,
    )
    assert.equal(above.toString('latin1', 5 * 32, 6 * 32), subtree)
  })

  test('gives the root and the proofs of every size', () => {
    const some = fc.integer({ min: 1, max: size })
    fc.assert(
      fc.property(some, some, (one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)]
        const [fromRoot, toRoot] = [roots.get(from) ?? '', roots.get(to) ?? '']
        assert.equal(rootOf(large.subtrees, from), fromRoot)
        const proof = consistencyProof(large.subtrees, from, to)
        assert.ok(verifyConsistency(from, fromRoot, to, toRoot, proof))
        const path = inclusionProof(large.subtrees, from - 1, to)
        assert.ok(verifyInclusion(leafHash(entryOf(from - 1)), from - 1, to, path, toRoot))
      }),
      { numRuns: 30 },
    )
  })

  test('goes on from what was saved, at every size', () => {
    for (const at of [0, 1, 255, 256, 257, 511, 512, 1000]) {
      const rows = new Rows()
      grown(at, rows).save()
      const tree = new TileTree(rows, at)
      for (let index = at; index < 1100; index += 1) tree.append(entryOf(index))
      assert.equal(rootOf(tree.subtrees, 1100), roots.get(1100))
    }
  })

  test('is stale where a tile is missing', () => {
    const rows = new Rows()
    grown(300, rows).save()
    assert.throws(() => new TileTree(rows, 301), StaleTiles)
    rows.kept.delete('1/0')
    assert.throws(() => new TileTree(rows, 300), StaleTiles)
  })
})

test('tiles in a file are there again, and gone with their log', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'kagiban-tiles-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'a.db')
  const file = new TileFile(path)
  const { id, row } = file.log('main', 'one')
  assert.equal(row.cursor, undefined)
  const cursor = {
    position: { segment: 1, offset: 2, sequence: 300, batch: 4 },
    last: { segment: 1, offset: 1, checksum: 9 },
  }
  file.transaction(() => {
    const tree = new TileTree(file.rows(id), 0)
    for (let index = 0; index < 300; index += 1) tree.append(entryOf(index))
    tree.save()
    file.store(id, cursor, 'note')
  })
  file.close()
  const again = new TileFile(path)
  t.after(() => again.close())
  assert.deepEqual(again.log('main', 'one'), {
    id,
    row: { origin: 'one', cursor, checkpoint: 'note' },
  })
  assert.equal(rootOf(new TileTree(again.rows(id), 300).subtrees, 300), roots.get(300))
  const other = again.log('main', 'two')
  assert.equal(other.row.cursor, undefined)
  assert.equal(again.rows(id).get(0, 0), undefined)
})
