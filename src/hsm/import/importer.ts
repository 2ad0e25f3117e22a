import { createPrivateKey } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { internalError, ServiceError } from '../../base/errors.ts'
import type { KeyOperations } from '../asymmetric/key-operations.ts'
import { generatePair } from '../asymmetric/key-pair.ts'
import type { Hierarchy } from '../hierarchy.ts'
import { isSymmetric, type KeySpec, mayWrap, type RsaEncryptionAlgorithm } from '../key-specs.ts'
import type { KeyName, NewMaterial } from '../port.ts'
import type { Soon } from '../soon.ts'
import type { Turns } from '../turns.ts'
import { openToken, sealToken, type Wrapping } from './import-token.ts'
import { type ImportedMaterial, importedMaterial } from './imported-material.ts'
import { importedMaterialId } from './material-id.ts'
import { unwrapMaterial } from './unwrap-material.ts'

/** AWS's limit of EncryptedKeyMaterial. */
const encryptedBytesMax = 6144

type ImporterDeps = {
  readonly hierarchy: Hierarchy
  /** Opens what was encrypted for a wrapping key, where that holds up nothing else. */
  readonly pairs: Pick<KeyOperations, 'open'>
  readonly generation: Turns
  readonly clock: Clock
}

/** Brings key material in from outside. Nothing stays here between the two calls that it takes. */
export class Importer {
  readonly #hierarchy: Hierarchy
  readonly #pairs: Pick<KeyOperations, 'open'>
  readonly #generation: Turns
  readonly #clock: Clock

  constructor({ hierarchy, pairs, generation, clock }: ImporterDeps) {
    this.#hierarchy = hierarchy
    this.#pairs = pairs
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
    const { publicKey, privateKey } = await this.#generation.run(key.account, () =>
      generatePair(wrapping.spec),
    )
    try {
      return { publicKey, token: sealToken(this.#hierarchy, key, wrapping, privateKey) }
    } finally {
      privateKey.fill(0)
    }
  }

  /**
   * Rejects with 'invalid-import-token', 'expired-import-token', 'invalid-ciphertext', or 'incorrect-key-material' for
   * what is none of that spec, or may not come in this wrapping; 'throttled' when too many are on their way in.
   */
  async material(
    key: KeyName,
    spec: KeySpec,
    { token, encrypted }: { token: Buffer; encrypted: Buffer },
  ): Promise<NewMaterial> {
    const bytes = await this.#unwrap(key, spec, token, encrypted)
    let imported: Soon<ImportedMaterial>
    try {
      imported = importedMaterial(spec, bytes, (check) => this.#generation.run(key.account, check))
    } finally {
      bytes.fill(0)
    }
    return this.#wrap(key, spec, await imported)
  }

  /** What it is given may be overwritten as soon as it has returned. */
  #unwrap(key: KeyName, spec: KeySpec, token: Buffer, encrypted: Buffer): Promise<Buffer> {
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
      const opener = {
        modulusBytes: (unwrapping.asymmetricKeyDetails?.modulusLength ?? 0) / 8,
        open: (algorithm: RsaEncryptionAlgorithm, ciphertext: Buffer) =>
          this.#pairs.open(key.account, unwrapping, algorithm, ciphertext),
      }
      return unwrapMaterial(wrapping.algorithm, opener, encrypted)
    } finally {
      privateKey.fill(0)
    }
  }

  /** Wipes the material. */
  #wrap(key: KeyName, spec: KeySpec, { material, publicKey }: ImportedMaterial): NewMaterial {
    try {
      const materialId = importedMaterialId(key.keyId, publicKey ?? material)
      const name = isSymmetric(spec) ? key : { ...key, keySpec: spec }
      return { material: this.#hierarchy.wrapMaterial(name, materialId, material), publicKey }
    } finally {
      material.fill(0)
    }
  }
}
