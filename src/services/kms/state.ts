import type { Region } from '../../base/ids.ts'
import type { Material } from '../../hsm/port.ts'
import type { Codec, Mirror, Table } from '../../storage/mirror.ts'
import { type Put, StoreConflict } from '../../storage/port.ts'
import type { AliasRecord } from './alias.ts'
import { isEnforced, separationTag } from './enforced.ts'
import { GroupIndex } from './group-index.ts'
import type { KeyRecord } from './key.ts'
import { storedRecord } from './materials.ts'
import { OrderedIds } from './ordered-ids.ts'
import { recordCodec } from './record-codec.ts'

/** What watchers see of a row, which is read from it without decoding it. */
export type KeyGlance = Pick<
  KeyRecord,
  'region' | 'keyId' | 'account' | 'createdAt' | 'state' | 'rotation' | 'nextExpiry'
> & { readonly tags?: KeyRecord['tags'] }
type AliasGlance = Pick<AliasRecord, 'targetKeyId'>
type MaterialGlance = Pick<Material, 'region' | 'generation' | 'wrapped'>

const plainKeyCodec = recordCodec<KeyRecord, Exclude<keyof KeyGlance, 'tags'>>(
  ['region', 'keyId', 'account', 'createdAt', 'state'],
  ['rotation', 'nextExpiry'],
)
const keyCodec: Codec<KeyRecord, KeyGlance> = {
  ...plainKeyCodec,
  // Close to the beginning, where `mayBeEnforced` finds them soon.
  encode: ({ tags, ...key }) => plainKeyCodec.encode({ tags, ...key }),
  // Few keys have the tag that counts, and those are decoded; the tags of all others are nobody's concern.
  glance: (body) => (mayBeEnforced(body) ? undefined : plainKeyCodec.glance?.(body)),
}
const aliasCodec = recordCodec<AliasRecord, keyof AliasGlance>(['targetKeyId'])
const materialCodec = recordCodec<Material, keyof MaterialGlance>([
  'region',
  'generation',
  'wrapped',
])

/**
 * The keys, aliases and key material of every account and Region, as tables over the mirror, with the indexes that
 * operations read. Reads take no longer the more keys there are.
 */
export class KmsState {
  readonly keys: Table<KeyRecord, KeyGlance>
  readonly aliases: Table<AliasRecord, AliasGlance>
  readonly materials: Table<Material, MaterialGlance>
  readonly #keyIds = new Map<string, OrderedIds>()
  readonly #aliasNames = new Map<string, OrderedIds>()
  readonly #aliasNamesOfKey = new GroupIndex()
  readonly #materialRows = new OrderedIds()
  /** Rows of keys that are pending deletion. */
  readonly #pendingDeletion = new Set<string>()
  /** Rows of keys that rotate by themselves, and when they do next. */
  readonly #rotating = new Map<string, number>()
  /** Rows of keys with material that expires, and when the next does. */
  readonly #expiring = new Map<string, number>()

  /** Rows of keys that keep their duties separate. */
  readonly #enforced = new Set<string>()

