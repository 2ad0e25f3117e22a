import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { internalError } from '../../base/errors.ts'
import { type KeySpec, type MaterialKind, specRow } from '../key-specs.ts'

export type KeyPair = { readonly privateKey: KeyObject; readonly publicKey: KeyObject }

/** The private key in PKCS#8 (RFC 5208; of ML-DSA and ML-KEM the seed, RFC 9881 and RFC 9935), to be wiped; SPKI. */
export type EncodedKeyPair = { readonly privateKey: Buffer; readonly publicKey: Buffer }

const generate = promisify(generateKeyPair)
const publicExponent = 65_537

/** On libuv's pool. RSA takes up to seconds: to be run by `Turns`. */
export async function generatePair(spec: KeySpec): Promise<EncodedKeyPair> {
  const { privateKey, publicKey } = await generateObjects(specRow(spec).material)
  return {
    privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }),
    publicKey: spkiOf(publicKey),
  }
}

function generateObjects(material: MaterialKind): Promise<KeyPair> {
  switch (material.type) {
    case 'secret':
      throw internalError('a secret key has no public half')
    case 'rsa':
      return generate('rsa', { modulusLength: material.bits, publicExponent })
    case 'ec':
      return generate('ec', { namedCurve: material.curve })
    case 'ed25519':
      return generate(material.type)
    case 'ml-dsa-44':
    case 'ml-dsa-65':
    case 'ml-dsa-87':
      return generate(material.type)
    default:
      return generate(material.type)
  }
}

export function openPair(pkcs8: Buffer): KeyPair {
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  return { privateKey, publicKey: createPublicKey(privateKey) }
}

export function spkiOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' })
}
