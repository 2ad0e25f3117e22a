import { createPrivateKey } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { internalError, ServiceError } from '../../base/errors.ts'
import { generatePair } from '../asymmetric/key-pair.ts'
import type { GenerationQueue } from '../generation-queue.ts'
import type { Hierarchy } from '../hierarchy.ts'
import { isSymmetric, type KeySpec, mayWrap } from '../key-specs.ts'
import type { Materials } from '../materials.ts'
import type { KeyName, NewMaterial } from '../port.ts'
import { type Soon, when } from '../soon.ts'
import { openToken, sealToken, type Wrapping } from './import-token.ts'
import { type ImportedMaterial, importedMaterial } from './imported-material.ts'
import { importedMaterialId } from './material-id.ts'
import { unwrapMaterial } from './unwrap-material.ts'

/** AWS's limit of EncryptedKeyMaterial. */
const encryptedBytesMax = 6144

type ImporterDeps = {
  readonly hierarchy: Hierarchy
  readonly materials: Pick<Materials, 'remember'>
  readonly generation: GenerationQueue
  readonly clock: Clock
}

/** Brings key material in from outside. Nothing stays here between the two calls that it takes. */
export class Importer {
  readonly #hierarchy: Hierarchy
  readonly #materials: Pick<Materials, 'remember'>
  readonly #generation: GenerationQueue
  readonly #clock: Clock

  constructor({ hierarchy, materials, generation, clock }: ImporterDeps) {
    this.#hierarchy = hierarchy
    this.#materials = materials
    this.#generation = generation
    this.#clock = clock
  }

  /** The public key is SPKI in DER. Rejects with 'throttled', or 'key-unavailable' when the Region has no keys. */
  async parameters(
    key: KeyName,
    wrapping: Wrapping,
  ): Promise<{ publicKey: Buffer; token: Buffer }> {
    if (!Number.isSafeInteger(wrapping.validTo) || wrapping.validTo < 0) {
      throw internalError('import parameters valid to no moment')
    }
    const { publicKey, privateKey } = await this.#generation.run(() => generatePair(wrapping.spec))
    try {
      return { publicKey, token: sealToken(this.#hierarchy, key, wrapping, privateKey) }
    } finally {
      privateKey.fill(0)
    }
  }

  /**
   * Throws, or rejects with, 'invalid-import-token', 'expired-import-token', 'invalid-ciphertext', or
   * 'incorrect-key-material' for what is none of that spec, or may not come in this wrapping; 'throttled' when too many
   * RSA keys are on their way in.
   */
  material(
    key: KeyName,
    spec: KeySpec,
    { token, encrypted }: { token: Buffer; encrypted: Buffer },
  ): Soon<NewMaterial> {
    const bytes = this.#unwrap(key, spec, token, encrypted)
    try {
      const imported = importedMaterial(spec, bytes, this.#generation)
      return when(imported, (each) => this.#wrap(key, spec, each))
    } finally {
      bytes.fill(0)
    }
  }

  #unwrap(key: KeyName, spec: KeySpec, token: Buffer, encrypted: Buffer): Buffer {
    const opened = openToken(this.#hierarchy, key, token)
    if (opened === undefined) throw new ServiceError('invalid-import-token')
    const { wrapping, privateKey } = opened
    try {
      if (this.#clock.now() > wrapping.validTo) throw new ServiceError('expired-import-token')
      if (!mayWrap(spec, wrapping.algorithm, wrapping.spec)) {
        throw new ServiceError('incorrect-key-material')
      }
      if (encrypted.length > encryptedBytesMax) throw new ServiceError('invalid-ciphertext')
      const unwrapping = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' })
      return unwrapMaterial(wrapping.algorithm, unwrapping, encrypted)
    } finally {
      privateKey.fill(0)
    }
  }

  /** Wipes the material. */
  #wrap(key: KeyName, spec: KeySpec, { material, publicKey }: ImportedMaterial): NewMaterial {
    try {
      const materialId = importedMaterialId(key.keyId, publicKey ?? material)
      const name = isSymmetric(spec) ? key : { ...key, keySpec: spec }
      const wrapped = this.#hierarchy.wrapMaterial(name, materialId, material)
      // Material that was forgotten with its key, or deleted, has the same id now that it is back.
      this.#materials.remember(materialId)
      return { material: wrapped, publicKey }
    } finally {
      material.fill(0)
    }
  }
}
