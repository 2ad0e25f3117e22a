import assert from 'node:assert/strict'
import {
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { describe, test } from 'node:test'
import {
  AlgorithmSpec,
  type CreateKeyCommandInput,
  DecryptCommand,
  DeleteImportedKeyMaterialCommand,
  DeriveSharedSecretCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateMacCommand,
  GetParametersForImportCommand,
  GetPublicKeyCommand,
  ImportKeyMaterialCommand,
  type ImportKeyMaterialCommandInput,
  KeySpec,
  type SigningAlgorithmSpec,
  VerifyCommand,
  WrappingKeySpec,
} from '@aws-sdk/client-kms'
import { fails, present } from '../../support/expect.ts'
import { digestFor, oaep, signOutside } from '../../support/outside-crypto.ts'
import type { Key, TwoRegions } from '../../support/two-regions.ts'
import { type Wrapping, wrapped } from '../../support/wrapping.ts'
import { rsaSigning } from './key-kinds.ts'
import { isEdwardsPrehashed } from './signing.ts'

/** RSAES_PKCS1_V1_5 was retired by AWS; SM2PKE is China's. */
const retired = ['RSAES_PKCS1_V1_5', 'SM2PKE']
const wrappings = Object.keys(AlgorithmSpec).filter(
  (name) => !retired.includes(name),
) as readonly Wrapping[]
const wrappingSpecs = Object.values(WrappingKeySpec).filter((name) => name !== 'SM2')
const oaepOnly = wrappings.filter((name) => name.startsWith('RSAES_OAEP'))
const keyWrapOnly = wrappings.filter((name) => name.startsWith('RSA_AES'))

type Importable = {
  readonly spec: KeySpec
  readonly usage: NonNullable<CreateKeyCommandInput['KeyUsage']>
  readonly by: readonly Wrapping[]
  readonly material: () => Material
  /** Shows that the key in the service has this material. */
  readonly proves: (kms: TwoRegions, key: Key, material: Material) => Promise<void>
}

type Material = { readonly bytes: Buffer; readonly pair?: KeyPair }
type KeyPair = { readonly privateKey: KeyObject; readonly publicKey: KeyObject }

const secret = (bytes: number) => (): Material => ({ bytes: randomBytes(bytes) })
const pairOf = (pair: KeyPair): Material => ({
  bytes: pair.privateKey.export({ type: 'pkcs8', format: 'der' }),
  pair,
})
const rsa = (bits: number) => () => pairOf(generateKeyPairSync('rsa', { modulusLength: bits }))
const curve = (namedCurve: string) => () => pairOf(generateKeyPairSync('ec', { namedCurve }))
const ed25519 = () => pairOf(generateKeyPairSync('ed25519'))

const importable: readonly Importable[] = [
  of('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', oaepOnly, secret(32), encrypts),
  of('HMAC_224', 'GENERATE_VERIFY_MAC', oaepOnly, secret(28), authenticates('sha224')),
  of('HMAC_256', 'GENERATE_VERIFY_MAC', oaepOnly, secret(128), authenticates('sha256')),
  of('HMAC_384', 'GENERATE_VERIFY_MAC', oaepOnly, secret(48), authenticates('sha384')),
  of('HMAC_512', 'GENERATE_VERIFY_MAC', oaepOnly, secret(65), authenticates('sha512')),
  of('RSA_2048', 'SIGN_VERIFY', keyWrapOnly, rsa(2048), verifies(...rsaSigning)),
  of('RSA_3072', 'SIGN_VERIFY', keyWrapOnly, rsa(3072), verifies('RSASSA_PKCS1_V1_5_SHA_384')),
  of('RSA_4096', 'ENCRYPT_DECRYPT', keyWrapOnly, rsa(4096), decrypts),
  of('ECC_NIST_P256', 'SIGN_VERIFY', wrappings, curve('prime256v1'), verifies('ECDSA_SHA_256')),
  of('ECC_NIST_P384', 'KEY_AGREEMENT', wrappings, curve('secp384r1'), agrees('secp384r1')),
  of('ECC_NIST_P521', 'SIGN_VERIFY', wrappings, curve('secp521r1'), verifies('ECDSA_SHA_512')),
  of('ECC_SECG_P256K1', 'SIGN_VERIFY', wrappings, curve('secp256k1'), verifies('ECDSA_SHA_256')),
  of(
    'ECC_NIST_EDWARDS25519',
    'SIGN_VERIFY',
    wrappings,
    ed25519,
    verifies('ED25519_SHA_512', 'ED25519_PH_SHA_512'),
  ),
]

function of(
  spec: KeySpec,
  usage: Importable['usage'],
  by: readonly Wrapping[],
  material: () => Material,
  proves: Importable['proves'],
): Importable {
  return { spec, usage, by, material, proves }
}

/** Each of them once, and else the cheapest that holds the material: P-521 is too long for 2048 bits. */
function wrappingSpecOf(spec: KeySpec, round: number): WrappingKeySpec {
  if (spec === 'ECC_NIST_P256') return present(wrappingSpecs[round % wrappingSpecs.length])
  return spec === 'ECC_NIST_P521' ? 'RSA_3072' : 'RSA_2048'
}

/** What one import takes: parameters of the service, and the material under them. */
export async function importedUnder(
  kms: TwoRegions,
  key: Key,
  material: Buffer,
  more: Partial<ImportKeyMaterialCommandInput> = {},
  by: Wrapping = 'RSAES_OAEP_SHA_256',
  WrappingKeySpec: WrappingKeySpec = 'RSA_2048',
  client = kms.here,
) {
  const parameters = await client.send(
    new GetParametersForImportCommand({ KeyId: key.id, WrappingAlgorithm: by, WrappingKeySpec }),
  )
  const publicKey = present(parameters.PublicKey)
  const bits = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' })
    .asymmetricKeyDetails?.modulusLength
  assert.equal(`RSA_${bits}`, WrappingKeySpec)
  const valid = present(parameters.ParametersValidTo).getTime() - Date.now()
  assert.ok(Math.abs(valid - 24 * 3_600_000) < 60_000, `parameters are valid for ${valid} ms`)
  return client.send(
    new ImportKeyMaterialCommand({
      KeyId: key.id,
      ImportToken: present(parameters.ImportToken),
      EncryptedKeyMaterial: wrapped(by, publicKey, material),
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      ...more,
    }),
  )
}

export function imports(kms: TwoRegions): void {
  const stateOf = async (key: Key) => {
    const { KeyMetadata } = await kms.here.send(new DescribeKeyCommand({ KeyId: key.id }))
    return present(KeyMetadata)
  }

  describe('imported key material', () => {
    for (const { spec, usage, by, material: make, proves } of importable) {
      test(`${spec}, by ${by.join(', ')}`, async () => {
        const key = await kms.newKey({ KeySpec: spec, KeyUsage: usage, Origin: 'EXTERNAL' })
        assert.equal((await stateOf(key)).KeyState, 'PendingImport')
        const material = make()
        for (const [round, algorithm] of by.entries()) {
          const wrapping = wrappingSpecOf(spec, round)
          const answer = await importedUnder(kms, key, material.bytes, {}, algorithm, wrapping)
          assert.equal(answer.KeyId, key.arn)
          const { KeyState, ExpirationModel, Origin } = await stateOf(key)
          assert.deepEqual(
            [KeyState, ExpirationModel, Origin],
            ['Enabled', 'KEY_MATERIAL_DOES_NOT_EXPIRE', 'EXTERNAL'],
          )
          await proves(kms, key, material)
          await kms.here.send(new DeleteImportedKeyMaterialCommand({ KeyId: key.id }))
          assert.equal((await stateOf(key)).KeyState, 'PendingImport')
        }
        // What the key had once is the only material that it takes again. Another RSA key takes long to make.
        if (spec === 'RSA_3072' || spec === 'RSA_4096') return
        await fails(
          importedUnder(kms, key, make().bytes, {}, by[0], wrappingSpecOf(spec, 0)),
          'IncorrectKeyMaterialException',
        )
      })
    }

    test('every key spec that has importable material was used', () => {
      const others = Object.keys(KeySpec).filter((spec) => /^(SM2|ML_)/.test(spec))
      assert.deepEqual(
        [...importable.map(({ spec }) => spec), ...others].sort(),
        Object.keys(KeySpec).sort(),
      )
    })

    test('is refused when it is not what the key is, or does not come from its parameters', async () => {
      const key = await kms.newKey({ Origin: 'EXTERNAL' })
      await fails(importedUnder(kms, key, randomBytes(31)), 'IncorrectKeyMaterialException')
      const other = await kms.newKey({ Origin: 'EXTERNAL' })
      const parameters = await kms.here.send(
        new GetParametersForImportCommand({
          KeyId: other.id,
          WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
          WrappingKeySpec: 'RSA_2048',
        }),
      )
      const [ImportToken, publicKey] = [
        present(parameters.ImportToken),
        present(parameters.PublicKey),
      ]
      const request = {
        KeyId: key.id,
        ImportToken,
        EncryptedKeyMaterial: oaep(publicKey, 'sha256', randomBytes(32)),
        ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      } as const
      await fails(
        kms.here.send(new ImportKeyMaterialCommand(request)),
        'InvalidImportTokenException',
      )
      await fails(
        kms.here.send(
          new ImportKeyMaterialCommand({
            ...request,
            KeyId: other.id,
            EncryptedKeyMaterial: randomBytes(256),
          }),
        ),
        'InvalidCiphertextException',
      )
      await fails(
        kms.here.send(
          new ImportKeyMaterialCommand({
            ...request,
            KeyId: other.id,
            ExpirationModel: 'KEY_MATERIAL_EXPIRES',
          }),
        ),
        'ValidationException',
        'A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES',
      )
      const own = await kms.newKey()
      await fails(
        importedUnder(kms, own, randomBytes(32)),
        'UnsupportedOperationException',
        `${own.arn} origin is AWS_KMS which is not valid for this operation.`,
      )
    })

    test('expires', async () => {
      const key = await kms.newKey({ Origin: 'EXTERNAL' })
      const ValidTo = new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000)
      await importedUnder(kms, key, randomBytes(32), {
        ExpirationModel: 'KEY_MATERIAL_EXPIRES',
        ValidTo,
      })
      const metadata = await stateOf(key)
      assert.equal(metadata.ExpirationModel, 'KEY_MATERIAL_EXPIRES')
      assert.deepEqual(metadata.ValidTo, ValidTo)
      await encrypts(kms, key)
      await new Promise((resolve) => setTimeout(resolve, ValidTo.getTime() - Date.now() + 20))
      await fails(
        kms.here.send(new EncryptCommand({ KeyId: key.id, Plaintext: Buffer.of(1) })),
        'KMSInvalidStateException',
        `${key.arn} is pending import.`,
      )
    })
  })
}

