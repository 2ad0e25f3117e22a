import assert from 'node:assert/strict'
import {
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
} from 'node:crypto'
import { describe, test } from 'node:test'
import {
  DataKeyPairSpec,
  DecapsulateCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  EncapsulateCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateMacCommand,
  GetPublicKeyCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms'
import { fails, present } from '../../support/expect.ts'
import type { TwoRegions } from '../../support/two-regions.ts'
import { agreers, authenticators, encapsulators, entriesOf } from './key-kinds.ts'

const curves: Readonly<Record<string, string>> = {
  ECC_NIST_P256: 'prime256v1',
  ECC_NIST_P384: 'secp384r1',
  ECC_NIST_P521: 'secp521r1',
}

const ciphertextBytes: Readonly<Record<string, number>> = {
  ML_KEM_512: 768,
  ML_KEM_768: 1088,
  ML_KEM_1024: 1568,
}

const spki = (key: Uint8Array) =>
  createPublicKey({ key: Buffer.from(key), format: 'der', type: 'spki' })

export function sharedSecrets(kms: TwoRegions): void {
  const publicKeyOf = async (id: string) => {
    const { PublicKey } = await kms.here.send(new GetPublicKeyCommand({ KeyId: id }))
    return present(PublicKey)
  }

  describe('GenerateMac and VerifyMac', () => {
    for (const [KeySpec, [MacAlgorithm]] of entriesOf(authenticators)) {
      if (MacAlgorithm === undefined) continue
      test(KeySpec, async () => {
        const { id, arn } = await kms.newKey({ KeySpec, KeyUsage: 'GENERATE_VERIFY_MAC' })
        const Message = Buffer.from('authentic')
        const request = { KeyId: id, Message, MacAlgorithm }
        const made = await kms.here.send(new GenerateMacCommand(request))
        assert.deepEqual([made.KeyId, made.MacAlgorithm], [arn, MacAlgorithm])
        const Mac = present(made.Mac)
        assert.equal(`HMAC_${Mac.length * 8}`, KeySpec)
        const verified = await kms.here.send(new VerifyMacCommand({ ...request, Mac }))
        assert.deepEqual([verified.MacValid, verified.KeyId], [true, arn])
        for (const other of [{ Message: Buffer.from('forged') }, { Mac: Mac.slice(1) }]) {
          await fails(
            kms.here.send(new VerifyMacCommand({ ...request, Mac, ...other })),
            'KMSInvalidMacException',
          )
        }
      })
    }
  })

  describe('DeriveSharedSecret', () => {
    for (const [KeySpec] of entriesOf(agreers)) {
      test(KeySpec, async () => {
        const [own, peer] = [
          await kms.newKey({ KeySpec, KeyUsage: 'KEY_AGREEMENT' }),
          await kms.newKey({ KeySpec, KeyUsage: 'KEY_AGREEMENT' }),
        ]
        const derive = (KeyId: string, PublicKey: Uint8Array) =>
          kms.here.send(
            new DeriveSharedSecretCommand({ KeyId, PublicKey, KeyAgreementAlgorithm: 'ECDH' }),
          )
        const [one, two] = [
          await derive(own.id, await publicKeyOf(peer.id)),
          await derive(peer.id, await publicKeyOf(own.id)),
        ]
        assert.deepEqual(one.SharedSecret, two.SharedSecret)
        assert.deepEqual([one.KeyId, one.KeyOrigin], [own.arn, 'AWS_KMS'])
        const outside = generateKeyPairSync('ec', { namedCurve: present(curves[KeySpec]) })
        const withOutside = await derive(
          own.id,
          outside.publicKey.export({ type: 'spki', format: 'der' }),
        )
        assert.deepEqual(
          Buffer.from(present(withOutside.SharedSecret)),
          diffieHellman({
            privateKey: outside.privateKey,
            publicKey: spki(await publicKeyOf(own.id)),
          }),
        )
        const wrongCurve = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
        await fails(
          derive(own.id, wrongCurve.publicKey.export({ type: 'spki', format: 'der' })),
          'ValidationException',
        )
      })
    }
  })

  describe('Encapsulate and Decapsulate', () => {
    for (const [KeySpec] of entriesOf(encapsulators)) {
      test(KeySpec, async () => {
        const { id, arn } = await kms.newKey({ KeySpec, KeyUsage: 'ENCAPSULATE_DECAPSULATE' })
        const request = { KeyId: id, EncapsulationAlgorithm: 'ML_KEM' } as const
        const open = (SharedSecretCiphertextBlob: Uint8Array) =>
          kms.here.send(new DecapsulateCommand({ ...request, SharedSecretCiphertextBlob }))
        const sealed = await kms.here.send(new EncapsulateCommand(request))
        const ciphertext = present(sealed.SharedSecretCiphertextBlob)
        assert.equal(sealed.KeyId, arn)
        assert.equal(present(sealed.SharedSecret).length, 32)
        assert.equal(ciphertext.length, ciphertextBytes[KeySpec])
        assert.deepEqual((await open(ciphertext)).SharedSecret, sealed.SharedSecret)
        const outside = encapsulate(spki(await publicKeyOf(id)))
        assert.deepEqual(
          Buffer.from(present((await open(outside.ciphertext)).SharedSecret)),
          outside.sharedKey,
        )
        // FIPS 203 rejects a ciphertext of the right length by a secret that nobody knows.
        const altered = Buffer.from(ciphertext)
        altered.writeUInt8(altered.readUInt8(0) ^ 1, 0)
        const rejected = present((await open(altered)).SharedSecret)
        assert.equal(rejected.length, 32)
        assert.notDeepEqual(rejected, sealed.SharedSecret)
        await fails(open(ciphertext.slice(1)), 'InvalidCiphertextException')
      })
    }
  })

  describe('GenerateDataKeyPair and GenerateDataKeyPairWithoutPlaintext', () => {
    for (const KeyPairSpec of Object.values(DataKeyPairSpec).filter((spec) => spec !== 'SM2')) {
      test(KeyPairSpec, async () => {
        const { id, arn } = await kms.newKey()
        const EncryptionContext = { pair: KeyPairSpec }
        const request = { KeyId: id, KeyPairSpec, EncryptionContext }
        const open = async (CiphertextBlob: Uint8Array | undefined) => {
          const { Plaintext } = await kms.here.send(
            new DecryptCommand({ CiphertextBlob, EncryptionContext }),
          )
          return Buffer.from(present(Plaintext))
        }
        const pair = await kms.here.send(new GenerateDataKeyPairCommand(request))
        assert.deepEqual([pair.KeyId, pair.KeyPairSpec], [arn, KeyPairSpec])
        const privateKey = Buffer.from(present(pair.PrivateKeyPlaintext))
        assert.deepEqual(await open(pair.PrivateKeyCiphertextBlob), privateKey)
        assertPair(privateKey, present(pair.PublicKey))
        const sealed = await kms.here.send(new GenerateDataKeyPairWithoutPlaintextCommand(request))
        assert.ok(!('PrivateKeyPlaintext' in sealed))
        assertPair(await open(sealed.PrivateKeyCiphertextBlob), present(sealed.PublicKey))
        assert.notDeepEqual(sealed.PublicKey, pair.PublicKey)
      })
    }
  })
}

function assertPair(privateKey: Buffer, publicKey: Uint8Array): void {
  const opened = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' })
  assert.deepEqual(
    createPublicKey(opened).export({ type: 'spki', format: 'der' }),
    Buffer.from(publicKey),
  )
  if (opened.asymmetricKeyType?.startsWith('ml-kem') !== true) return
  const { sharedKey, ciphertext } = encapsulate(spki(publicKey))
  assert.deepEqual(decapsulate(opened, ciphertext), sharedKey)
}
