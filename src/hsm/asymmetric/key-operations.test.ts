import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { account, otherAccount } from '../testing/fixtures.ts'
import { KeyOperations } from './key-operations.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' })
const message = Buffer.alloc(48, 7)

for (const [place, messageType] of [
  ['on the pool', 'RAW'],
  ['in a thread', 'DIGEST'],
] as const) {
  test(`${place}, an account that asks for much does not keep another waiting`, async () => {
    const operations = new KeyOperations()
    const sign = async (owner: typeof account) => {
      const pair = { spec: 'ECC_NIST_P384', account: owner, privateKey, publicKey } as const
      await operations.sign(pair, 'ECDSA_SHA_384', messageType, message)
    }
    let done = 0
    const many = Array.from({ length: 300 }, async () => {
      await sign(account)
      done += 1
    })
    await sign(otherAccount)
    assert.ok(done < 100, `${done} of 300 came before the one of another account`)
    await Promise.all(many)
  })
}
