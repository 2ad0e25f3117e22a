import { createCipheriv, randomBytes } from 'node:crypto'
import { oaep } from './outside-crypto.ts'

export type Wrapping =
  | 'RSAES_OAEP_SHA_1'
  | 'RSAES_OAEP_SHA_256'
  | 'RSA_AES_KEY_WRAP_SHA_1'
  | 'RSA_AES_KEY_WRAP_SHA_256'

/**
 * Key material as it travels to ImportKeyMaterial, made with OpenSSL. `publicKey` is the SPKI that
 * GetParametersForImport answered.
 * https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-encrypt-key-material.html
 */
export function wrapped(algorithm: Wrapping, publicKey: Uint8Array, material: Buffer): Buffer {
  const hash = algorithm.endsWith('_1') ? 'sha1' : 'sha256'
  if (algorithm.startsWith('RSAES_OAEP')) return oaep(publicKey, hash, material)
  const aesKey = randomBytes(32)
  // AES key wrap with padding, RFC 5649; the constant is the one of its §3.
  const wrap = createCipheriv('id-aes256-wrap-pad', aesKey, Buffer.from('a65959a6', 'hex'))
  return Buffer.concat([oaep(publicKey, hash, aesKey), wrap.update(material), wrap.final()])
}
