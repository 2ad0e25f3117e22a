import type { Duplex } from 'node:stream'
import type { Region } from '../base/ids.ts'
import {
  copyOf,
  copyOfOne,
  lastingCopyOf,
  nothing,
  present,
  readMaterial,
  readNewMaterial,
  truth,
} from './answers.ts'
import { Calls, type CallsOptions } from './calls.ts'
import { canonicalContext } from './context.ts'
import type {
  DataKeyPairSpec,
  EncryptionAlgorithm,
  KeySpec,
  MessageType,
  RsaEncryptionAlgorithm,
  SigningAlgorithm,
  WrappingAlgorithm,
  WrappingKeySpec,
} from './key-specs.ts'
import { formOf, formText, materialText, nameText } from './material-text.ts'
import type {
  EncryptionContext,
  Hsm,
  HsmStatus,
  KeyName,
  Material,
  NewMaterial,
  SealPurpose,
  SigningScope,
  WrappedMaterial,
} from './port.ts'
import { commands, fieldsMax } from './protocol.ts'

/**
 * The key core, as the port says. Buffers that a call takes must not change before its promise has settled; those that
 * it gives are the caller's own, to be wiped where they are secret.
 */
export class HsmClient implements Hsm {
  readonly #calls: Calls

  constructor(options: CallsOptions = {}) {
    this.#calls = new Calls(options)
  }

  /**
   * Gives the client the socket of a core: at the start, and again for the successor of a core that died; calls that
   * were not answered are sent to it. A socket that was attached before is destroyed.
   */
  attach(stream: Duplex): void {
    this.#calls.attach(stream)
  }

  /** Whether there is a core. While there is none, calls wait for one. */
  get attached(): boolean {
    return this.#calls.attached
  }

  /** Calls that wait fail with 'unavailable', and so do all later ones. The core ends with its socket. */
  close(): void {
    this.#calls.close()
  }

  ensureRegion(region: Region): Promise<void> {
    return this.#calls.call(commands.ensureRegion, [region], nothing)
  }

  status(): Promise<HsmStatus> {
    return this.#calls.call(commands.status, [], ([json]) => JSON.parse(present(json).toString()))
  }

