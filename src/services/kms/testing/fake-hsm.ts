import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto'
import { internalError, ServiceError } from '../../../base/errors.ts'
import type { KeyId, Region } from '../../../base/ids.ts'
import { type DataKeyPairSpec, isAsymmetric, type KeySpec } from '../../../hsm/key-specs.ts'
import type {
  EncryptionContext,
  Hsm,
  KeyName,
  Material,
  NewMaterial,
  WrappedMaterial,
} from '../../../hsm/port.ts'
import type { CiphertextName } from '../deps.ts'
import { fakeImport, fakeToken } from './fake-import.ts'

const magic = 'fake'
const keyIdEnd = 4 + 36
const materialIdEnd = keyIdEnd + 64
const ivEnd = materialIdEnd + 12
const tagEnd = ivEnd + 16

/**
 * A key core for tests: real AES-GCM under keys that anyone can compute, the same at every run. What its other keys
 * make has the form of what a key core makes, and no meaning outside.
 */
export class FakeHsm implements Pick<Hsm, CryptographicCall> {
  #count = 0
  readonly forgotten: WrappedMaterial[] = []
  /** Every secret that it gave out, to look at after the call. */
  readonly plaintexts: Buffer[] = []

  readonly #made = new Set<string>()

  async createMaterial(key: KeyName, spec: KeySpec): Promise<NewMaterial> {
    const name = `${key.region}/${key.account}/${key.keyId}`
    const materialId = digest(this.#made.has(name) ? `${name} ${++this.#count}` : name).toString(
      'hex',
    )
    this.#made.add(name)
    const material = { ...key, materialId, wrapped: `wrapped ${materialId}`, generation: 1 }
    if (spec === 'SYMMETRIC_DEFAULT') return { material, publicKey: undefined }
    const publicKey = isAsymmetric(spec) ? Buffer.from(`public ${materialId}`) : undefined
    return { material: { ...material, keySpec: spec }, publicKey }
  }