async function encrypts(kms: TwoRegions, { id }: Key): Promise<void> {
  const Plaintext = Buffer.from('under imported material')
  const { CiphertextBlob } = await kms.here.send(new EncryptCommand({ KeyId: id, Plaintext }))
  const opened = await kms.here.send(new DecryptCommand({ CiphertextBlob }))
  assert.deepEqual(Buffer.from(present(opened.Plaintext)), Plaintext)
}

function authenticates(hash: string): Importable['proves'] {
  return async (kms, { id }, { bytes }) => {
    const Message = Buffer.from('authentic')
    const MacAlgorithm = `HMAC_SHA_${hash.slice(3)}` as 'HMAC_SHA_256'
    const { Mac } = await kms.here.send(
      new GenerateMacCommand({ KeyId: id, Message, MacAlgorithm }),
    )
    assert.deepEqual(Buffer.from(present(Mac)), createHmac(hash, bytes).update(Message).digest())
  }
}

/** Signatures that were made outside. */
function verifies(...algorithms: SigningAlgorithmSpec[]): Importable['proves'] {
  return async (kms, { id }, { pair }) => {
    const { privateKey, publicKey } = present(pair)
    for (const SigningAlgorithm of algorithms) {
      const isDigest = isEdwardsPrehashed(SigningAlgorithm)
      const text = Buffer.from('signed outside')
      const Message = isDigest ? digestFor(SigningAlgorithm, text) : text
      const Signature = signOutside(SigningAlgorithm, privateKey, Message)
      const { SignatureValid } = await kms.here.send(
        new VerifyCommand({
          KeyId: id,
          Message,
          MessageType: isDigest ? 'DIGEST' : 'RAW',
          Signature,
          SigningAlgorithm,
        }),
      )
      assert.equal(SignatureValid, true, SigningAlgorithm)
    }
    const { PublicKey } = await kms.here.send(new GetPublicKeyCommand({ KeyId: id }))
    assert.deepEqual(
      Buffer.from(present(PublicKey)),
      publicKey.export({ type: 'spki', format: 'der' }),
    )
  }
}

