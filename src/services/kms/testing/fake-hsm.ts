import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import { internalError, ServiceError } from '../../../base/errors.ts'
import type { KeyId } from '../../../base/ids.ts'
import type { EncryptionContext, Hsm, KeyName, Material } from '../../../hsm/port.ts'
import type { CiphertextName } from '../deps.ts'

const magic = 'fake'
const keyIdEnd = 4 + 36
const materialIdEnd = keyIdEnd + 64
const ivEnd = materialIdEnd + 12
const tagEnd = ivEnd + 16

/** A key core for tests: real AES-GCM under keys that anyone can compute, the same at every run. */
export class FakeHsm implements Pick<Hsm, CryptographicCall> {
  #count = 0
  readonly forgotten: string[] = []
  /** Every plaintext that it gave out, to look at after the call. */
  readonly plaintexts: Buffer[] = []

  async createMaterial(key: KeyName): Promise<Material> {
    const materialId = digest(`${key.region}/${key.account}/${key.keyId}`).toString('hex')
    return { ...key, materialId, wrapped: `wrapped ${materialId}`, generation: 1 }
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
      this.plaintexts.push(plaintext)
      return plaintext
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

  async random(bytes: number): Promise<Buffer> {
    const seed = digest(`random ${++this.#count}`)
    const plaintext = Buffer.alloc(bytes, seed)
    this.plaintexts.push(plaintext)
    return plaintext
  }

  async forget(materialIds: readonly string[]): Promise<void> {
    this.forgotten.push(...materialIds)
  }
}

type CryptographicCall =
  | 'createMaterial'
  | 'encrypt'
  | 'decrypt'
  | 'reEncrypt'
  | 'generateDataKey'
  | 'generateDataKeyWithoutPlaintext'
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

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function canonical(context: EncryptionContext): Buffer {
  return Buffer.from(JSON.stringify(Object.entries(context).sort()))
}
