import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { internalError, ServiceError } from '../base/errors.ts'
import type { Region } from '../base/ids.ts'
import { createRoot, openRoot, type RootOptions } from './drivers/open.ts'
import type { RootDriver } from './drivers/root.ts'
import { sweepTemporaries } from './durable.ts'
import {
  activeOf,
  type DomainKeyRecord,
  type HierarchyState,
  hierarchyFile,
  type RegionRecord,
  readHierarchy,
  stampOf,
  writeHierarchy,
} from './hierarchy-file.ts'
import { withLock } from './lock.ts'
import type { HsmStatus, Material } from './port.ts'
import { StartRefused } from './refusal.ts'
import { binding, fromBase64, generationOf, unwrap, wrap } from './wrap.ts'

/** Whose material it is, and of which spec: absent for SYMMETRIC_DEFAULT. */
export type MaterialName = Pick<Material, 'region' | 'account' | 'keyId' | 'keySpec'>

const keyBytes = 32
/** What was under way with a domain key when its successor came must be over before it is destroyed. */
const retireGraceMs = 60_000

/**
 * The keys above key material: the root wraps a region key, that wraps the region's domain keys, and those wrap
 * material. Only domain keys stay in memory, from their first use on.
 *
 * Several processes may work over one folder. Each change is made under a lock to the file as it is then, and what
 * makes new wrapped material looks first whether the file is still the one that was read.
 */
export class Hierarchy {
  /** Wraps the secrets of access keys; what is sealed has keys that are derived of it. */
  readonly secretsKey: KeyObject
  /** The 32-byte Ed25519 private key that signs checkpoints. For one reader, who wipes it. */
  readonly checkpointSeed: Buffer
  readonly #directory: string
  readonly #root: RootDriver
  readonly #clock: Clock
  #state: HierarchyState
  #stamp: string
  /** By the wrapped form, which no two keys share. */
  readonly #domainKeys = new Map<string, KeyObject>()

  private constructor(directory: string, root: RootDriver, clock: Clock, state: HierarchyState) {
    this.#directory = directory
    this.#root = root
    this.#clock = clock
    this.#state = state
    this.#stamp = stampOf(directory)
    const secretsKey = this.#openAtRoot(state.secretsKey, binding('secrets-key'))
    const checkpointSeed = this.#openAtRoot(state.checkpointKey, binding('checkpoint-key'))
    if (secretsKey === undefined || checkpointSeed === undefined) throw wrongRoot(root)
    this.secretsKey = asKey(secretsKey)
    this.checkpointSeed = checkpointSeed
  }

  /** Makes root and hierarchy at the first start. Throws StartRefused when the folder and the passphrase do not fit. */
  static open(directory: string, rootOptions: RootOptions, clock: Clock): Hierarchy {
    return withLock(directory, clock, (assertHeld) => {
      sweepTemporaries(directory)
      const known = readHierarchy(directory)
      const existing = openRoot(directory, rootOptions)
      if (existing === undefined && known !== undefined) {
        throw new StartRefused(
          `There is a ${hierarchyFile}, but the root that opens it is missing.`,
        )
      }
      const root = existing ?? createRoot(directory, rootOptions)
      const state = known ?? newState(root)
      if (known === undefined) writeHierarchy(directory, state, assertHeld)
      return new Hierarchy(directory, root, clock, state)
    })
  }

