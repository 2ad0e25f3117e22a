import { internalError, ServiceError } from '../base/errors.ts'
import type { PairOfSpec } from './asymmetric/key-operations.ts'
import { openPair } from './asymmetric/key-pair.ts'
import { headerPrefix } from './blob.ts'
import type { MaterialKey } from './cipher.ts'
import { padsOf } from './kdf.ts'
import { algorithmsOf, isAsymmetric, type KeySpec, macAlgorithms } from './key-specs.ts'
import { type MacPads, macPads, wipePads } from './mac.ts'
import type { Material } from './port.ts'

/** Key material in clear, in the form in which it is used. */
export type OpenMaterial =
  | { readonly kind: 'symmetric'; readonly key: MaterialKey }
  | { readonly kind: 'mac'; readonly pads: MacPads }
  | { readonly kind: 'pair'; readonly pair: PairOfSpec }

/** Wipes `bytes`. Throws 'key-unavailable' for what is no material of its spec. */
export function openMaterial(material: Material, bytes: Buffer): OpenMaterial {
  const { account, keyId, materialId, keySpec } = material
  try {
    if (keySpec === undefined) {
      return {
        kind: 'symmetric',
        key: { prefix: headerPrefix(keyId, materialId), pads: padsOf(bytes) },
      }
    }
    if (isAsymmetric(keySpec)) {
      return { kind: 'pair', pair: { spec: keySpec, account, ...openPair(bytes) } }
    }
    return { kind: 'mac', pads: macPads(macAlgorithmOf(keySpec), bytes) }
  } catch (error) {
    if (error instanceof ServiceError) throw error
    const detail = `the material of ${keyId} is none of ${keySpec}`
    throw new ServiceError('key-unavailable', undefined, { detail })
  } finally {
    bytes.fill(0)
  }
}

/** What can be wiped. OpenSSL wipes the keys of a pair itself when they are collected. */
export function wipeMaterial(material: OpenMaterial): void {
  if (material.kind === 'symmetric') material.key.pads.fill(0)
  if (material.kind === 'mac') wipePads(material.pads)
}

function macAlgorithmOf(spec: KeySpec) {
  const [name] = algorithmsOf(spec, 'GENERATE_VERIFY_MAC')
  const algorithm = macAlgorithms.find((each) => each === name)
  if (algorithm === undefined) throw internalError(`${spec} has no material that is secret`)
  return algorithm
}
