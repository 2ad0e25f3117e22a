import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { signMessage, verifyMessage, verifyMessageLater } from './native-signature.ts'

const tries = 5000

test('an RSA signature that lost a leading zero is none, nor is one that got one', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const algorithm = 'RSASSA_PSS_SHA_256'
  const message = Buffer.from('message')
  let signature = signMessage(privateKey, algorithm, message)
  // Each signature has another salt: one of 256 begins with a zero.
  for (let count = 0; signature[0] !== 0; count++) {
    assert.ok(count < tries)
    signature = signMessage(privateKey, algorithm, message)
  }
  assert.equal(verifyMessage(publicKey, algorithm, message, signature), true)
  for (const other of [signature.subarray(1), Buffer.concat([Buffer.of(0), signature])]) {
    assert.equal(verifyMessage(publicKey, algorithm, message, other), false)
    assert.equal(await verifyMessageLater(publicKey, algorithm, message, other), false)
  }
})
