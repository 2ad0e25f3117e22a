import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { ServiceError } from '../../base/errors.ts'
import type { GenerationQueue } from '../generation-queue.ts'
import { type KeySpec, specRow } from '../key-specs.ts'
import type { Soon } from '../soon.ts'
import { importedEc } from './ec-key.ts'
import { isConsistentRsa, isRsa } from './rsa-key-check.ts'

/** Material that came from outside, as the core keeps it. */
export type ImportedMaterial = {
  /** Secret bytes, or PKCS #8 in DER; the caller's to wipe. */
  readonly material: Buffer
  /** SPKI in DER; undefined for secret keys. */
  readonly publicKey: Buffer | undefined
}

/**
 * `bytes` stay the caller's, who may wipe them as soon as this has returned. Throws, or rejects with,
 * 'incorrect-key-material' unless they are material of that spec. RSA keys take their turn in the queue: 'throttled'
 * when too many wait.
 */
export function importedMaterial(
  spec: KeySpec,
  bytes: Buffer,
  queue: GenerationQueue,
): Soon<ImportedMaterial> {
  const kind = specRow(spec).material
  switch (kind.type) {
    case 'secret':
      if (bytes.length < kind.bytes || bytes.length > kind.bytesMax) throw incorrect()
      return { material: Buffer.from(bytes), publicKey: undefined }
    case 'rsa':
      return rsaMaterial(bytes, kind.bits, queue)
    case 'ec':
      return privateMaterial(bytes, (key, pkcs8) => importedEc(key, pkcs8, kind.curve))
    case 'ed25519':
      return privateMaterial(bytes, (key, pkcs8) =>
        key.asymmetricKeyType === 'ed25519' ? asItIs(key, pkcs8) : undefined,
      )
    default:
      throw incorrect()
  }
}

/** PKCS #8 (RFC 5208) in whatever BER OpenSSL reads. `read` gets it in DER, too, and keeps nothing of that. */
function privateMaterial(
  bytes: Buffer,
  read: (key: KeyObject, pkcs8: Buffer) => ImportedMaterial | undefined,
): ImportedMaterial {
  let pkcs8: Buffer | undefined
  let imported: ImportedMaterial | undefined
  try {
    const key = createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' })
    pkcs8 = key.export({ format: 'der', type: 'pkcs8' })
    imported = read(key, pkcs8)
  } catch {
    // What OpenSSL says of a key that it cannot use is nobody's concern.
  } finally {
    pkcs8?.fill(0)
  }
  if (imported === undefined) throw incorrect()
  return imported
}

async function rsaMaterial(
  bytes: Buffer,
  bits: number,
  queue: GenerationQueue,
): Promise<ImportedMaterial> {
  const imported = privateMaterial(bytes, (key, pkcs8) =>
    isRsa(key, bits) ? asItIs(key, pkcs8) : undefined,
  )
  try {
    if (!(await queue.run(() => isConsistentRsa(imported.material)))) throw incorrect()
    return imported
  } catch (error) {
    imported.material.fill(0)
    throw error
  }
}

function asItIs(key: KeyObject, pkcs8: Buffer): ImportedMaterial {
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return { material: Buffer.from(pkcs8), publicKey }
}

function incorrect(): ServiceError {
  return new ServiceError('incorrect-key-material')
}