  createMaterial(key: KeyName, spec: KeySpec): Promise<NewMaterial> {
    const { region, account, keyId } = key
    return this.#calls.call(commands.createMaterial, [nameText(key), spec], (fields) =>
      readNewMaterial({ region, account, keyId }, spec, fields),
    )
  }

  encrypt(material: Material, plaintext: Buffer, context: EncryptionContext): Promise<Buffer> {
    return this.#withContext(context, (canonical) =>
      this.#calls.call(commands.encrypt, [materialText(material), plaintext, canonical], copyOfOne),
    )
  }

  decrypt(material: Material, blob: Buffer, context: EncryptionContext): Promise<Buffer> {
    return this.#withContext(context, (canonical) =>
      this.#calls.call(commands.decrypt, [materialText(material), blob, canonical], copyOfOne),
    )
  }

  reEncrypt(
    from: {
      material: Material
      algorithm: EncryptionAlgorithm
      blob: Buffer
      context: EncryptionContext
    },
    to: { material: Material; algorithm: EncryptionAlgorithm; context: EncryptionContext },
  ): Promise<Buffer> {
    return this.#withContext(from.context, (fromContext) =>
      this.#withContext(to.context, (toContext) => {
        const source = [materialText(from.material), from.algorithm, from.blob, fromContext]
        const target = [materialText(to.material), to.algorithm, toContext]
        return this.#calls.call(commands.reEncrypt, [...source, ...target], copyOfOne)
      }),
    )
  }

  encryptRsa(
    material: Material,
    algorithm: RsaEncryptionAlgorithm,
    plaintext: Buffer,
  ): Promise<Buffer> {
    const fields = [materialText(material), algorithm, plaintext]
    return this.#calls.call(commands.encryptRsa, fields, copyOfOne)
  }

  decryptRsa(material: Material, algorithm: RsaEncryptionAlgorithm, blob: Buffer): Promise<Buffer> {
    const fields = [materialText(material), algorithm, blob]
    return this.#calls.call(commands.decryptRsa, fields, copyOfOne)
  }

  generateDataKey(
    material: Material,
    bytes: number,
    context: EncryptionContext,
  ): Promise<{ plaintext: Buffer; blob: Buffer }> {
    return this.#withContext(context, (canonical) =>
      this.#calls.call(
        commands.generateDataKey,
        [materialText(material), String(bytes), canonical],
        ([plaintext, blob]) => ({ plaintext: copyOf(plaintext), blob: copyOf(blob) }),
      ),
    )
  }

  generateDataKeyWithoutPlaintext(
    material: Material,
    bytes: number,
    context: EncryptionContext,
  ): Promise<Buffer> {
    return this.#withContext(context, (canonical) =>
      this.#calls.call(
        commands.generateDataKeyWithoutPlaintext,
        [materialText(material), String(bytes), canonical],
        copyOfOne,
      ),
    )
  }

  generateDataKeyPair(
    material: Material,
    spec: DataKeyPairSpec,
    context: EncryptionContext,
  ): Promise<{ publicKey: Buffer; privateKey: Buffer; blob: Buffer }> {
    return this.#withContext(context, (canonical) =>
      this.#calls.call(
        commands.generateDataKeyPair,
        [materialText(material), spec, canonical],
        ([publicKey, privateKey, blob]) => ({
          publicKey: copyOf(publicKey),
          privateKey: copyOf(privateKey),
          blob: copyOf(blob),
        }),
      ),
    )
  }

  generateDataKeyPairWithoutPlaintext(
    material: Material,
    spec: DataKeyPairSpec,
    context: EncryptionContext,
  ): Promise<{ publicKey: Buffer; blob: Buffer }> {
    return this.#withContext(context, (canonical) =>
      this.#calls.call(
        commands.generateDataKeyPairWithoutPlaintext,
        [materialText(material), spec, canonical],
        ([publicKey, blob]) => ({ publicKey: copyOf(publicKey), blob: copyOf(blob) }),
      ),
    )
  }

  random(bytes: number): Promise<Buffer> {
    return this.#calls.call(commands.random, [String(bytes)], copyOfOne)
  }

  sign(
    material: Material,
    algorithm: SigningAlgorithm,
    messageType: MessageType,
    message: Buffer,
  ): Promise<Buffer> {
    const fields = [materialText(material), algorithm, messageType, message]
    return this.#calls.call(commands.sign, fields, copyOfOne)
  }

  verify(
    material: Material,
    algorithm: SigningAlgorithm,
    messageType: MessageType,
    message: Buffer,
    signature: Buffer,
  ): Promise<boolean> {
    const fields = [materialText(material), algorithm, messageType, message, signature]
    return this.#calls.call(commands.verify, fields, truth)
  }

  generateMac(material: Material, message: Buffer): Promise<Buffer> {
    return this.#calls.call(commands.generateMac, [materialText(material), message], copyOfOne)
  }

  verifyMac(material: Material, message: Buffer, mac: Buffer): Promise<boolean> {
    return this.#calls.call(commands.verifyMac, [materialText(material), message, mac], truth)
  }

  deriveSharedSecret(material: Material, publicKey: Buffer): Promise<Buffer> {
    const fields = [materialText(material), publicKey]
    return this.#calls.call(commands.deriveSharedSecret, fields, copyOfOne)
  }

  encapsulate(material: Material): Promise<{ sharedSecret: Buffer; ciphertext: Buffer }> {
    return this.#calls.call(
      commands.encapsulate,
      [materialText(material)],
      ([sharedSecret, ciphertext]) => ({
        sharedSecret: copyOf(sharedSecret),
        ciphertext: copyOf(ciphertext),
      }),
    )
  }

  decapsulate(material: Material, ciphertext: Buffer): Promise<Buffer> {
    return this.#calls.call(commands.decapsulate, [materialText(material), ciphertext], copyOfOne)
  }

  importParameters(
    key: KeyName,
    wrapping: { spec: WrappingKeySpec; algorithm: WrappingAlgorithm; validTo: number },
  ): Promise<{ publicKey: Buffer; token: Buffer }> {
    const { spec, algorithm, validTo } = wrapping
    const fields = [nameText(key), spec, algorithm, String(validTo)]
    return this.#calls.call(commands.importParameters, fields, ([publicKey, token]) => ({
      publicKey: copyOf(publicKey),
      token: copyOf(token),
    }))
  }

  importMaterial(
    key: KeyName,
    spec: KeySpec,
    { token, encrypted }: { token: Buffer; encrypted: Buffer },
  ): Promise<NewMaterial> {
    const { region, account, keyId } = key
    const fields = [nameText(key), spec, token, encrypted]
    return this.#calls.call(commands.importMaterial, fields, (answer) =>
      readNewMaterial({ region, account, keyId }, spec, answer),
    )
  }

  replicate(material: Material, region: Region): Promise<Material> {
    const { account, keyId, keySpec = 'SYMMETRIC_DEFAULT' } = material
    return this.#calls.call(commands.replicate, [materialText(material), region], (fields) =>
      readMaterial({ region, account, keyId }, keySpec, fields),
    )
  }

  async forget(materials: readonly WrappedMaterial[]): Promise<void> {
    const forms = materials.map((each) => formText(formOf(each)))
    const calls: Promise<void>[] = []
    for (let first = 0; first < forms.length; first += fieldsMax) {
      const some = forms.slice(first, first + fieldsMax)
      calls.push(this.#calls.call(commands.forget, some, nothing))
    }
    await Promise.all(calls)
  }

  rotateDomainKey(region: Region): Promise<number> {
    return this.#calls.call(commands.rotateDomainKey, [region], ([generation]) =>
      Number(present(generation).toString('latin1')),
    )
  }

  rewrap(material: Material): Promise<Material> {
    const { region, account, keyId, keySpec = 'SYMMETRIC_DEFAULT' } = material
    return this.#calls.call(commands.rewrap, [materialText(material)], (fields) =>
      readMaterial({ region, account, keyId }, keySpec, fields),
    )
  }

  retireDomainKeys(region: Region, olderThan: number): Promise<void> {
    return this.#calls.call(commands.retireDomainKeys, [region, String(olderThan)], nothing)
  }

  sealSecret(accessKeyId: string, secret: Buffer): Promise<string> {
    return this.#calls.call(commands.sealSecret, [accessKeyId, secret], ([sealed]) =>
      present(sealed).toString('latin1'),
    )
  }

  seal(purpose: SealPurpose, owner: string, plaintext: Buffer): Promise<Buffer> {
    return this.#calls.call(commands.seal, [purpose, owner, plaintext], copyOfOne)
  }

  open(purpose: SealPurpose, owner: string, sealed: Buffer): Promise<Buffer> {
    return this.#calls.call(commands.open, [purpose, owner, sealed], copyOfOne)
  }

  signingKey(scope: SigningScope): Promise<Buffer> {
    const { accessKeyId, sealedSecret, date, region, service } = scope
    const fields = [accessKeyId, sealedSecret, date, region, service]
    return this.#calls.call(commands.signingKey, fields, ([key]) => lastingCopyOf(key))
  }

  signCheckpoint(message: Buffer): Promise<Buffer> {
    return this.#calls.call(commands.signCheckpoint, [message], copyOfOne)
  }

  checkpointPublicKey(): Promise<Buffer> {
    return this.#calls.call(commands.checkpointPublicKey, [], ([key]) => lastingCopyOf(key))
  }

  cosignCheckpoint(message: Buffer, signature: Buffer): Promise<Buffer> {
    return this.#calls.call(commands.cosignCheckpoint, [message, signature], copyOfOne)
  }

  checkpointMlDsaPublicKey(): Promise<Buffer> {
    return this.#calls.call(commands.checkpointMlDsaPublicKey, [], ([key]) => lastingCopyOf(key))
  }

  /** What is wrong with a context is told as every failure is, by the promise. */
  #withContext<T>(context: EncryptionContext, call: (canonical: Buffer) => Promise<T>): Promise<T> {
    let canonical: Buffer
    try {
      canonical = canonicalContext(context)
    } catch (error) {
      return Promise.reject(error)
    }
    return call(canonical)
  }
}
