import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type KeySpec, type KeyUsage, keySpecs, specRow } from '../../hsm/key-specs.ts'
import { grantOperations, operationNames, operationSet, supportedOperations } from './grant.ts'
import type { KeyRecord } from './key.ts'

const symmetric =
  'Decrypt Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo ' +
  'CreateGrant RetireGrant DescribeKey GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext'
const rsa =
  'Decrypt Encrypt ReEncryptFrom ReEncryptTo GetPublicKey CreateGrant RetireGrant DescribeKey'
const signs = 'Sign Verify GetPublicKey CreateGrant RetireGrant DescribeKey'
const macs = 'CreateGrant RetireGrant DescribeKey GenerateMac VerifyMac'
const agrees = 'GetPublicKey CreateGrant RetireGrant DescribeKey DeriveSharedSecret'
const encapsulates = 'GetPublicKey CreateGrant RetireGrant DescribeKey Encapsulate Decapsulate'

/** What can be granted on a key, by its usage. */
const expected: Readonly<Record<KeyUsage, (spec: KeySpec) => string>> = {
  ENCRYPT_DECRYPT: (spec) => (spec === 'SYMMETRIC_DEFAULT' ? symmetric : rsa),
  SIGN_VERIFY: () => signs,
  GENERATE_VERIFY_MAC: () => macs,
  KEY_AGREEMENT: () => agrees,
  ENCAPSULATE_DECAPSULATE: () => encapsulates,
}

test('each kind of key supports the operations that it can do, in the order of AWS', () => {
  let kinds = 0
  for (const keySpec of keySpecs) {
    for (const keyUsage of Object.keys(specRow(keySpec).usages) as KeyUsage[]) {
      const names = operationNames(supportedOperations({ keySpec, keyUsage } as KeyRecord))
      assert.equal(names.join(' '), expected[keyUsage](keySpec), `${keySpec} ${keyUsage}`)
      kinds++
    }
  }
  assert.ok(kinds >= keySpecs.length + 6)
})

test('a set of operations has each once and none that does not exist', () => {
  assert.equal(operationSet([]), 0)
  assert.deepEqual(operationNames(operationSet(['Sign', 'Decrypt', 'Sign'])), ['Decrypt', 'Sign'])
  assert.deepEqual(operationNames(operationSet(grantOperations)), grantOperations)
  assert.equal(new Set(grantOperations.map((name) => operationSet([name]))).size, 19)
  assert.throws(() => operationSet(['Decrypt', 'PutKeyPolicy']), /'PutKeyPolicy'/)
})
