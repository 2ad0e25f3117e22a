import assert from 'node:assert/strict'
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import {
  AlgorithmSuiteIdentifier,
  AwsKmsMrkAwareSymmetricKeyringNode,
  buildClient,
  CommitmentPolicy,
  KMS,
  KmsKeyringNode,
} from '@aws-crypto/client-node'
import {
  CreateAliasCommand,
  DecryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  ReplicateKeyCommand,
} from '@aws-sdk/client-kms'
import { fails, present } from '../support/expect.ts'
import { hereRegion, type Key, TwoRegions, thereRegion } from '../support/two-regions.ts'

const kms = new TwoRegions()
let key: Key
before(async () => {
  await kms.start()
  key = await kms.newKey()
})
after(() => kms.stop())

/** The AWS Encryption SDK for JavaScript, whose keyrings are told by a client provider where the service is. */
describe('the AWS Encryption SDK for JavaScript', () => {
  const clients: KMS[] = []
  const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
  const plaintext = Buffer.from('a message of some length, in frames\n'.repeat(400))
  const context = { department: 'finance', stage: '1' }

  after(() => {
    for (const client of clients) client.destroy()
  })

  const clientOf = (region: string) => {
    const { endpoint, credentials } = kms.server
    const client = new KMS({ endpoint, region, credentials, maxAttempts: 1 })
    clients.push(client)
    // Its types were written for a compiler that takes undefined for absent.
    return client as unknown as ConstructorParameters<
      typeof AwsKmsMrkAwareSymmetricKeyringNode
    >[0]['client']
  }
  const keyring = (generatorKeyId: string, ...keyIds: string[]) =>
    new KmsKeyringNode({ clientProvider: clientOf, generatorKeyId, keyIds })
  const discovery = (accountIDs = [kms.server.account]) =>
    new KmsKeyringNode({
      clientProvider: clientOf,
      discovery: true,
      discoveryFilter: { accountIDs, partition: 'aws' },
    })

  test('a message goes round, signed, with its encryption context', async () => {
    const ring = keyring(key.arn)
    const { result, messageHeader } = await encrypt(ring, plaintext, { encryptionContext: context })
    assert.equal(
      messageHeader.suiteId,
      AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384,
    )
    assert.deepEqual(
      messageHeader.encryptedDataKeys.map(({ providerInfo }) => providerInfo),
      [key.arn],
    )
    assert.ok(!result.includes(plaintext.subarray(0, 36)))
    const opened = await decrypt(ring, result)
    assert.deepEqual(opened.plaintext, plaintext)
    const { encryptionContext } = opened.messageHeader
    assert.equal(encryptionContext['department'], 'finance')
    assert.ok('aws-crypto-public-key' in encryptionContext, 'the key that signs is bound to it')
  })

  test('every suite that commits to its key, and every one that does not, where that is allowed', async () => {
    const lenient = buildClient(CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT)
    const suites = Object.values(AlgorithmSuiteIdentifier).filter((id) => typeof id === 'number')
    assert.ok(suites.length >= 11)
    for (const suiteId of suites) {
      const commits = AlgorithmSuiteIdentifier[suiteId].includes('COMMIT_KEY')
      const ring = keyring(key.arn)
      const { result } = await (commits ? encrypt : lenient.encrypt)(ring, plaintext, {
        suiteId,
        encryptionContext: context,
      })
      const opened = await (commits ? decrypt : lenient.decrypt)(ring, result)
      assert.deepEqual(opened.plaintext, plaintext)
      assert.equal(opened.messageHeader.suiteId, suiteId)
    }
  })

  test('a discovery keyring finds the key by the message, in its own accounts alone', async () => {
    const { result } = await encrypt(keyring(key.arn), plaintext, { encryptionContext: context })
    assert.deepEqual((await decrypt(discovery(), result)).plaintext, plaintext)
    await assert.rejects(decrypt(discovery(['999999999999']), result), /unencryptedDataKey/i)
  })

  test('either of two keys opens a message for both, in whichever Region it is', async () => {
    const second = await kms.newKey()
    const AliasName = 'alias/generator'
    await kms.here.send(new CreateAliasCommand({ AliasName, TargetKeyId: key.id }))
    const alias = key.arn.replace(/key\/.*/, AliasName)
    const { result } = await encrypt(keyring(alias, second.arn), plaintext)
    for (const one of [key, second]) {
      assert.deepEqual((await decrypt(keyring(one.arn), result)).plaintext, plaintext)
    }
  })

  test('a message under one key does not open under another, nor in another Region', async () => {
    const other = await kms.newKey()
    const { result } = await encrypt(keyring(key.arn), plaintext, { encryptionContext: context })
    await assert.rejects(decrypt(keyring(other.arn), result), /unencryptedDataKey/i)
    const elsewhere = key.arn.replace(hereRegion, thereRegion)
    await assert.rejects(decrypt(keyring(elsewhere), result), /unencryptedDataKey/i)
  })

  test('a message under a multi-Region key opens where its replica is', async () => {
    const primary = await kms.newKey({ MultiRegion: true })
    await kms.here.send(new ReplicateKeyCommand({ KeyId: primary.id, ReplicaRegion: thereRegion }))
    const ringIn = (region: string) =>
      new AwsKmsMrkAwareSymmetricKeyringNode({
        client: clientOf(region),
        keyId: primary.arn.replace(hereRegion, region),
      })
    const { result } = await encrypt(ringIn(hereRegion), plaintext)
    assert.deepEqual((await decrypt(ringIn(thereRegion), result)).plaintext, plaintext)
  })

  test('a changed message, and a changed context, do not open', async () => {
    const ring = keyring(key.arn)
    const { result } = await encrypt(ring, plaintext, { encryptionContext: context })
    const altered = Buffer.from(result)
    const at = altered.indexOf('finance')
    assert.ok(at > 0)
    altered.write('Finance', at)
    await assert.rejects(decrypt(ring, altered), /InvalidCiphertextException/)
    const body = Buffer.from(result)
    body.writeUInt8(body.readUInt8(body.length - 200) ^ 1, body.length - 200)
    await assert.rejects(decrypt(ring, body))
  })
})

