import { createPrivateKey, createPublicKey } from 'node:crypto'
import { der, tags } from '../asymmetric/der.ts'
import { spkiOf } from '../asymmetric/key-pair.ts'
import { readBer } from './ber.ts'
import { encodePrivateKeyInfo, type PrivateKeyInfo } from './private-key-info.ts'

/** id-Ed25519 (RFC 8410 §3), without tag and length. It has no parameters. */
const idEd25519 = Buffer.from('2b6570', 'hex')
const identifier = der(tags.sequence, der(tags.objectIdentifier, idEd25519))
const seedBytes = 32

/** The key put together anew, with the public key that its seed makes. Undefined unless it is one of Ed25519. */
export function importedEd25519({
  algorithm,
  parameters,
  privateKey,
}: PrivateKeyInfo): { material: Buffer; publicKey: Buffer } | undefined {
  if (!algorithm.equals(idEd25519) || parameters.length > 0) return undefined
  const seed = readBer(tags.octetString, privateKey)
  if (seed?.contents.length !== seedBytes || seed.rest.length > 0) return undefined
  const material = encodePrivateKeyInfo(identifier, der(tags.octetString, seed.contents))
  const key = createPrivateKey({ key: material, format: 'der', type: 'pkcs8' })
  return { material, publicKey: spkiOf(createPublicKey(key)) }
}
