import type { Region } from '../../base/ids.ts'
import type { Material } from '../../hsm/port.ts'
import type { Mirror, Table } from '../../storage/mirror.ts'
import { type Put, StoreConflict } from '../../storage/port.ts'
import type { AliasRecord } from './alias.ts'
import { GroupIndex } from './group-index.ts'
import type { KeyRecord } from './key.ts'
import { OrderedIds } from './ordered-ids.ts'
import { SharedTexts, SharingCodec } from './shared-texts.ts'

/**
 * The keys, aliases and key material of every account and Region, as tables over the mirror, with the indexes that
 * operations read. Reads take no longer the more keys there are.
 */
export class KmsState {
  readonly keys: Table<KeyRecord>
  readonly aliases: Table<AliasRecord>
  readonly materials: Table<Material>
  readonly #keyIds = new Map<string, OrderedIds>()
  readonly #aliasNames = new Map<string, OrderedIds>()
  readonly #aliasNamesOfKey = new GroupIndex()
  readonly #materialIdsOfKey = new GroupIndex()
  /** Rows of keys that are pending deletion. */
  readonly #pendingDeletion = new Set<string>()

  /** Declares its tables: to be made before the mirror is loaded. */
  constructor(mirror: Mirror, texts: SharedTexts = new SharedTexts()) {
    const keyCodec = new SharingCodec<KeyRecord>(texts, ['region', 'account', 'policy'])
    this.keys = mirror.table('key', keyCodec)
    this.keys.watch((row, now, before) => {
      if (before !== undefined) keyCodec.release(before)
      this.#keyChanged(row, now, before)
    })
    const aliasCodec = new SharingCodec<AliasRecord>(texts, ['region', 'account'])
    this.aliases = mirror.table('alias', aliasCodec)
    this.aliases.watch((_, now, before) => {
      if (before !== undefined) aliasCodec.release(before)
      this.#aliasChanged(now, before)
    })
    const materialCodec = new SharingCodec<Material>(texts, ['region', 'account'])
    this.materials = mirror.table('material', materialCodec)
    this.materials.watch((_, now, before) => {
      if (before !== undefined) materialCodec.release(before)
      this.#materialChanged(now, before)
    })
  }

  /** Of any account: who may see it is the caller's business. */
  key(region: Region, keyId: string): KeyRecord | undefined {
    return this.keys.get(`${region}/${keyId}`)
  }

  alias(region: Region, account: string, aliasName: string): AliasRecord | undefined {
    return this.aliases.get(`${region}/${account}/${aliasName}`)
  }

  material(key: KeyRecord, materialId: string): Material | undefined {
    return this.materials.get(`${key.region}/${key.keyId}/${materialId}`)
  }

  materialsOf(key: KeyRecord): readonly Material[] {
    return this.#materialIdsOfKey
      .members(key.region, key.keyId)
      .map((id) => this.material(key, id))
      .filter((material) => material !== undefined)
  }

  aliasNamesOf(key: KeyRecord): readonly string[] {
    return this.#aliasNamesOfKey.members(key.region, key.keyId)
  }

  keyIds(region: Region, account: string): OrderedIds {
    return this.#keyIds.get(`${region}/${account}`) ?? none
  }

  aliasNames(region: Region, account: string): OrderedIds {
    return this.#aliasNames.get(`${region}/${account}`) ?? none
  }

  /** Keys pending deletion, in every account and Region. */
  *pendingDeletion(): Iterable<KeyRecord> {
    for (const row of this.#pendingDeletion) {
      const key = this.keys.get(row)
      if (key !== undefined) yield key
    }
  }

  addKey(key: KeyRecord): Put {
    return this.keys.put(keyRow(key), key)
  }

  addAlias(alias: AliasRecord): Put {
    return this.aliases.put(aliasRow(alias), alias)
  }

  addMaterial(material: Material): Put {
    return this.materials.put(materialRow(material), material)
  }

  // Whoever decided on a record that is no longer the present one has to decide anew: all of these throw
  // StoreConflict then, as the commit does when the record changes later.

  replaceKey(before: KeyRecord, after: KeyRecord): Put {
    requirePresent(this.keys.get(keyRow(before)), before)
    return this.keys.put(keyRow(before), after)
  }

  replaceAlias(before: AliasRecord, after: AliasRecord): Put {
    requirePresent(this.aliases.get(aliasRow(before)), before)
    return this.aliases.put(aliasRow(before), after)
  }

  removeKey(key: KeyRecord): Put {
    requirePresent(this.keys.get(keyRow(key)), key)
    return this.keys.remove(keyRow(key))
  }

  removeAlias(alias: AliasRecord): Put {
    requirePresent(this.aliases.get(aliasRow(alias)), alias)
    return this.aliases.remove(aliasRow(alias))
  }

  removeMaterial(material: Material): Put {
    requirePresent(this.materials.get(materialRow(material)), material)
    return this.materials.remove(materialRow(material))
  }

  #keyChanged(row: string, now: KeyRecord | undefined, before: KeyRecord | undefined): void {
    if (now?.state === 'PendingDeletion') this.#pendingDeletion.add(row)
    else this.#pendingDeletion.delete(row)
    if (now !== undefined && before === undefined) {
      addTo(this.#keyIds, `${now.region}/${now.account}`, now.keyId)
    } else if (now === undefined && before !== undefined) {
      deleteFrom(this.#keyIds, `${before.region}/${before.account}`, before.keyId)
    }
  }

  #aliasChanged(now: AliasRecord | undefined, before: AliasRecord | undefined): void {
    if (before !== undefined) {
      this.#aliasNamesOfKey.remove(before.region, before.targetKeyId, before.aliasName)
      if (now === undefined) {
        deleteFrom(this.#aliasNames, `${before.region}/${before.account}`, before.aliasName)
      }
    }
    if (now !== undefined) {
      this.#aliasNamesOfKey.add(now.region, now.targetKeyId, now.aliasName)
      if (before === undefined) {
        addTo(this.#aliasNames, `${now.region}/${now.account}`, now.aliasName)
      }
    }
  }

  #materialChanged(now: Material | undefined, before: Material | undefined): void {
    if (before === undefined && now !== undefined) {
      this.#materialIdsOfKey.add(now.region, now.keyId, now.materialId)
    } else if (before !== undefined && now === undefined) {
      this.#materialIdsOfKey.remove(before.region, before.keyId, before.materialId)
    }
  }
}

const none = new OrderedIds()

function requirePresent<T>(present: T | undefined, record: T): void {
  if (present !== record) throw new StoreConflict('the record is not the present one')
}

function keyRow(key: KeyRecord): string {
  return `${key.region}/${key.keyId}`
}

function aliasRow(alias: AliasRecord): string {
  return `${alias.region}/${alias.account}/${alias.aliasName}`
}

/** The row id of a material. */
export function materialRow(material: Material): string {
  return `${material.region}/${material.keyId}/${material.materialId}`
}

function addTo(groups: Map<string, OrderedIds>, group: string, id: string): void {
  let ids = groups.get(group)
  if (ids === undefined) {
    ids = new OrderedIds()
    groups.set(group, ids)
  }
  ids.add(id)
}

function deleteFrom(groups: Map<string, OrderedIds>, group: string, id: string): void {
  const ids = groups.get(group)
  ids?.delete(id)
  if (ids?.size === 0) groups.delete(group)
}
