import { ServiceError } from '../../base/errors.ts'
import { type KeySpec, specRow } from '../key-specs.ts'
import type { Soon } from '../soon.ts'
import { importedEc } from './ec-key.ts'
import { importedEd25519 } from './ed25519-key.ts'
import { type PrivateKeyInfo, parsePrivateKeyInfo } from './private-key-info.ts'
import { importedRsa } from './rsa-key.ts'
import { isConsistentRsa } from './rsa-key-check.ts'

/** Material that came from outside, as the core keeps it. */
export type ImportedMaterial = {
  /** Secret bytes, or PKCS #8 in DER; the caller's to wipe. */
  readonly material: Buffer
  /** SPKI in DER; undefined for secret keys. */
  readonly publicKey: Buffer | undefined
}

/** Runs the check of an RSA key when its turn has come, or rejects with 'throttled'. */
export type InTurn = (check: () => Promise<boolean>) => Promise<boolean>

/**
 * `bytes` stay the caller's, who may wipe them as soon as this has returned. Throws, or rejects with,
 * 'incorrect-key-material' unless they are material of that spec.
 *
 * OpenSSL sees nothing of what came. It takes keys of any algorithm, and of any size: computing the public half of a
 * key for DSA that is as long as an RSA key would hold the core up for many seconds. What came is read here instead,
 * and what OpenSSL gets is put together anew, of numbers of the sizes that the spec has.
 */
export function importedMaterial(
  spec: KeySpec,
  bytes: Buffer,
  inTurn: InTurn,
): Soon<ImportedMaterial> {
  const kind = specRow(spec).material
  switch (kind.type) {
    case 'secret':
      if (bytes.length < kind.bytes || bytes.length > kind.bytesMax) throw incorrect()
      return { material: Buffer.from(bytes), publicKey: undefined }
    case 'rsa':
      return rsaMaterial(bytes, kind.bits, inTurn)
    case 'ec':
      return privateMaterial(bytes, curveKeyBytesMax, (info) => importedEc(info, kind.curve))
    case 'ed25519':
      return privateMaterial(bytes, curveKeyBytesMax, importedEd25519)
    default:
      throw incorrect()
  }
}

/** The longest, of P-521 with its public key, takes 241 in DER; the rest is for attributes. */
const curveKeyBytesMax = 1024
/** Of RSA, beside the numbers. */
const rsaOverheadMax = 1024

/** PKCS #8 (RFC 5208), of which `read` gets views. */
function privateMaterial(
  bytes: Buffer,
  bytesMax: number,
  read: (info: PrivateKeyInfo) => ImportedMaterial | undefined,
): ImportedMaterial {
  let imported: ImportedMaterial | undefined
  try {
    const info = bytes.length <= bytesMax ? parsePrivateKeyInfo(bytes) : undefined
    imported = info && read(info)
  } catch {
    // What OpenSSL says of a key that it cannot use is nobody's concern.
  }
  if (imported === undefined) throw incorrect()
  return imported
}

async function rsaMaterial(bytes: Buffer, bits: number, inTurn: InTurn): Promise<ImportedMaterial> {
  // The numbers of a key of two equal primes take 4.5 times the modulus.
  const bytesMax = (5 * bits) / 8 + rsaOverheadMax
  const imported = privateMaterial(bytes, bytesMax, (info) => importedRsa(info, bits))
  try {
    if (!(await inTurn(() => isConsistentRsa(imported.material)))) throw incorrect()
    return imported
  } catch (error) {
    imported.material.fill(0)
    throw error
  }
}

function incorrect(): ServiceError {
  return new ServiceError('incorrect-key-material')
}
