import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { Clock } from '../base/clock.ts'
import { internalError } from '../base/errors.ts'
import type { AccountId, Region } from '../base/ids.ts'
import { type DerivationScope, deriveSigningKey, sealSecret } from './access-secrets.ts'
import {
  decapsulateSecret,
  type Encapsulated,
  encapsulateSecret,
} from './asymmetric/encapsulation.ts'
import { KeyOperations, refuseOther } from './asymmetric/key-operations.ts'
import { type EncodedKeyPair, generatePair } from './asymmetric/key-pair.ts'
import { CheckpointSigner } from './checkpoint-signer.ts'
import { decryptBlob, encryptBlob } from './cipher.ts'
import type { RootOptions } from './drivers/open.ts'
import { Hierarchy } from './hierarchy.ts'
import { Importer } from './import/importer.ts'
import {
  type DataKeyPairSpec,
  type EncryptionAlgorithm,
  type KeySpec,
  type MessageType,
  type RsaEncryptionAlgorithm,
  type SigningAlgorithm,
  specRow,
} from './key-specs.ts'
import { macMatches, macOf } from './mac.ts'
import type { WrappedForm } from './material-text.ts'
import { Materials } from './materials.ts'
import type { HsmStatus, KeyName, Material, NewMaterial, SealPurpose } from './port.ts'
import { RandomPool } from './random-pool.ts'
import { openText, sealText } from './seal.ts'
import type { Soon } from './soon.ts'
import { Turns } from './turns.ts'

/** AWS's limit of GenerateDataKey and GenerateRandom. */
const randomBytesMax = 1024

/**
 * RSA keys take up to seconds of a thread each: one less is made at a time than there are processors. One queue serves
 * new keys, wrapping keys and the check of those that are imported.
 */
const generation = { atOnce: Math.max(1, availableParallelism() - 1), waitingMax: 16 }

export type CoreOptions = RootOptions & {
  readonly directory: string
  readonly clock: Clock
  /** How many key materials stay unwrapped. */
  readonly cacheSize?: number | undefined
}

/** What is encrypted, and for which key. */
export type Sealed = {
  readonly material: string
  readonly algorithm: EncryptionAlgorithm
  readonly blob: Buffer
  readonly context: Buffer
}

/**
 * The key core: everything the port promises. Material comes as its text (`material-text.ts`), contexts in canonical
 * form. Buffers that go in stay the caller's, who may overwrite them as soon as a call has returned, and so do those
 * that come out.
 */
export class Core {
  readonly importer: Importer
  readonly #hierarchy: Hierarchy
  readonly #signer: CheckpointSigner
  readonly #materials: Materials
  readonly #random = new RandomPool()
  readonly #pairs = new KeyOperations()
  readonly #generation = new Turns(generation)

  /** Throws StartRefused. */
  constructor(options: CoreOptions) {
    this.#hierarchy = Hierarchy.open(options.directory, options, options.clock)
    this.#signer = new CheckpointSigner(this.#hierarchy.checkpointSeed)
    this.#materials = new Materials(this.#hierarchy, options.cacheSize)
    this.importer = new Importer({
      hierarchy: this.#hierarchy,
      pairs: this.#pairs,
      generation: this.#generation,
      clock: options.clock,
    })
  }

  /** All threads that it will ever need, for a process that may start no more later. */
  startThreads(): void {
    this.#pairs.startThreads()
  }

  ensureRegion(region: Region): void {
    this.#hierarchy.ensureRegion(region)
  }

  status(): HsmStatus {
    return this.#hierarchy.status()
  }

