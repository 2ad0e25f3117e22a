import assert from 'node:assert/strict'
import { createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { binding, fromBase64, generationOf, unwrap, wrap, wrapOverhead } from './wrap.ts'

const secret = randomBytes(32)
const key = createSecretKey(secret)
const bound = binding('key-material', 'us-east-1', '111122223333')

test('the layout is version, generation, IV, ciphertext, tag, as documented', () => {
  const wrapped = wrap(key, 0x01020304, Buffer.from('material'), bound)
  assert.equal(wrapped.toString('hex', 0, 5), '0101020304')
  assert.equal(wrapped.length, wrapOverhead + 8)
  assert.equal(wrapOverhead, 33)
  const decipher = createDecipheriv('aes-256-gcm', secret, wrapped.subarray(5, 17))
  decipher.setAAD(Buffer.concat([wrapped.subarray(0, 5), bound]))
  decipher.setAuthTag(wrapped.subarray(-16))
  const opened = Buffer.concat([decipher.update(wrapped.subarray(17, -16)), decipher.final()])
  assert.equal(opened.toString(), 'material')
})

test('the binding is length-prefixed: no parts run into one another', () => {
  const expected = ['kagiban/wrap/v1', 'domain-key', 'us-east-1', '7'].map((part) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(part.length)
    return Buffer.concat([length, Buffer.from(part)])
  })
  assert.deepEqual(binding('domain-key', 'us-east-1', '7'), Buffer.concat(expected))
  const parts = fc.array(fc.string({ maxLength: 4 }), { maxLength: 4 })
  fc.assert(
    fc.property(parts, parts, (left, right) => {
      const same = JSON.stringify(left) === JSON.stringify(right)
      const [a, b] = [left, right].map((each) => binding('domain-key', ...each).toString('hex'))
      assert.equal(a === b, same)
    }),
  )
})

test('nothing opens with another binding, another key or any flipped bit', () => {
  const wrapped = wrap(key, 3, Buffer.from('material'), bound)
  assert.equal(unwrap(key, wrapped, bound)?.toString(), 'material')
  assert.equal(unwrap(key, wrapped, binding('domain-key', 'us-east-1', '111122223333')), undefined)
  assert.equal(unwrap(key, wrapped, binding('key-material', 'us-east-1')), undefined)
  assert.equal(unwrap(createSecretKey(randomBytes(32)), wrapped, bound), undefined)
  for (let bit = 0; bit < wrapped.length * 8; bit++) {
    const altered = Buffer.from(wrapped)
    altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.equal(unwrap(key, altered, bound), undefined, `bit ${bit}`)
  }
})

test('what cannot be a wrapped key has no generation', () => {
  assert.equal(generationOf(Buffer.alloc(0)), undefined)
  assert.equal(generationOf(Buffer.alloc(wrapOverhead - 1, 1)), undefined)
  assert.equal(generationOf(Buffer.alloc(wrapOverhead)), undefined)
  assert.equal(generationOf(Buffer.alloc(wrapOverhead, 1)), 0x01010101)
  assert.equal(generationOf(Buffer.alloc(20_000, 1)), undefined)
})

test('base64 is read strictly', () => {
  assert.deepEqual(fromBase64('AQI='), Buffer.of(1, 2))
  for (const text of ['AQI', 'AQJ=', 'AQI=\n', ' AQI=', 'A-I=', 'A'.repeat(40_000)]) {
    assert.equal(fromBase64(text), undefined, text)
  }
})