async function decrypts(kms: TwoRegions, { id }: Key, { pair }: Material): Promise<void> {
  const publicKey = present(pair).publicKey.export({ type: 'spki', format: 'der' })
  const opened = await kms.here.send(
    new DecryptCommand({
      KeyId: id,
      CiphertextBlob: oaep(publicKey, 'sha1', Buffer.from('encrypted outside')),
      EncryptionAlgorithm: 'RSAES_OAEP_SHA_1',
    }),
  )
  assert.equal(Buffer.from(present(opened.Plaintext)).toString(), 'encrypted outside')
}

function agrees(namedCurve: string): Importable['proves'] {
  return async (kms, { id }, { pair }) => {
    const peer = generateKeyPairSync('ec', { namedCurve })
    const derived = await kms.here.send(
      new DeriveSharedSecretCommand({
        KeyId: id,
        PublicKey: peer.publicKey.export({ type: 'spki', format: 'der' }),
        KeyAgreementAlgorithm: 'ECDH',
      }),
    )
    assert.equal(derived.KeyOrigin, 'EXTERNAL')
    assert.deepEqual(
      Buffer.from(present(derived.SharedSecret)),
      diffieHellman({ privateKey: peer.privateKey, publicKey: present(pair).publicKey }),
    )
  }
}