  ensureRegion(region: Region): void {
    if (this.#state.regions.has(region)) return
    this.#change((state) => {
      if (state.regions.has(region)) return state
      const regionKey = randomBytes(keyBytes)
      const wrapped = this.#root.wrap(regionKey, binding('region-key', region))
      const first = this.#newDomainKey(asKey(regionKey), region, 1)
      const record = { regionKey: wrapped.toString('base64'), domainKeys: [first] }
      return withRegion(state, region, record)
    })
  }

  rotate(region: Region): number {
    this.#change((state) => {
      const record = regionOf(state, region)
      const key = this.#newDomainKey(
        this.#regionKey(region, record),
        region,
        activeOf(record).generation + 1,
      )
      return withRegion(state, region, { ...record, domainKeys: [...record.domainKeys, key] })
    })
    return activeOf(regionOf(this.#state, region)).generation
  }

  retire(region: Region, olderThan: number): void {
    this.#change((state) => {
      const record = regionOf(state, region)
      const active = activeOf(record)
      if (olderThan > active.generation) {
        throw internalError(`the active domain key of ${region} cannot be retired`)
      }
      const kept = record.domainKeys.filter((key) => key.generation >= olderThan)
      if (kept.length === record.domainKeys.length) return state
      if (this.#clock.now() - active.createdAt < retireGraceMs) {
        throw internalError(`the active domain key of ${region} is too new to retire older ones`)
      }
      return withRegion(state, region, { ...record, domainKeys: kept })
    })
  }

  status(): HsmStatus {
    this.#refresh()
    const regions = [...this.#state.regions].map(([region, record]) => ({
      region,
      activeGeneration: activeOf(record).generation,
      generations: record.domainKeys.map((key) => key.generation),
      activeSince: activeOf(record).createdAt,
    }))
    return { rootDriver: this.#root.name, regions }
  }

  /** Under the region key, which no rotation changes. Throws 'key-unavailable'. */
  sealForRegion(region: Region, plaintext: Buffer, bound: Buffer): Buffer {
    return wrap(this.#presentRegionKey(region), 0, plaintext, bound)
  }

  /** Undefined when it does not open for this Region and binding. Throws 'key-unavailable'. */
  openForRegion(region: Region, sealed: Buffer, bound: Buffer): Buffer | undefined {
    if (generationOf(sealed) !== 0) return undefined
    return unwrap(this.#presentRegionKey(region), sealed, bound)
  }

  /** Under the active domain key, also when another process has just made it. */
  wrapMaterial(key: MaterialName, materialId: string, material: Buffer): Material {
    this.#refresh()
    const record = this.#state.regions.get(key.region)
    if (record === undefined) throw unavailable(`the region ${key.region} has no keys`)
    const active = activeOf(record)
    const domainKey = this.#openDomainKey(key.region, record, active)
    const bound = materialBinding(key, materialId)
    const wrapped = wrap(domainKey, active.generation, material, bound).toString('base64')
    return { ...key, materialId, wrapped, generation: active.generation }
  }

  /** The material in clear, the caller's to wipe. Throws 'key-unavailable'. */
  unwrapMaterial(material: Material): Buffer {
    const { region, keyId, materialId, generation } = material
    const wrapped = fromBase64(material.wrapped)
    if (wrapped === undefined || generationOf(wrapped) !== generation) {
      throw unavailable(`the wrapped material of ${keyId} is damaged`)
    }
    const domainKey = this.#domainKey(region, generation)
    if (domainKey === undefined) {
      throw unavailable(`${region} has no domain key of generation ${generation}`)
    }
    const opened = unwrap(domainKey, wrapped, materialBinding(material, materialId))
    if (opened === undefined) throw unavailable(`the material of ${keyId} does not open`)
    return opened
  }

  #domainKey(region: Region, generation: number): KeyObject | undefined {
    const find = () => {
      const record = this.#state.regions.get(region)
      const found = record?.domainKeys.find((key) => key.generation === generation)
      return record && found ? this.#openDomainKey(region, record, found) : undefined
    }
    const known = find()
    if (known !== undefined) return known
    this.#refresh()
    return find()
  }

  #openDomainKey(region: Region, record: RegionRecord, key: DomainKeyRecord): KeyObject {
    const known = this.#domainKeys.get(key.wrapped)
    if (known !== undefined) return known
    const wrapped = fromBase64(key.wrapped)
    const bound = domainKeyBinding(region, key.createdAt)
    const opened = wrapped && unwrap(this.#regionKey(region, record), wrapped, bound)
    if (opened === undefined || wrapped === undefined || generationOf(wrapped) !== key.generation) {
      throw unavailable(`domain key ${key.generation} of ${region} does not open`)
    }
    const domainKey = asKey(opened)
    this.#domainKeys.set(key.wrapped, domainKey)
    return domainKey
  }

  #presentRegionKey(region: Region): KeyObject {
    if (!this.#state.regions.has(region)) this.#refresh()
    const record = this.#state.regions.get(region)
    if (record === undefined) throw unavailable(`the region ${region} has no keys`)
    return this.#regionKey(region, record)
  }

  #regionKey(region: Region, record: RegionRecord): KeyObject {
    const opened = this.#openAtRoot(record.regionKey, binding('region-key', region))
    if (opened === undefined) throw unavailable(`the key of region ${region} does not open`)
    return asKey(opened)
  }

  #newDomainKey(regionKey: KeyObject, region: Region, generation: number): DomainKeyRecord {
    const createdAt = this.#clock.now()
    const key = randomBytes(keyBytes)
    const wrapped = wrap(regionKey, generation, key, domainKeyBinding(region, createdAt))
    key.fill(0)
    return { generation, createdAt, wrapped: wrapped.toString('base64') }
  }

  #openAtRoot(wrapped: string, bound: Buffer): Buffer | undefined {
    const bytes = fromBase64(wrapped)
    const opened = bytes && this.#root.unwrap(bytes, bound)
    return opened?.length === keyBytes ? opened : undefined
  }

  #change(change: (state: HierarchyState) => HierarchyState): void {
    withLock(this.#directory, this.#clock, (assertHeld) => {
      this.#refresh()
      const next = change(this.#state)
      if (next === this.#state) return
      writeHierarchy(this.#directory, next, assertHeld)
      this.#adopt(next)
    })
  }

  /** The stamp is taken before the file is read: a file replaced in between is read again the next time. */
  #refresh(): void {
    const stamp = stampOf(this.#directory)
    if (stamp === this.#stamp) return
    const state = readHierarchy(this.#directory)
    if (state === undefined) throw internalError(`${hierarchyFile} is gone`)
    this.#adopt(state, stamp)
  }

  #adopt(state: HierarchyState, stamp = stampOf(this.#directory)): void {
    this.#state = state
    this.#stamp = stamp
    const records = [...state.regions.values()].flatMap((record) => record.domainKeys)
    const present = new Set(records.map((key) => key.wrapped))
    for (const wrapped of this.#domainKeys.keys()) {
      if (!present.has(wrapped)) this.#domainKeys.delete(wrapped)
    }
  }
}

function newState(root: RootDriver): HierarchyState {
  const wrapNew = (purpose: 'checkpoint-key' | 'secrets-key') => {
    const key = randomBytes(keyBytes)
    const wrapped = root.wrap(key, binding(purpose)).toString('base64')
    key.fill(0)
    return wrapped
  }
  return {
    secretsKey: wrapNew('secrets-key'),
    checkpointKey: wrapNew('checkpoint-key'),
    regions: new Map(),
  }
}

function withRegion(state: HierarchyState, region: Region, record: RegionRecord): HierarchyState {
  return { ...state, regions: new Map(state.regions).set(region, record) }
}

function regionOf(state: HierarchyState, region: Region): RegionRecord {
  const record = state.regions.get(region)
  if (record === undefined) throw internalError(`the region ${region} has no keys`)
  return record
}

function domainKeyBinding(region: Region, createdAt: number): Buffer {
  return binding('domain-key', region, String(createdAt))
}

function materialBinding(name: MaterialName, materialId: string): Buffer {
  const { region, account, keyId, keySpec } = name
  const spec = keySpec === undefined ? [] : [keySpec]
  return binding('key-material', region, account, keyId, materialId, ...spec)
}

/** Wipes `bytes`. */
function asKey(bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return key
}

function wrongRoot({ name }: RootDriver): StartRefused {
  const what = name === 'passphrase' ? 'The passphrase' : `The root (${name})`
  return new StartRefused(`${what} does not open this key hierarchy.`)
}

function unavailable(detail: string): ServiceError {
  return new ServiceError('key-unavailable', undefined, { detail })
}