  createMaterial(name: KeyName, spec: KeySpec): Soon<NewMaterial> {
    const { material } = specRow(spec)
    if (material.type !== 'secret') {
      return this.#generate(name.account, spec).then(({ privateKey, publicKey }) => ({
        material: this.#materials.wrapNew(name, spec, privateKey),
        publicKey,
      }))
    }
    const secret = randomBytes(material.bytes)
    return { material: this.#materials.wrapNew(name, spec, secret), publicKey: undefined }
  }

  rewrap(text: string): Material {
    return this.#materials.wrapAgain(text)
  }

  /** Throws 'key-unavailable' when the other Region has no keys. */
  replicate(text: string, region: Region): Material {
    return this.#materials.wrapAgain(text, region)
  }

  encrypt(material: string, plaintext: Buffer, context: Buffer): Buffer {
    return encryptBlob(this.#materials.symmetric(material), plaintext, context, this.#random)
  }

  decrypt(material: string, blob: Buffer, context: Buffer): Buffer {
    return decryptBlob(this.#materials.symmetric(material), blob, context)
  }

  encryptRsa(material: string, algorithm: RsaEncryptionAlgorithm, plaintext: Buffer): Buffer {
    return this.#pairs.encrypt(this.#materials.pair(material), algorithm, plaintext)
  }

  decryptRsa(material: string, algorithm: RsaEncryptionAlgorithm, blob: Buffer): Soon<Buffer> {
    const pair = this.#materials.pair(material)
    return this.#materials.unlessForgotten(material, this.#pairs.decrypt(pair, algorithm, blob))
  }

  reEncrypt(from: Sealed, to: Omit<Sealed, 'blob'>): Soon<Buffer> {
    const plaintext =
      from.algorithm === 'SYMMETRIC_DEFAULT'
        ? this.decrypt(from.material, from.blob, from.context)
        : this.decryptRsa(from.material, from.algorithm, from.blob)
    if (Buffer.isBuffer(plaintext)) return this.#encryptAgain(plaintext, to)
    const kept = { ...to, context: Buffer.from(to.context) }
    return plaintext.then((bytes) => this.#encryptAgain(bytes, kept))
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

  /** The private key is the caller's to wipe. */
  async dataKeyPair(
    material: string,
    spec: DataKeyPairSpec,
    context: Buffer,
  ): Promise<EncodedKeyPair & { readonly blob: Buffer }> {
    const kept = Buffer.from(context)
    // Before the work is done, and again after it: meanwhile the material may have been destroyed.
    this.#materials.symmetric(material)
    const pair = await this.#generate(this.#materials.account(material), spec)
    try {
      return { ...pair, blob: this.encrypt(material, pair.privateKey, kept) }
    } catch (error) {
      pair.privateKey.fill(0)
      throw error
    }
  }

  sign(
    material: string,
    algorithm: SigningAlgorithm,
    messageType: MessageType,
    message: Buffer,
  ): Soon<Buffer> {
    const signature = this.#pairs.sign(
      this.#materials.pair(material),
      algorithm,
      messageType,
      message,
    )
    return this.#materials.unlessForgotten(material, signature)
  }

  verify(
    material: string,
    algorithm: SigningAlgorithm,
    messageType: MessageType,
    message: Buffer,
    signature: Buffer,
  ): Soon<boolean> {
    const pair = this.#materials.pair(material)
    const valid = this.#pairs.verify(pair, algorithm, messageType, message, signature)
    return this.#materials.unlessForgotten(material, valid)
  }

  generateMac(material: string, message: Buffer): Buffer {
    return macOf(this.#materials.macPads(material), message)
  }

  verifyMac(material: string, message: Buffer, mac: Buffer): boolean {
    return macMatches(this.#materials.macPads(material), message, mac)
  }

  deriveSharedSecret(material: string, publicKey: Buffer): Soon<Buffer> {
    const secret = this.#pairs.deriveSharedSecret(this.#materials.pair(material), publicKey)
    return this.#materials.unlessForgotten(material, secret)
  }

  encapsulate(material: string): Encapsulated {
    const { spec, publicKey } = this.#materials.pair(material)
    refuseOther(spec, 'ENCAPSULATE_DECAPSULATE', 'ML_KEM')
    return encapsulateSecret(publicKey)
  }

  decapsulate(material: string, ciphertext: Buffer): Buffer {
    const { spec, privateKey } = this.#materials.pair(material)
    const kind = specRow(spec).material
    if (!('ciphertextBytes' in kind)) throw internalError(`a key of ${spec} does not do ML_KEM`)
    return decapsulateSecret(privateKey, ciphertext, kind.ciphertextBytes)
  }

  randomBytes(count: number): Buffer {
    if (count < 1 || count > randomBytesMax) throw internalError(`${count} random bytes`)
    return this.#random.bytes(count)
  }

  forget(forms: readonly WrappedForm[]): void {
    this.#materials.forget(forms)
  }

  rotateDomainKey(region: Region): number {
    return this.#hierarchy.rotate(region)
  }

  retireDomainKeys(region: Region, olderThan: number): void {
    this.#hierarchy.retire(region, olderThan)
    this.#materials.forgetOlder(region, olderThan)
  }

  sealSecret(accessKeyId: string, secret: Buffer): string {
    return sealSecret(this.#hierarchy.secretsKey, accessKeyId, secret)
  }

  seal(purpose: SealPurpose, owner: string, plaintext: Buffer): Buffer {
    return sealText(this.#hierarchy.secretsKey, purpose, owner, plaintext)
  }

  open(purpose: SealPurpose, owner: string, sealed: Buffer): Buffer {
    return openText(this.#hierarchy.secretsKey, purpose, owner, sealed)
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

  cosignCheckpoint(message: Buffer, signature: Buffer): Buffer {
    return this.#signer.cosign(message, signature)
  }

  checkpointMlDsaPublicKey(): Buffer {
    return this.#signer.mlDsaPublicKey()
  }

  /** RSA keys wait for their turn. */
  #generate(account: AccountId, spec: KeySpec): Promise<EncodedKeyPair> {
    if (specRow(spec).material.type !== 'rsa') return generatePair(spec)
    return this.#generation.run(account, () => generatePair(spec))
  }

  /** Wipes `plaintext`. */
  #encryptAgain(plaintext: Buffer, to: Omit<Sealed, 'blob'>): Buffer {
    const { material, algorithm, context } = to
    try {
      return algorithm === 'SYMMETRIC_DEFAULT'
        ? this.encrypt(material, plaintext, context)
        : this.encryptRsa(material, algorithm, plaintext)
    } finally {
      plaintext.fill(0)
    }
  }
}
