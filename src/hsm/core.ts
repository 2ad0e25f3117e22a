import { randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { internalError } from '../base/errors.ts'
import type { Region } from '../base/ids.ts'
import { type DerivationScope, deriveSigningKey, sealSecret } from './access-secrets.ts'
import { CheckpointSigner } from './checkpoint-signer.ts'
import { decryptBlob, encryptBlob, type MaterialKey } from './cipher.ts'
import type { RootOptions } from './drivers/open.ts'
import { Hierarchy } from './hierarchy.ts'
import { MaterialCache } from './material-cache.ts'
import { parseMaterial } from './material-text.ts'
import type { HsmStatus, KeyName, Material } from './port.ts'
import { RandomPool } from './random-pool.ts'

/** AWS's limit of GenerateDataKey and GenerateRandom. */
const randomBytesMax = 1024
const materialBytes = 32

export type CoreOptions = RootOptions & {
  readonly directory: string
  readonly clock: Clock
  /** How many key materials stay unwrapped. */
  readonly cacheSize?: number | undefined
}

/**
 * The key core: everything the port promises, done at once. Material comes as its text (`material-text.ts`), contexts
 * in canonical form. Buffers that go in stay the caller's, and so do those that come out.
 */
export class Core {
  readonly #hierarchy: Hierarchy
  readonly #signer: CheckpointSigner
  readonly #cache: MaterialCache
  readonly #random = new RandomPool()

  /** Throws StartRefused. */
  constructor(options: CoreOptions) {
    this.#hierarchy = Hierarchy.open(options.directory, options, options.clock)
    this.#signer = new CheckpointSigner(this.#hierarchy.checkpointSeed)
    this.#cache = new MaterialCache(options.cacheSize)
  }

  ensureRegion(region: Region): void {
    this.#hierarchy.ensureRegion(region)
  }

  status(): HsmStatus {
    return this.#hierarchy.status()
  }

  createMaterial(name: KeyName): Material {
    const material = randomBytes(materialBytes)
    try {
      return this.#hierarchy.wrapMaterial(name, randomBytes(32).toString('hex'), material)
    } finally {
      material.fill(0)
    }
  }

  rewrap(text: string): Material {
    const { region, account, keyId, materialId, ...wrapped } = this.#materialOf(text)
    const name = { region, account, keyId }
    const material = this.#hierarchy.unwrapMaterial({ ...name, materialId, ...wrapped })
    try {
      return this.#hierarchy.wrapMaterial(name, materialId, material)
    } finally {
      material.fill(0)
    }
  }

  encrypt(material: string, plaintext: Buffer, context: Buffer): Buffer {
    return encryptBlob(this.#material(material), plaintext, context, this.#random)
  }

  decrypt(material: string, blob: Buffer, context: Buffer): Buffer {
    return decryptBlob(this.#material(material), blob, context)
  }

  reEncrypt(
    from: { material: string; blob: Buffer; context: Buffer },
    to: { material: string; context: Buffer },
  ): Buffer {
    const plaintext = this.decrypt(from.material, from.blob, from.context)
    try {
      return this.encrypt(to.material, plaintext, to.context)
    } finally {
      plaintext.fill(0)
    }
  }

  dataKey(material: string, count: number, context: Buffer): { plaintext: Buffer; blob: Buffer } {
    const plaintext = this.randomBytes(count)
    return { plaintext, blob: this.encrypt(material, plaintext, context) }
  }

  dataKeyBlob(material: string, count: number, context: Buffer): Buffer {
    const { plaintext, blob } = this.dataKey(material, count, context)
    plaintext.fill(0)
    return blob
  }

  randomBytes(count: number): Buffer {
    if (count < 1 || count > randomBytesMax) throw internalError(`${count} random bytes`)
    return this.#random.bytes(count)
  }

  forget(materialIds: ReadonlySet<string>): void {
    this.#cache.forget(materialIds)
  }

  rotateDomainKey(region: Region): number {
    return this.#hierarchy.rotate(region)
  }

  retireDomainKeys(region: Region, olderThan: number): void {
    this.#hierarchy.retire(region, olderThan)
    this.#cache.forgetOlder(region, olderThan)
  }

  sealSecret(accessKeyId: string, secret: Buffer): string {
    return sealSecret(this.#hierarchy.secretsKey, accessKeyId, secret)
  }

  signingKey(scope: DerivationScope): Buffer {
    return deriveSigningKey(this.#hierarchy.secretsKey, scope)
  }

  signCheckpoint(message: Buffer): Buffer {
    return this.#signer.sign(message)
  }

  checkpointPublicKey(): Buffer {
    return this.#signer.publicKey()
  }

  #material(text: string): MaterialKey {
    const known = this.#cache.get(text)
    if (known !== undefined) return known
    const material = this.#materialOf(text)
    return this.#cache.add(text, material, this.#hierarchy.unwrapMaterial(material))
  }

  #materialOf(text: string): Material {
    const material = parseMaterial(text)
    if (material === undefined) throw internalError('not the text of a key material')
    this.#cache.refuseForgotten(material)
    return material
  }
}
