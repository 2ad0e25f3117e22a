import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { inverse, multiply, toBytes, toNumber } from './modular.ts'

/** Orders of P-256, secp256k1, P-384 and P-521 (SP 800-186, SEC 2). */
const orders = [
  'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141',
  'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  `01${'f'.repeat(65)}a51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`,
].map((hex) => Buffer.from(hex, 'hex'))

for (const modulus of orders) {
  const order = toNumber(modulus)
  const below = fc.oneof(
    fc.bigInt({ min: 1n, max: order - 1n }),
    fc.constantFrom(1n, 2n, order - 1n, order - 2n, order >> 1n),
  )

  test(`products modulo ${modulus.length} bytes`, () => {
    fc.assert(
      fc.property(below, below, (secret, factor) => {
        const given = toBytes(secret, modulus.length)
        const product = multiply(given, factor, modulus)
        assert.equal(product.length, modulus.length)
        assert.equal(toNumber(product), (secret * factor) % order)
        assert.equal(toNumber(given), secret, 'what was given stays')
      }),
    )
  })

  test(`inverses modulo ${modulus.length} bytes`, () => {
    fc.assert(
      fc.property(below, (value) => {
        const found = inverse(value, order)
        assert.ok(found > 0n && found < order)
        assert.equal((found * value) % order, 1n)
      }),
    )
  })
}

test('a product with zero is zero', () => {
  const [modulus = Buffer.alloc(0)] = orders
  assert.deepEqual(multiply(toBytes(5n, 32), 0n, modulus), Buffer.alloc(32))
})
