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

  test('are those with the signature at the end, in form, of a request with a date', () => {
    const cache = new AuthorizationCache()
    const known = beginning + 'a'.repeat(64)
    cache.read(known, true)
    assert.throws(() => cache.read(known, false), /existence of either a 'X-Amz-Date'/)
    const spaced = `${beginning}${'b'.repeat(63)} `
    assert.equal(cache.read(spaced, true).signature, 'b'.repeat(63))
    // Here the last 64 characters are a part of the credential.
    const credentialLast = (date: string) =>
      `AWS4-HMAC-SHA256 SignedHeaders=host, Signature=${'a'.repeat(64)}, ` +
      `Credential=AKIDEXAMPLE/${date}/us-east-1/kms/${'t'.repeat(48)}`
    for (const date of ['20150830', '20150831']) {
      const header = credentialLast(date)
      assert.equal(cache.read(header, true).date, date)
      assert.deepEqual(cache.read(header, true), parseAuthorization(header, true))
    }
  })

  test('are kept by what stands before the signature, 1024 of them', () => {
    const cache = new AuthorizationCache()
    const read = (id: number, digit: string) =>
      cache.read(beginning.replace('AKIDEXAMPLE', `AKID${id}`) + digit.repeat(64), true)
    read(0, 'a')
    read(0, 'b')
    assert.equal(cache.size, 1)
    for (let id = 1; id < 1024; id++) read(id, 'a')
    assert.equal(cache.size, 1024)
    read(1024, 'a')
    assert.equal(cache.size, 1)
  })

  test('are bounded', () => {
    const cache = new AuthorizationCache()
    for (let n = 0; n < 3000; n++) {
      const header = beginning.replace('AKIDEXAMPLE', `AKID${n}`) + 'a'.repeat(64)
      assert.equal(cache.read(header, true).accessKeyId, `AKID${n}`)
    }
  })
})
