import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as sdk from '@aws-sdk/client-kms'
import { TwoRegions } from '../support/two-regions.ts'
import { encryption } from './kms/encryption.ts'
import { grants } from './kms/grants.ts'
import { imports } from './kms/imports.ts'
import { kinds } from './kms/key-kinds.ts'
import { keys } from './kms/keys.ts'
import { regions } from './kms/regions.ts'
import { rotation } from './kms/rotation.ts'
import { sharedSecrets } from './kms/shared-secrets.ts'
import { signing } from './kms/signing.ts'

/** Of AWS's Chinese Regions. */
const isChinese = (name: string) => name.startsWith('SM2')

/** The JS SDK, unchanged, through every operation that it knows, in a deployment of two Regions. */
describe('all of KMS with the AWS SDK for JavaScript', () => {
  const kms = new TwoRegions()
  before(() => kms.start())
  after(() => kms.stop())

  keys(kms)
  signing(kms)
  encryption(kms)
  sharedSecrets(kms)
  imports(kms)
  rotation(kms)
  grants(kms)
  regions(kms)

  test('every kind of key and every algorithm that the SDK knows was used', () => {
    const tables = Object.values(kinds)
    const specs = new Set(tables.flatMap((table) => Object.keys(table)))
    const algorithms = new Set(tables.flatMap((table) => Object.values(table).flat()))
    assert.deepEqual(
      [...specs].sort(),
      Object.keys(sdk.KeySpec)
        .filter((name) => !isChinese(name))
        .sort(),
    )
    assert.deepEqual(
      [...algorithms].sort(),
      [
        sdk.SigningAlgorithmSpec,
        sdk.EncryptionAlgorithmSpec,
        sdk.MacAlgorithmSpec,
        sdk.KeyAgreementAlgorithmSpec,
        sdk.EncapsulationAlgorithmSpec,
      ]
        .flatMap((names) => Object.keys(names))
        .filter((name) => !isChinese(name))
        .sort(),
    )
    assert.deepEqual(Object.keys(kinds).sort(), Object.keys(sdk.KeyUsageType).sort())
  })

  test('every operation that the SDK knows was answered', () => {
    const refused: Readonly<Record<string, string>> = {
      ConnectCustomKeyStoreCommand: 'CustomKeyStoreNotFoundException',
      CreateCustomKeyStoreCommand: 'CloudHsmClusterNotFoundException',
      DeleteCustomKeyStoreCommand: 'CustomKeyStoreNotFoundException',
      DisconnectCustomKeyStoreCommand: 'CustomKeyStoreNotFoundException',
      UpdateCustomKeyStoreCommand: 'CustomKeyStoreNotFoundException',
    }
    const commands = Object.keys(sdk).filter((name) => /^[A-Z].*Command$/.test(name))
    assert.ok(commands.length >= 56, `the SDK has ${commands.length} operations`)
    const missing = commands.filter(
      (name) => kms.answers.get(name)?.has(refused[name] ?? 'done') !== true,
    )
    assert.deepEqual(missing, [])
  })
})
