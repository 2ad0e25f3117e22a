import assert from 'node:assert/strict'
import { createHmac, hkdfSync } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { hkdf, hmac } from './hmac.ts'

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))

test("HMAC and HKDF are Node's own", () => {
  fc.assert(
    fc.property(bytes(64), bytes(64), bytes(300), fc.string(), (key, salt, message, info) => {
      const expected = createHmac('sha256', key).update(message).update(salt).digest()
      assert.deepEqual(hmac(key, message, salt), expected)
      const derived = Buffer.from(hkdfSync('sha256', key, salt, info, 32))
      assert.deepEqual(hkdf(key, salt, info, 'other')[0], derived)
    }),
  )
})

test('a key longer than a block is refused rather than hashed', () => {
  assert.throws(() => hmac(Buffer.alloc(65), Buffer.alloc(1)), RangeError)
})
