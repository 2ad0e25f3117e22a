import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { AuthorizationCache, parseAuthorization } from './authorization.ts'

const beginning =
  'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/kms/aws4_request, SignedHeaders=host;x-amz-date, Signature='

describe('headers that were read before', () => {
  test('give what reading them anew gives', () => {
    const cache = new AuthorizationCache()
    for (const digit of ['a', 'b', 'a', '0']) {
      const header = beginning + digit.repeat(64)
      assert.deepEqual(cache.read(header, true), parseAuthorization(header, true))
    }
  })

  test('do so whatever stands where the signature should', () => {
    const cache = new AuthorizationCache()
    cache.read(beginning + 'a'.repeat(64), true)
    const outcome = (read: () => unknown) => {
      try {
        return read()
      } catch (error) {
        return String(error)
      }
    }
    const piece = fc.constantFrom('a', '0', ',', ' ', '=', '\t', 'Signature=', 'Credential=')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 80 }), fc.boolean(), (pieces, dated) => {
        const header = beginning + pieces.join('')
        assert.deepEqual(
          outcome(() => cache.read(header, dated)),
          outcome(() => parseAuthorization(header, dated)),
        )
      }),
      { numRuns: 500 },
    )
  })

  test('are bounded', () => {
    const cache = new AuthorizationCache()
    for (let n = 0; n < 3000; n++) {
      const header = beginning.replace('AKIDEXAMPLE', `AKID${n}`) + 'a'.repeat(64)
      assert.equal(cache.read(header, true).accessKeyId, `AKID${n}`)
    }
  })
})
