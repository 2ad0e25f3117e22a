import assert from 'node:assert/strict'
import {
  constants,
  generateKeyPairSync,
  hash,
  privateEncrypt,
  randomBytes,
  verify,
} from 'node:crypto'
import { test } from 'node:test'
import { encodePss, verifyPss } from './emsa-pss.ts'

const bits = 2048

for (const [name, bytes] of [
  ['sha256', 32],
  ['sha384', 48],
  ['sha512', 64],
] as const) {
  const digest = hash(name, 'a message', 'buffer')

  test(`${name}: an encoding verifies, and none that differs in any byte`, () => {
    const salt = randomBytes(bytes)
    const encoded = encodePss(name, digest, salt, bits)
    assert.equal(encoded.length, bits / 8)
    assert.equal(verifyPss(name, digest, Buffer.from(encoded)), true)
    for (let at = 0; at < encoded.length; at++) {
      const altered = Buffer.from(encoded)
      altered[at] = (altered[at] ?? 0) ^ 0x80
      assert.equal(verifyPss(name, digest, altered), false, `byte ${at}`)
    }
    const other = hash(name, 'another', 'buffer')
    assert.equal(verifyPss(name, other, Buffer.from(encoded)), false)
  })

  test(`${name}: another length of the salt is refused`, () => {
    for (const length of [0, bytes - 1, bytes + 1, bits / 8 - bytes - 2]) {
      const encoded = encodePss(name, digest, randomBytes(length), bits)
      assert.equal(verifyPss(name, digest, encoded), false, `${length} bytes`)
    }
  })
}

test('OpenSSL verifies what was encoded here', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  const digest = hash('sha256', 'a message', 'buffer')
  const encoded = encodePss('sha256', digest, randomBytes(32), bits)
  const padding = constants.RSA_NO_PADDING
  const signature = privateEncrypt({ key: privateKey, padding }, encoded)
  const key = { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
  assert.equal(verify('sha256', Buffer.from('a message'), key, signature), true)
})