/** What applications do with data keys by themselves: node:crypto, and the service for the key under the key. */
describe('data keys in the hands of node:crypto', () => {
  const opened = async (CiphertextBlob: Uint8Array | undefined, EncryptionContext = {}) => {
    const { Plaintext } = await kms.here.send(
      new DecryptCommand({ CiphertextBlob, EncryptionContext }),
    )
    return Buffer.from(present(Plaintext))
  }
  const publicKeyOf = (bytes: Uint8Array | undefined) =>
    createPublicKey({ key: Buffer.from(present(bytes)), format: 'der', type: 'spki' })
  const privateKeyOf = (bytes: Buffer) =>
    createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' })

  test('a data key encrypts, and its sealed copy decrypts', async () => {
    const dataKey = await kms.here.send(
      new GenerateDataKeyCommand({ KeyId: key.id, KeySpec: 'AES_256' }),
    )
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', present(dataKey.Plaintext), nonce)
    const ciphertext = Buffer.concat([cipher.update('envelope'), cipher.final()])
    const decipher = createDecipheriv('aes-256-gcm', await opened(dataKey.CiphertextBlob), nonce)
    decipher.setAuthTag(cipher.getAuthTag())
    assert.equal(
      decipher.update(ciphertext, undefined, 'utf8') + decipher.final('utf8'),
      'envelope',
    )
  })

  test('a signature by a data key pair verifies with its public key', async () => {
    const EncryptionContext = { purpose: 'release' }
    const pair = await kms.here.send(
      new GenerateDataKeyPairCommand({
        KeyId: key.id,
        KeyPairSpec: 'ECC_NIST_P384',
        EncryptionContext,
      }),
    )
    const message = Buffer.from('signed offline')
    const signature = sign(
      'sha384',
      message,
      privateKeyOf(Buffer.from(present(pair.PrivateKeyPlaintext))),
    )
    assert.equal(verify('sha384', message, publicKeyOf(pair.PublicKey), signature), true)
    const again = privateKeyOf(await opened(pair.PrivateKeyCiphertextBlob, EncryptionContext))
    const second = sign('sha384', message, again)
    assert.equal(verify('sha384', message, publicKeyOf(pair.PublicKey), second), true)
    await fails(opened(pair.PrivateKeyCiphertextBlob), 'InvalidCiphertextException')
  })

  test('what is encrypted to the public key of a pair waits for its sealed private key', async () => {
    const pair = await kms.here.send(
      new GenerateDataKeyPairWithoutPlaintextCommand({ KeyId: key.id, KeyPairSpec: 'RSA_2048' }),
    )
    const oaepHash = 'sha256'
    const sealed = publicEncrypt(
      { key: publicKeyOf(pair.PublicKey), oaepHash },
      Buffer.from('for later'),
    )
    const privateKey = privateKeyOf(await opened(pair.PrivateKeyCiphertextBlob))
    assert.equal(privateDecrypt({ key: privateKey, oaepHash }, sealed).toString(), 'for later')
  })
})
