import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forgottenMax, MaterialCache } from './material-cache.ts'
import { formOf } from './material-text.ts'
import type { OpenMaterial } from './open-material.ts'
import type { Material } from './port.ts'
import { failure, keyName, otherRegion, region } from './testing/fixtures.ts'

function material(number: number, parts: Partial<Material> = {}): Material {
  const materialId = number.toString(16).padStart(64, '0')
  return { ...keyName(), materialId, wrapped: `form ${number}`, generation: 1, ...parts }
}

const form = (number: number) => formOf(material(number))

const bytes = () => Buffer.alloc(32, 7)

function padsOf(open: OpenMaterial | undefined): Buffer {
  assert.equal(open?.kind, 'symmetric')
  return open.key.pads
}

test('the least recently used leaves, and is overwritten', () => {
  const cache = new MaterialCache(3)
  const kept = ['a', 'b', 'c'].map((name, index) => cache.add(name, material(index), bytes()))
  assert.ok(kept.every((each) => padsOf(each).some((byte) => byte !== 0)))
  assert.equal(cache.get('a'), kept[0])
  cache.add('d', material(4), bytes())
  assert.equal(cache.size, 3)
  assert.equal(cache.get('b'), undefined)
  assert.equal(cache.get('a'), kept[0])
  assert.deepEqual(padsOf(kept[1]), Buffer.alloc(128))
  assert.notDeepEqual(padsOf(kept[0]), Buffer.alloc(128))
})

test('the material that is added is wiped', () => {
  const given = bytes()
  new MaterialCache().add('a', material(1), given)
  assert.deepEqual(given, Buffer.alloc(32))
})

test('forgetting takes every entry of the material, and no other', () => {
  const cache = new MaterialCache()
  const first = cache.add('a', material(1), bytes())
  cache.add('a rewrapped', material(1), bytes())
  cache.add('b', material(2), bytes())
  cache.forget([1, 99].map(form))
  assert.equal(cache.size, 1)
  assert.deepEqual(padsOf(first), Buffer.alloc(128))
  assert.notEqual(cache.get('b'), undefined)
})

test('what was forgotten is refused, for as long as a call with it may be under way', () => {
  const cache = new MaterialCache()
  const refused = failure('key-unavailable')
  cache.refuseForgotten(material(1))
  cache.forget([form(1)])
  assert.throws(() => cache.refuseForgotten(material(1)), refused)
  cache.refuseForgotten(material(2))
  cache.forget(Array.from({ length: forgottenMax - 1 }, (_, index) => form(index + 10)))
  assert.throws(() => cache.refuseForgotten(material(1)), refused)
  cache.forget([form(2)])
  assert.throws(() => cache.refuseForgotten(material(2)), refused)
  cache.refuseForgotten(material(1))
  cache.forget([form(10), form(3)])
  assert.throws(() => cache.refuseForgotten(material(10)), refused, 'it was renewed')
  cache.refuseForgotten(material(11))
})

test('the same material in another form is wiped, and not refused', () => {
  const cache = new MaterialCache()
  const again = material(1, { wrapped: 'imported again' })
  const open = cache.add('again', again, bytes())
  cache.forget([form(1)])
  assert.equal(cache.get('again'), undefined)
  assert.deepEqual(padsOf(open), Buffer.alloc(128))
  cache.refuseForgotten(again)
  assert.throws(() => cache.refuseForgotten(material(1)), failure('key-unavailable'))
})

test('retirement takes what older domain keys of the region wrapped', () => {
  const cache = new MaterialCache()
  cache.add('old', material(1, { generation: 1 }), bytes())
  cache.add('new', material(2, { generation: 2 }), bytes())
  cache.add('elsewhere', material(3, { generation: 1, region: otherRegion }), bytes())
  cache.forgetOlder(region, 2)
  assert.deepEqual(
    ['old', 'new', 'elsewhere'].map((name) => cache.get(name) !== undefined),
    [false, true, true],
  )
})

test('a cache for one is refused: re-encryption needs two', () => {
  assert.throws(() => new MaterialCache(1), RangeError)
})