  /** Declares its tables: to be made before the mirror is loaded. */
  constructor(mirror: Mirror) {
    this.keys = mirror.table('key', keyCodec)
    this.keys.watchGlances((row, now, before) => this.#keyChanged(row, now, before))
    this.aliases = mirror.table('alias', aliasCodec)
    this.aliases.watchGlances((row, now, before) => this.#aliasChanged(row, now, before))
    this.materials = mirror.table('material', materialCodec)
    this.materials.watchGlances((row, now) => {
      if (now === undefined) this.#materialRows.delete(row)
      else this.#materialRows.add(row)
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

  hasMaterial(region: Region, keyId: string, materialId: string): boolean {
    return this.materials.get(`${region}/${keyId}/${materialId}`) !== undefined
  }

  materialsOf(key: KeyRecord): readonly Material[] {
    return this.#materialRows
      .startingWith(`${keyRow(key)}/`)
      .map((row) => this.materials.get(row))
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

  /** Rows of the keys that keep their duties separate, in every account and Region. */
  get enforced(): ReadonlySet<string> {
    return this.#enforced
  }

  /** Keys pending deletion, in every account and Region. */
  pendingDeletion(): Iterable<KeyRecord> {
    return this.#keysIn(this.#pendingDeletion)
  }

  /** Keys whose day to rotate has come, in every account and Region, whatever their state. */
  rotationDue(now: number): Iterable<KeyRecord> {
    return this.#keysIn(upTo(this.#rotating, now))
  }

  /** Keys with imported material that has expired and is not deleted yet. */
  expired(now: number): Iterable<KeyRecord> {
    return this.#keysIn(upTo(this.#expiring, now))
  }

  /** When the next imported material of any key expires; undefined when none does. */
  nextExpiry(): number | undefined {
    let next: number | undefined
    for (const time of this.#expiring.values()) if (next === undefined || time < next) next = time
    return next
  }

  *#keysIn(rows: Iterable<string>): Iterable<KeyRecord> {
    for (const row of rows) {
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
    requirePresent(this.keys.get(keyRow(before)), storedRecord(before))
    return this.keys.put(keyRow(before), after)
  }

  replaceAlias(before: AliasRecord, after: AliasRecord): Put {
    requirePresent(this.aliases.get(aliasRow(before)), before)
    return this.aliases.put(aliasRow(before), after)
  }

  removeKey(key: KeyRecord): Put {
    requirePresent(this.keys.get(keyRow(key)), storedRecord(key))
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

  #keyChanged(row: string, now: KeyGlance | undefined, before: KeyGlance | undefined): void {
    if (now?.state === 'PendingDeletion') this.#pendingDeletion.add(row)
    else this.#pendingDeletion.delete(row)
    keep(this.#rotating, row, now?.rotation?.nextDate)
    keep(this.#expiring, row, now?.nextExpiry)
    if (now?.tags !== undefined && isEnforced({ tags: now.tags })) this.#enforced.add(row)
    else this.#enforced.delete(row)
    // Part of the row's id: a text from a glance would keep the whole row in memory.
    const keyId = row.slice(row.indexOf('/') + 1)
    if (now !== undefined && before === undefined) {
      addTo(this.#keyIds, `${now.region}/${now.account}`, keyId)
    } else if (now === undefined && before !== undefined) {
      deleteFrom(this.#keyIds, `${before.region}/${before.account}`, keyId)
    }
  }

  #aliasChanged(row: string, now: AliasGlance | undefined, before: AliasGlance | undefined): void {
    const region = row.slice(0, row.indexOf('/'))
    const owner = row.slice(0, row.indexOf('/', region.length + 1))
    const aliasName = row.slice(owner.length + 1)
    if (before !== undefined) this.#aliasNamesOfKey.remove(region, before.targetKeyId, aliasName)
    if (now !== undefined) this.#aliasNamesOfKey.add(region, now.targetKeyId, aliasName)
    if (now === undefined) deleteFrom(this.#aliasNames, owner, aliasName)
    else if (before === undefined) addTo(this.#aliasNames, owner, aliasName)
  }
}

const none = new OrderedIds()

function requirePresent<T>(present: T | undefined, record: T): void {
  if (present !== record) throw new StoreConflict('the record is not the present one')
}

function keep(times: Map<string, number>, row: string, time: number | undefined): void {
  if (time === undefined) times.delete(row)
  else times.set(row, time)
}

function* upTo(times: ReadonlyMap<string, number>, now: number): Iterable<string> {
  for (const [row, time] of times) if (time <= now) yield row
}

/** Whether the text of a key's row may be of one that keeps its duties separate. */
export function mayBeEnforced(body: string): boolean {
  // Within texts, such as a policy, quotation marks are escaped.
  const tags = body.indexOf(tagsOpening)
  if (tags >= 0 && body[tags + tagsOpening.length] === ']') return false
  return body.includes(separationTag.TagKey)
}

const tagsOpening = '"tags":['

function keyRow(key: KeyRecord): string {
  return `${key.region}/${key.keyId}`
}

function aliasRow(alias: AliasRecord): string {
  return `${alias.region}/${alias.account}/${alias.aliasName}`
}

/** The row id of a material. */
export function materialRow(material: Pick<Material, 'region' | 'keyId' | 'materialId'>): string {
  return `${material.region}/${material.keyId}/${material.materialId}`
}

/** The id of the material that a row was of. */
export function materialIdOfRow(row: string): string {
  return row.slice(row.lastIndexOf('/') + 1)
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
