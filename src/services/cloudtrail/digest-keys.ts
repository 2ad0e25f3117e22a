import { createPublicKey, hash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { internalError, ServiceError } from '../../base/errors.ts'
import { type KeyId, parseAccountId, parseKeyId, type Region } from '../../base/ids.ts'
import type { Random } from '../../base/random.ts'
import type { Hsm, Material } from '../../hsm/port.ts'
import { jsonCodec, type Mirror, type Table } from '../../storage/mirror.ts'
import { StoreConflict } from '../../storage/port.ts'
import type { DigestPublicKey, DigestSigner } from './delivery.ts'

/** A key that signs, or once signed, the digest files of a Region. Its row is `<Region>/<number>`. */
export type DigestKeyRecord = {
  readonly region: Region
  /** From 1 on. */
  readonly number: number
  /** ms since the epoch */
  readonly validFrom: number
  readonly validTo: number
  /** PKCS#1 DER, base64 */
  readonly publicKey: string
  readonly keyId: KeyId
  readonly materialId: string
}

/** To be called before the mirror is loaded. */
export function digestKeyTable(mirror: Mirror): Table<DigestKeyRecord> {
  return mirror.table('digest-key', jsonCodec<DigestKeyRecord>())
}

export type DigestKeysDeps = {
  readonly hsm: Pick<Hsm, 'ensureRegion' | 'createMaterial' | 'sign'>
  readonly mirror: Pick<Mirror, 'commit'>
  readonly digestKeys: Table<DigestKeyRecord>
  /**
   * Wrapped material stands among that of KMS keys, so that it is wrapped anew with each domain key and forgotten by
   * the key core when it goes.
   */
  readonly materials: Pick<Table<Material>, 'get' | 'put' | 'remove'>
  readonly materialRow: (material: Pick<Material, 'region' | 'keyId' | 'materialId'>) => string
  readonly clock: Clock
  readonly random: Random
}

const yearMs = 365 * 86_400_000
const attemptsMax = 8

/** Nobody's, so that no call can name such a key. */
const owner = parseAccountId('000000000000')

/**
 * Keys over the key core's port: RSA of 2048 bits, one a Region, made at first use. Each signs for a year; with the
 * next one its private half goes, so that nobody can sign for the years before.
 */
export class DigestKeys implements DigestSigner {
  readonly #deps: DigestKeysDeps
  readonly #making = new Map<Region, Promise<DigestKeyRecord>>()

  constructor(deps: DigestKeysDeps) {
    this.#deps = deps
  }

  async publicKeys(region: Region): Promise<readonly DigestPublicKey[]> {
    await this.#current(region)
    return this.#of(region).map(publicKeyOf)
  }

  async sign(region: Region, text: Buffer) {
    const { hsm, materials, materialRow } = this.#deps
    const key = await this.#current(region)
    const row = materialRow(key)
    const material = materials.get(row)
    if (material === undefined) {
      throw new ServiceError('key-unavailable', undefined, { detail: `no material ${row}` })
    }
    const signature = await hsm.sign(material, 'RSASSA_PKCS1_V1_5_SHA_256', 'RAW', text)
    return { signature, fingerprint: publicKeyOf(key).fingerprint }
  }

  /** Newest first. */
  #of(region: Region): readonly DigestKeyRecord[] {
    const keys = [...this.#deps.digestKeys.values((key) => key.region === region)]
    return keys.sort((a, b) => b.number - a.number)
  }

  async #current(region: Region): Promise<DigestKeyRecord> {
    const [newest] = this.#of(region)
    if (newest !== undefined && this.#deps.clock.now() < newest.validTo) return newest
    let making = this.#making.get(region)
    if (making === undefined) {
      making = this.#make(region).finally(() => this.#making.delete(region))
      this.#making.set(region, making)
    }
    return making
  }

  /** Of processes that make one at once, one commits its own, and the others find that. */
  async #make(region: Region): Promise<DigestKeyRecord> {
    const { hsm, mirror, digestKeys, materials, materialRow, clock } = this.#deps
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const [newest] = this.#of(region)
      const now = clock.now()
      if (newest !== undefined && now < newest.validTo) return newest
      await hsm.ensureRegion(region)
      const { key, material } = await this.#generate(region, (newest?.number ?? 0) + 1, now)
      const before = newest === undefined ? undefined : materialRow(newest)
      const outlived = before !== undefined && materials.get(before) !== undefined ? [before] : []
      try {
        await mirror.commit(
          [
            digestKeys.put(rowOf(key), key),
            materials.put(materialRow(material), material),
            ...outlived.map((row) => materials.remove(row)),
          ],
          [],
        )
        return key
      } catch (error) {
        if (!(error instanceof StoreConflict)) throw error
      }
    }
    throw internalError(`the digest keys of ${region} kept changing`)
  }

  async #generate(region: Region, number: number, now: number) {
    const keyId = parseKeyId(this.#deps.random.uuid())
    if (keyId === undefined || owner === undefined) throw internalError('no name for a digest key')
    const name = { region, account: owner, keyId }
    const { material, publicKey } = await this.#deps.hsm.createMaterial(name, 'RSA_2048')
    if (publicKey === undefined) throw internalError('an RSA key without its public half')
    const pkcs1 = createPublicKey({ key: publicKey, format: 'der', type: 'spki' }).export({
      format: 'der',
      type: 'pkcs1',
    })
    const key: DigestKeyRecord = {
      ...{ region, number, keyId, materialId: material.materialId },
      ...{ validFrom: now, validTo: now + yearMs },
      publicKey: pkcs1.toString('base64'),
    }
    return { key, material }
  }
}

function rowOf({ region, number }: DigestKeyRecord): string {
  return `${region}/${number}`
}

function publicKeyOf({ publicKey, validFrom, validTo }: DigestKeyRecord): DigestPublicKey {
  const value = Buffer.from(publicKey, 'base64')
  // CloudTrail names its keys so; it is a name and protects nothing.
  return { value, fingerprint: hash('md5', value), validFrom, validTo }
}
