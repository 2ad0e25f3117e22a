import assert from 'node:assert/strict'
import { createHmac, hash } from 'node:crypto'
import { test } from 'node:test'
import { multiRegionKey, otherKey, uuidKey } from '../testing/fixtures.ts'
import { importedMaterialId } from './material-id.ts'

test('the id is an HMAC over label, key id and length, keyed by the material', () => {
  const identity = Buffer.alloc(32, 7)
  const message = Buffer.from(`kagiban/material-id/v1${uuidKey}\0\0\0 `)
  const expected = createHmac('sha256', identity).update(message).digest('hex')
  assert.equal(importedMaterialId(uuidKey, identity), expected)
})

test('the same material has the same id again, for the same key only', () => {
  const ids = new Set<string>()
  for (const keyId of [uuidKey, otherKey, multiRegionKey]) {
    for (const byte of [1, 2]) {
      for (const length of [32, 64, 65, 550]) {
        const identity = Buffer.alloc(length, byte)
        const id = importedMaterialId(keyId, identity)
        assert.match(id, /^[0-9a-f]{64}$/)
        assert.equal(importedMaterialId(keyId, Buffer.from(identity)), id)
        ids.add(id)
      }
    }
  }
  assert.equal(ids.size, 24)
})

test('material that HMAC takes for the same has ids of its own', () => {
  const long = Buffer.alloc(100, 3)
  const short = Buffer.alloc(32, 3)
  const identities = [
    long,
    hash('sha256', long, 'buffer'),
    short,
    Buffer.concat([short, Buffer.alloc(1)]),
  ]
  const ids = new Set(identities.map((each) => importedMaterialId(uuidKey, each)))
  assert.equal(ids.size, identities.length)
})