  async encrypt(
    material: Material,
    plaintext: Buffer,
    context: EncryptionContext,
  ): Promise<Buffer> {
    const iv = Buffer.alloc(12)
    iv.writeUInt32BE(++this.#count)
    const cipher = createCipheriv('aes-256-gcm', keyOf(material), iv)
    cipher.setAAD(canonical(context))
    const body = Buffer.concat([cipher.update(plaintext), cipher.final()])
    const name = Buffer.from(magic + material.keyId + material.materialId, 'latin1')
    return Buffer.concat([name, iv, cipher.getAuthTag(), body])
  }

  async decrypt(material: Material, blob: Buffer, context: EncryptionContext): Promise<Buffer> {
    const decipher = createDecipheriv(
      'aes-256-gcm',
      keyOf(material),
      blob.subarray(materialIdEnd, ivEnd),
    )
    decipher.setAAD(canonical(context)).setAuthTag(blob.subarray(ivEnd, tagEnd))
    try {
      const plaintext = Buffer.concat([decipher.update(blob.subarray(tagEnd)), decipher.final()])
      return this.#given(plaintext)
    } catch {
      throw new ServiceError('invalid-ciphertext')
    }
  }

  async reEncrypt(
    from: { material: Material; blob: Buffer; context: EncryptionContext },
    to: { material: Material; context: EncryptionContext },
  ): Promise<Buffer> {
    const plaintext = await this.decrypt(from.material, from.blob, from.context)
    return this.encrypt(to.material, plaintext, to.context)
  }

  async generateDataKey(material: Material, bytes: number, context: EncryptionContext) {
    const plaintext = await this.random(bytes)
    const blob = await this.encrypt(material, plaintext, context)
    return { plaintext, blob }
  }

  async generateDataKeyWithoutPlaintext(
    material: Material,
    bytes: number,
    context: EncryptionContext,
  ): Promise<Buffer> {
    return (await this.generateDataKey(material, bytes, context)).blob
  }

  async generateDataKeyPair(material: Material, _: DataKeyPairSpec, context: EncryptionContext) {
    const { plaintext, blob } = await this.generateDataKey(material, 64, context)
    return { publicKey: digest('a data key pair'), privateKey: plaintext, blob }
  }

  async generateDataKeyPairWithoutPlaintext(
    material: Material,
    spec: DataKeyPairSpec,
    context: EncryptionContext,
  ) {
    const { publicKey, blob } = await this.generateDataKeyPair(material, spec, context)
    return { publicKey, blob }
  }

  async sign(material: Material, ...[algorithm, type, message]: SignArguments): Promise<Buffer> {
    return tagOf(material, `${algorithm} ${type}`, message)
  }

  async verify(
    material: Material,
    ...[algorithm, type, message, signature]: [...SignArguments, Buffer]
  ): Promise<boolean> {
    return tagOf(material, `${algorithm} ${type}`, message).equals(signature)
  }

  async generateMac(material: Material, message: Buffer): Promise<Buffer> {
    return tagOf(material, 'MAC', message)
  }

  async verifyMac(material: Material, message: Buffer, mac: Buffer): Promise<boolean> {
    return tagOf(material, 'MAC', message).equals(mac)
  }

  async deriveSharedSecret(material: Material, publicKey: Buffer): Promise<Buffer> {
    return this.#given(tagOf(material, 'ECDH', publicKey))
  }

  async encapsulate(material: Material) {
    const ciphertext = digest(`encapsulated ${++this.#count}`)
    return { sharedSecret: await this.decapsulate(material, ciphertext), ciphertext }
  }

  async decapsulate(material: Material, ciphertext: Buffer): Promise<Buffer> {
    return this.#given(tagOf(material, 'ML_KEM', ciphertext))
  }

  async random(bytes: number): Promise<Buffer> {
    return this.#given(Buffer.alloc(bytes, digest(`random ${++this.#count}`)))
  }

  async importParameters(key: KeyName): Promise<{ publicKey: Buffer; token: Buffer }> {
    return { publicKey: Buffer.from('the wrapping key'), token: fakeToken(key) }
  }

  async importMaterial(
    key: KeyName,
    spec: KeySpec,
    wrapped: { token: Buffer; encrypted: Buffer },
  ): Promise<NewMaterial> {
    return fakeImport(key, spec, wrapped, ++this.#count)
  }

  async replicate(material: Material, region: Region): Promise<Material> {
    return { ...material, region, wrapped: `${material.wrapped} in ${region}` }
  }

  async forget(materials: readonly WrappedMaterial[]): Promise<void> {
    this.forgotten.push(...materials)
  }

  #given(secret: Buffer): Buffer {
    this.plaintexts.push(secret)
    return secret
  }
}

type SignArguments = [algorithm: string, type: string, message: Buffer]

type CryptographicCall =
  | 'createMaterial'
  | 'encrypt'
  | 'decrypt'
  | 'reEncrypt'
  | 'generateDataKey'
  | 'generateDataKeyWithoutPlaintext'
  | 'generateDataKeyPair'
  | 'generateDataKeyPairWithoutPlaintext'
  | 'sign'
  | 'verify'
  | 'generateMac'
  | 'verifyMac'
  | 'deriveSharedSecret'
  | 'encapsulate'
  | 'decapsulate'
  | 'importParameters'
  | 'importMaterial'
  | 'replicate'
  | 'random'
  | 'forget'

/** The whole port: what KMS operations have no business with fails. */
export function hsmOf(fake: FakeHsm): Hsm {
  return new Proxy(fake, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member === 'function') return member.bind(target)
      return () => Promise.reject(internalError(`operations of KMS must not call ${String(name)}`))
    },
  }) as unknown as Hsm
}

export function parseFakeBlob(blob: Buffer): CiphertextName | undefined {
  if (blob.length < tagEnd || blob.toString('latin1', 0, 4) !== magic) return undefined
  return {
    keyId: blob.toString('latin1', 4, keyIdEnd) as KeyId,
    materialId: blob.toString('latin1', keyIdEnd, materialIdEnd),
  }
}

function keyOf(material: Material): Buffer {
  return digest(`key ${material.materialId}`)
}

function tagOf(material: Material, purpose: string, message: Buffer): Buffer {
  return createHmac('sha256', keyOf(material)).update(`${purpose}\n`).update(message).digest()
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function canonical(context: EncryptionContext): Buffer {
  return Buffer.from(JSON.stringify(Object.entries(context).sort()))
}
