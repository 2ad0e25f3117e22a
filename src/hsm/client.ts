import type { Duplex } from 'node:stream'
import { internalError } from '../base/errors.ts'
import type { Region } from '../base/ids.ts'
import { Calls, type CallsOptions } from './calls.ts'
import { canonicalContext } from './context.ts'
import { materialText, nameText } from './material-text.ts'
import type { EncryptionContext, Hsm, HsmStatus, KeyName, Material, SigningScope } from './port.ts'
import { commands, type Field, fieldsMax } from './protocol.ts'

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

  createMaterial(key: KeyName): Promise<Material> {
    const { region, account, keyId } = key
    return this.#calls.call(commands.createMaterial, [nameText(key)], (fields) =>
      readMaterial({ region, account, keyId }, fields),
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
    from: { material: Material; blob: Buffer; context: EncryptionContext },
    to: { material: Material; context: EncryptionContext },
  ): Promise<Buffer> {
    return this.#withContext(from.context, (fromContext) =>
      this.#withContext(to.context, (toContext) => {
        const source: Field[] = [materialText(from.material), from.blob, fromContext]
        const target: Field[] = [materialText(to.material), toContext]
        return this.#calls.call(commands.reEncrypt, [...source, ...target], copyOfOne)
      }),
    )
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

  random(bytes: number): Promise<Buffer> {
    return this.#calls.call(commands.random, [String(bytes)], copyOfOne)
  }

  async forget(materialIds: readonly string[]): Promise<void> {
    const calls: Promise<void>[] = []
    for (let first = 0; first < materialIds.length; first += fieldsMax) {
      const some = materialIds.slice(first, first + fieldsMax)
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
    const { region, account, keyId } = material
    return this.#calls.call(commands.rewrap, [materialText(material)], (fields) =>
      readMaterial({ region, account, keyId }, fields),
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

function readMaterial(
  name: KeyName,
  [materialId, wrapped, generation]: readonly Buffer[],
): Material {
  return {
    ...name,
    materialId: present(materialId).toString('latin1'),
    wrapped: present(wrapped).toString('latin1'),
    generation: Number(present(generation).toString('latin1')),
  }
}

function copyOfOne(fields: readonly Buffer[]): Buffer {
  return copyOf(fields[0])
}

function copyOf(field: Buffer | undefined): Buffer {
  return Buffer.from(present(field))
}

/** For what is kept long: not a piece of the shared pool, which would hold on to the whole of it. */
function lastingCopyOf(field: Buffer | undefined): Buffer {
  const source = present(field)
  const copy = Buffer.allocUnsafeSlow(source.length)
  source.copy(copy)
  return copy
}

function present(field: Buffer | undefined): Buffer {
  if (field === undefined) throw internalError('an answer of the key core without its fields')
  return field
}

function nothing(): void {}
