import type { KeyId } from '../../base/ids.ts'
import { macOf, macPads, wipePads } from '../mac.ts'

const label = 'kagiban/material-id/v1'

/**
 * The id of imported material, 64 lower-case hexadecimal digits:
 *
 *   HMAC-SHA-256(identity, label ‖ key id ‖ length of the identity u32)
 *
 * The same material has the same id again, and the id tells nothing of it. `identity` is the material itself if it is
 * a secret key; of a private key it is the public one (SPKI in DER), because one private key has many encodings. The
 * length is there because HMAC takes keys of different lengths for the same (RFC 2104 §2).
 */
export function importedMaterialId(keyId: KeyId, identity: Buffer): string {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(identity.length)
  const pads = macPads('HMAC_SHA_256', identity)
  try {
    return macOf(pads, Buffer.concat([Buffer.from(label + keyId), length])).toString('hex')
  } finally {
    wipePads(pads)
  }
}
