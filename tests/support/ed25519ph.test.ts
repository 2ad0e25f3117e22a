import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signEd25519ph, verifyEd25519ph } from './ed25519ph.ts'

const hex = (text: string) => Buffer.from(text, 'hex')

test('the vector of RFC 8032 §7.3', () => {
  const seed = hex('833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42')
  const publicKey = hex('ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf')
  const signature = hex(
    '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41' +
      '31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406',
  )
  const message = Buffer.from('abc')
  assert.deepEqual(signEd25519ph(seed, message), signature)
  assert.equal(verifyEd25519ph(publicKey, message, signature), true)
  assert.equal(verifyEd25519ph(publicKey, Buffer.from('abd'), signature), false)
})
