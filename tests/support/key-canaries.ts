import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { pkcs8, samplePrivateKey, wrapForImport } from '../../src/hsm/testing/importing.ts'
import type { Canary } from './canary.ts'

type Call = (operation: string, input: object) => Promise<Record<string, unknown>>

/** Keys that are known because they are imported, and all that is done with private keys and MACs. */
export async function provokeKeys(ok: Call, KeyId: string): Promise<Canary[]> {
  return [
    ...(await provokeImported(ok)),
    ...(await provokeAgreement(ok)),
    ...(await provokePair(ok, KeyId)),
  ]
}

async function provokeImported(ok: Call): Promise<Canary[]> {
  const canaries: Canary[] = []
  const Message = () => {
    const message = randomBytes(48)
    canaries.push({ name: 'a message', secret: message })
    return message.toString('base64')
  }
  const signing = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' } as const
  const curve = samplePrivateKey(signing.KeySpec)
  const signer = await imported(ok, signing, pkcs8(curve))
  canaries.push({ name: 'an imported private key', secret: scalarOf(curve) })
  const SigningAlgorithm = 'ECDSA_SHA_256'
  const message = Message()
  const signed = await ok('Sign', { KeyId: signer, SigningAlgorithm, Message: message })
  const { Signature } = signed
  await ok('Verify', { KeyId: signer, SigningAlgorithm, Message: message, Signature })

  const key = randomBytes(32)
  canaries.push({ name: 'an imported HMAC key', secret: key })
  const usage = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' } as const
  const maker = await imported(ok, usage, key)
  await ok('GenerateMac', { KeyId: maker, MacAlgorithm: 'HMAC_SHA_256', Message: Message() })

  const rsa = samplePrivateKey('RSA_2048')
  const decrypting = { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' } as const
  const opener = await imported(ok, decrypting, pkcs8(rsa))
  canaries.push({ name: 'an imported RSA key', secret: scalarOf(rsa).subarray(0, 48) })
  const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256'
  const sealed = { KeyId: opener, EncryptionAlgorithm }
  const { CiphertextBlob } = await ok('Encrypt', { ...sealed, Plaintext: Message() })
  await ok('Decrypt', { ...sealed, CiphertextBlob })
  return canaries
}

async function provokeAgreement(ok: Call): Promise<Canary[]> {
  const created = await ok('CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' })
  const { KeyId } = created['KeyMetadata'] as { KeyId: string }
  const peer = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey
  const PublicKey = peer.export({ format: 'der', type: 'spki' }).toString('base64')
  const KeyAgreementAlgorithm = 'ECDH'
  const agreed = await ok('DeriveSharedSecret', { KeyId, KeyAgreementAlgorithm, PublicKey })
  const secret = Buffer.from(String(agreed['SharedSecret']), 'base64')
  return [{ name: 'a shared secret', secret }]
}

async function provokePair(ok: Call, KeyId: string): Promise<Canary[]> {
  const made = await ok('GenerateDataKeyPair', { KeyId, KeyPairSpec: 'ML_KEM_768' })
  const bytes = Buffer.from(String(made['PrivateKeyPlaintext']), 'base64')
  return [{ name: 'the seed of a data key pair', secret: bytes.subarray(-48) }]
}

/** The id of a new key with this material. */
async function imported(
  ok: Call,
  spec: { readonly KeySpec: string; readonly KeyUsage: string },
  material: Buffer,
): Promise<string> {
  const created = await ok('CreateKey', { ...spec, Origin: 'EXTERNAL' })
  const { KeyId } = created['KeyMetadata'] as { KeyId: string }
  const WrappingAlgorithm =
    material.length > 190 ? 'RSA_AES_KEY_WRAP_SHA_256' : 'RSAES_OAEP_SHA_256'
  const parameters = { KeyId, WrappingAlgorithm, WrappingKeySpec: 'RSA_2048' }
  const { PublicKey, ImportToken } = await ok('GetParametersForImport', parameters)
  const wrappingKey = Buffer.from(String(PublicKey), 'base64')
  const encrypted = wrapForImport(WrappingAlgorithm, wrappingKey, material)
  await ok('ImportKeyMaterial', {
    KeyId,
    ImportToken,
    EncryptedKeyMaterial: encrypted.toString('base64'),
    ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
  })
  return KeyId
}

/** What of a private key is not in its public half. */
function scalarOf(key: KeyObject): Buffer {
  const { d = '' } = key.export({ format: 'jwk' })
  return Buffer.from(String(d), 'base64url')
}
