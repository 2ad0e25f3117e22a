import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  type CreateKeyCommandInput,
  DecryptCommand,
  DeriveSharedSecretCommand,
  EncryptCommand,
  GenerateDataKeyPairCommand,
  GenerateMacCommand,
  GetParametersForImportCommand,
  GetPublicKeyCommand,
  ImportKeyMaterialCommand,
  type KeySpec,
  SignCommand,
  type SigningAlgorithmSpec,
  VerifyCommand,
} from '@aws-sdk/client-kms'
import { run } from '../support/cli.ts'
import { present } from '../support/expect.ts'
import { hashOf } from '../support/outside-crypto.ts'
import { temporaryFolder } from '../support/server.ts'
import { type Key, TwoRegions } from '../support/two-regions.ts'
import { opensslMissing } from './environment.ts'
import { rsaSigning } from './kms/key-kinds.ts'

const missing = await opensslMissing()
const skip =
  missing === undefined ? false : `NOT TESTED HERE: openssl is not installed (${missing})`

/** How `openssl genpkey` makes a key of each spec, and the algorithms that every OpenSSL 3 has with it. */
const signers: Partial<
  Record<KeySpec, { genpkey: string[]; by: readonly SigningAlgorithmSpec[] }>
> = {
  RSA_2048: { genpkey: ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'], by: rsaSigning },
  ECC_NIST_P256: { genpkey: curve('P-256'), by: ['ECDSA_SHA_256'] },
  ECC_NIST_P384: { genpkey: curve('P-384'), by: ['ECDSA_SHA_384'] },
  ECC_NIST_P521: { genpkey: curve('P-521'), by: ['ECDSA_SHA_512'] },
  ECC_SECG_P256K1: { genpkey: curve('secp256k1'), by: ['ECDSA_SHA_256'] },
  ECC_NIST_EDWARDS25519: { genpkey: ['ED25519'], by: ['ED25519_SHA_512'] },
}

function curve(name: string): string[] {
  return ['EC', '-pkeyopt', `ec_paramgen_curve:${name}`, '-pkeyopt', 'ec_param_enc:named_curve']
}

const oaepOptions = (hash: string) =>
  ['rsa_padding_mode:oaep', `rsa_oaep_md:${hash}`, `rsa_mgf1_md:${hash}`].flatMap((option) => [
    '-pkeyopt',
    option,
  ])

/**
 * The `openssl` command line on the other side. Ed25519ph, ML-DSA and ML-KEM came with OpenSSL 3.5, which few machines
 * have as a command and Node has inside: sdk-kms-all.test.ts has them.
 */
describe('the openssl command line', { skip }, () => {
  const kms = new TwoRegions()
  const folder = temporaryFolder()
  before(() => kms.start())
  after(async () => {
    rmSync(folder, { recursive: true, force: true })
    await kms.stop()
  })

  function file(bytes: Uint8Array): string {
    const path = join(folder, randomUUID())
    writeFileSync(path, bytes)
    return path
  }

  async function openssl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run('openssl', args)
    assert.equal(code, 0, `openssl ${args.join(' ')}: ${stdout}${stderr}`)
    return stdout
  }

  /** What a command writes to the file that it is given last, as `-out FILE`. */
  async function output(...args: string[]): Promise<Buffer> {
    const path = join(folder, randomUUID())
    await openssl(...args, '-out', path)
    return readFileSync(path)
  }

  /** PKCS#8 in DER: what `genpkey` writes in DER is an older form. */
  async function privateKey(genpkey: readonly string[]): Promise<string> {
    const pem = file(await output('genpkey', '-algorithm', ...genpkey))
    return file(await output('pkcs8', '-topk8', '-nocrypt', '-outform', 'DER', '-in', pem))
  }

  async function publicKeyOf({ id }: Key): Promise<string> {
    const { PublicKey } = await kms.here.send(new GetPublicKeyCommand({ KeyId: id }))
    return file(present(PublicKey))
  }

  /** A key whose material openssl made, and openssl wrapped. */
  async function imported(input: CreateKeyCommandInput, material: Buffer, hash: 1 | 256) {
    const key = await kms.newKey({ ...input, Origin: 'EXTERNAL' })
    const isSecret = /^(SYMM|HMAC)/.test(input.KeySpec ?? '')
    const { ImportToken, PublicKey } = await kms.here.send(
      new GetParametersForImportCommand({
        KeyId: key.id,
        WrappingAlgorithm: isSecret ? `RSAES_OAEP_SHA_${hash}` : `RSA_AES_KEY_WRAP_SHA_${hash}`,
        WrappingKeySpec: 'RSA_2048',
      }),
    )
    const to = file(present(PublicKey))
    const EncryptedKeyMaterial = isSecret
      ? await encrypted(to, hash, material)
      : await keyWrapped(to, hash, material)
    await kms.here.send(
      new ImportKeyMaterialCommand({
        KeyId: key.id,
        ImportToken,
        EncryptedKeyMaterial,
        ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      }),
    )
    return key
  }

  function encrypted(publicKey: string, hash: 1 | 256, plaintext: Buffer): Promise<Buffer> {
    return output(
      ...['pkeyutl', '-encrypt', '-pubin', '-keyform', 'DER', '-inkey', publicKey],
      ...['-in', file(plaintext), ...oaepOptions(`sha${hash}`)],
    )
  }

  async function keyWrapped(publicKey: string, hash: 1 | 256, material: Buffer) {
    const aesKey = randomBytes(32)
    const wrapped = await output(
      ...['enc', '-id-aes256-wrap-pad', '-K', aesKey.toString('hex'), '-iv', 'A65959A6'],
      ...['-in', file(material)],
    )
    return Buffer.concat([await encrypted(publicKey, hash, aesKey), wrapped])
  }

  test('is of this version', async (t) => t.diagnostic((await openssl('version')).trim()))

  for (const [spec, { genpkey, by }] of Object.entries(signers)) {
    const kind = { KeySpec: spec as KeySpec, KeyUsage: 'SIGN_VERIFY' } as const
    test(`${spec}: verifies what Sign signs, and signs what Verify verifies`, async () => {
      const own = await kms.newKey(kind)
      const ownPublic = await publicKeyOf(own)
      const theirs = await privateKey(genpkey)
      const other = await imported(kind, readFileSync(theirs), spec === 'RSA_2048' ? 1 : 256)
      for (const SigningAlgorithm of by) {
        const Message = Buffer.from(`by ${SigningAlgorithm}`)
        const { Signature } = await kms.here.send(
          new SignCommand({ KeyId: own.id, Message, SigningAlgorithm }),
        )
        await verifies(SigningAlgorithm, ownPublic, Message, present(Signature))
        const { SignatureValid } = await kms.here.send(
          new VerifyCommand({
            KeyId: other.id,
            Message,
            Signature: await signs(SigningAlgorithm, theirs, Message),
            SigningAlgorithm,
          }),
        )
        assert.equal(SignatureValid, true, SigningAlgorithm)
      }
    })
  }

  async function verifies(
    algorithm: SigningAlgorithmSpec,
    publicKey: string,
    message: Buffer,
    signature: Uint8Array,
  ): Promise<void> {
    const said =
      algorithm === 'ED25519_SHA_512'
        ? await openssl(
            ...['pkeyutl', '-verify', '-rawin', '-pubin', '-keyform', 'DER', '-inkey', publicKey],
            ...['-in', file(message), '-sigfile', file(signature)],
          )
        : await openssl(
            ...[...digestOptions(algorithm), '-verify', publicKey],
            ...['-signature', file(signature), file(message)],
          )
    assert.match(said, /Verified OK|Signature Verified Successfully/)
  }

  function signs(algorithm: SigningAlgorithmSpec, key: string, message: Buffer): Promise<Buffer> {
    // Options come before the file of the message, which `dgst` takes last.
    const signature = join(folder, randomUUID())
    const args =
      algorithm === 'ED25519_SHA_512'
        ? ['pkeyutl', '-sign', '-rawin', '-keyform', 'DER', '-inkey', key, '-in', file(message)]
        : [...digestOptions(algorithm), '-sign', key]
    const last = algorithm === 'ED25519_SHA_512' ? [] : [file(message)]
    return openssl(...args, '-out', signature, ...last).then(() => readFileSync(signature))
  }

  function digestOptions(algorithm: SigningAlgorithmSpec): string[] {
    const pss = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest']
    return [
      ...['dgst', `-${hashOf(algorithm)}`, '-keyform', 'DER'],
      ...(algorithm.startsWith('RSASSA_PSS') ? pss : []),
    ]
  }

  test('encrypts to a public key, for both hashes of OAEP', async () => {
    const key = await kms.newKey({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
    const publicKey = await publicKeyOf(key)
    for (const [hash, bytes] of [
      [1, 214],
      [256, 190],
    ] as const) {
      const plaintext = randomBytes(bytes)
      const { Plaintext } = await kms.here.send(
        new DecryptCommand({
          KeyId: key.id,
          CiphertextBlob: await encrypted(publicKey, hash, plaintext),
          EncryptionAlgorithm: `RSAES_OAEP_SHA_${hash}`,
        }),
      )
      assert.deepEqual(Buffer.from(present(Plaintext)), plaintext)
    }
  })

  test('decrypts under an imported key what Encrypt encrypted', async () => {
    const theirs = await privateKey(present(signers.RSA_2048).genpkey)
    const kind = { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' } as const
    const key = await imported(kind, readFileSync(theirs), 256)
    for (const hash of [1, 256] as const) {
      const Plaintext = randomBytes(100)
      const { CiphertextBlob } = await kms.here.send(
        new EncryptCommand({
          KeyId: key.id,
          Plaintext,
          EncryptionAlgorithm: `RSAES_OAEP_SHA_${hash}`,
        }),
      )
      const opened = await output(
        ...['pkeyutl', '-decrypt', '-keyform', 'DER', '-inkey', theirs],
        ...['-in', file(present(CiphertextBlob)), ...oaepOptions(`sha${hash}`)],
      )
      assert.deepEqual(opened, Plaintext)
    }
  })

  test('reads the public keys and data key pairs', async () => {
    const symmetric = await kms.newKey()
    const said = {
      RSA_3072: /3072 bit/,
      ECC_NIST_P256: /ASN1 OID: prime256v1/,
      ECC_NIST_P384: /ASN1 OID: secp384r1/,
      ECC_NIST_P521: /ASN1 OID: secp521r1/,
      ECC_SECG_P256K1: /ASN1 OID: secp256k1/,
      ECC_NIST_EDWARDS25519: /ED25519 Public-Key/i,
    } as const
    for (const [spec, text] of Object.entries(said) as [keyof typeof said, RegExp][]) {
      const key = await kms.newKey({ KeySpec: spec, KeyUsage: 'SIGN_VERIFY' })
      const show = ['pkey', '-pubin', '-inform', 'DER', '-noout', '-text', '-in']
      assert.match(await openssl(...show, await publicKeyOf(key)), text)
      const pair = await kms.here.send(
        new GenerateDataKeyPairCommand({ KeyId: symmetric.id, KeyPairSpec: spec }),
      )
      const readable = file(present(pair.PrivateKeyPlaintext))
      const publicKey = await output(
        ...['pkey', '-inform', 'DER', '-in', readable, '-pubout', '-outform', 'DER'],
      )
      assert.deepEqual(publicKey, Buffer.from(present(pair.PublicKey)))
    }
  })

  test('agrees on a secret over every curve', async () => {
    for (const spec of ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521'] as const) {
      const key = await kms.newKey({ KeySpec: spec, KeyUsage: 'KEY_AGREEMENT' })
      const theirs = await privateKey(present(signers[spec]).genpkey)
      const PublicKey = await output(
        ...['pkey', '-inform', 'DER', '-in', theirs, '-pubout', '-outform', 'DER'],
      )
      const { SharedSecret } = await kms.here.send(
        new DeriveSharedSecretCommand({ KeyId: key.id, PublicKey, KeyAgreementAlgorithm: 'ECDH' }),
      )
      const derived = await output(
        ...['pkeyutl', '-derive', '-keyform', 'DER', '-inkey', theirs],
        ...['-peerform', 'DER', '-peerkey', await publicKeyOf(key)],
      )
      assert.deepEqual(Buffer.from(present(SharedSecret)), derived)
    }
  })

  test('computes the same MAC with the key that was imported', async () => {
    for (const bits of [224, 256, 384, 512] as const) {
      const material = randomBytes(bits / 8)
      const kind = { KeySpec: `HMAC_${bits}`, KeyUsage: 'GENERATE_VERIFY_MAC' } as const
      const key = await imported(kind, material, 256)
      const Message = Buffer.from('authentic')
      const { Mac } = await kms.here.send(
        new GenerateMacCommand({ KeyId: key.id, Message, MacAlgorithm: `HMAC_SHA_${bits}` }),
      )
      const theirs = await openssl(
        ...['dgst', `-sha${bits}`, '-mac', 'HMAC', '-macopt', `hexkey:${material.toString('hex')}`],
        ...['-r', file(Message)],
      )
      assert.equal(theirs.split(' ')[0], Buffer.from(present(Mac)).toString('hex'))
    }
  })
})
