import { hash } from 'node:crypto'
import type { Region } from '../../base/ids.ts'
import type { Mirror, Table, Watcher } from '../../storage/mirror.ts'
import { type Put, StoreConflict } from '../../storage/port.ts'
import type { GrantRecord } from './grant.ts'
import { GrantCodec } from './grant-codec.ts'
import { byTerms, findGrant, type Permission } from './grant-search.ts'
import type { KeyRecord } from './key.ts'
import { RecordGroups } from './record-groups.ts'
import { SharedTexts } from './shared-texts.ts'
import type { KeyGlance, KmsState } from './state.ts'

/** Which part of a list of grants. */
export type GrantRange = {
  /** The position of the last grant seen; undefined: from the start. */
  readonly after: string | undefined
  readonly count: number
}

/**
 * The grants of every key, as a table over the mirror, with the indexes that operations read. Reads take no longer
 * the more grants there are.
 *
 * A grant whose key is gone is none any more, although its row may still be there: the rows of a key with very many
 * grants are removed a few at a time, after the key (`leftovers`).
 */
export class Grants {
  readonly #state: KmsState
  readonly #table: Table<GrantRecord>
  /** Of each key, in the order of their positions: those of one grantee stand together. */
  readonly #ofKey = new RecordGroups<GrantRecord>(byGrantee)
  /** Those that callers can have, in the order in which decisions look for one. */
  readonly #ofCallers = new RecordGroups<GrantRecord>(byTerms)
  readonly #ofRetiring = new RecordGroups<GrantRecord>(byGrantId)
  /** Rows of named grants, by grant id; the row of any other is its grant id. */
  readonly #namedRows = new Map<string, string>()
  /** Groups of keys that are not there. While the store is loaded, also of keys that are still to come. */
  readonly #ownerless = new Set<string>()

  /** Declares its table: to be made before the mirror is loaded. */
  constructor(mirror: Mirror, state: KmsState) {
    this.#state = state
    const codec = new GrantCodec(new SharedTexts())
    this.#table = mirror.table('grant', codec)
    this.#table.watch((row, now, before) => {
      if (before !== undefined) {
        codec.release(before)
        this.#forget(before)
      }
      if (now !== undefined) this.#take(row, now)
    })
    state.keys.watchGlances((_, now, before) => this.#keyChanged(now, before))
  }

  /** Rows, those of keys that are gone included. */
  get size(): number {
    return this.#table.size
  }

  get(grantId: string): GrantRecord | undefined {
    const grant = this.#table.get(this.#namedRows.get(grantId) ?? grantId)
    return grant?.grantId === grantId && this.keyOf(grant) !== undefined ? grant : undefined
  }

  /** What stands in a row, whether or not its key is there. */
  inRow(row: string): GrantRecord | undefined {
    return this.#table.get(row)
  }

  watch(watcher: Watcher<GrantRecord>): void {
    this.#table.watch(watcher)
  }

  /** The grant of that id, if it is one on that key. */
  on(key: KeyRecord, grantId: string): GrantRecord | undefined {
    const grant = this.get(grantId)
    return grant !== undefined && groupOfGrant(grant) === groupOf(key) ? grant : undefined
  }

  count(key: KeyGlance): number {
    return this.#ofKey.size(groupOf(key))
  }

  /** Grants on a key, all or those of one grantee, in the order of their positions. */
  ofKey(key: KeyRecord, { after, count }: GrantRange, grantee?: string): readonly GrantRecord[] {
    const [party = '', grantId = ''] = after?.split(' ') ?? [grantee]
    const isBeyond = (grant: GrantRecord) =>
      grant.grantee > party || (grant.grantee === party && grant.grantId > grantId)
    const found = this.#ofKey.from(groupOf(key), isBeyond, count)
    return grantee === undefined ? found : found.filter((grant) => grant.grantee === grantee)
  }

  /**
   * A grant on the key that permits this to a party, if there is one. Those with a source ARN permit nothing here: they
   * are for calls that services make, and no caller is a service.
   */
  permitting(key: KeyRecord, party: string, permission: Permission): GrantRecord | undefined {
    const group = groupOf(key)
    return findGrant(party, permission, (isBeyond, count) =>
      this.#ofCallers.from(group, isBeyond, count),
    )
  }

  /** Grants that a party is named to retire, on keys of any account of the Region, in the order of their ids. */
  retirableBy(party: string, region: Region, { after, count }: GrantRange): readonly GrantRecord[] {
    return this.#ofRetiring.from(
      `${region}/${party}`,
      ({ grantId }) => after === undefined || grantId > after,
      count,
    )
  }

  /** The grant that the same named request made before. */
  sameAs(draft: GrantRecord): GrantRecord | undefined {
    return draft.name === undefined ? undefined : this.#table.get(newRow(draft))
  }

  /**
   * A named grant stands under what it was asked for with, so that of two such requests at once, in whichever
   * processes, one meets a conflict and then finds the other's grant.
   */
  add(grant: GrantRecord): Put {
    const row = newRow(grant)
    if (this.#table.get(row) !== undefined) throw new StoreConflict('there is such a grant')
    return this.#table.put(row, grant)
  }

  /** Throws StoreConflict unless `grant` is the present record. */
  remove(grant: GrantRecord): Put {
    const row = this.#namedRows.get(grant.grantId) ?? grant.grantId
    if (this.#table.get(row) !== grant) throw new StoreConflict('the grant is not the present one')
    return this.#table.remove(row)
  }

  /** What removes rows of grants whose keys are gone, at most `limit` of them. */
  leftovers(limit: number): readonly Put[] {
    const puts: Put[] = []
    for (const group of this.#ownerless) {
      const grants = this.#ofKey.from(group, () => true, limit - puts.length)
      for (const grant of grants) puts.push(this.remove(grant))
      if (puts.length === limit) break
    }
    return puts
  }

  keyOf({ region, keyId, keyCreatedAt }: GrantRecord): KeyRecord | undefined {
    const key = this.#state.key(region, keyId)
    return key?.createdAt === keyCreatedAt ? key : undefined
  }

  #take(row: string, grant: GrantRecord): void {
    const group = groupOfGrant(grant)
    this.#ofKey.add(group, grant)
    if (grant.sourceArn === undefined) this.#ofCallers.add(group, grant)
    if (grant.retiring !== undefined) {
      this.#ofRetiring.add(`${grant.region}/${grant.retiring}`, grant)
    }
    if (grant.name !== undefined) this.#namedRows.set(grant.grantId, row)
    if (this.keyOf(grant) === undefined) this.#ownerless.add(group)
  }

  #forget(grant: GrantRecord): void {
    const group = groupOfGrant(grant)
    this.#ofKey.delete(group, grant)
    this.#ofCallers.delete(group, grant)
    if (grant.retiring !== undefined) {
      this.#ofRetiring.delete(`${grant.region}/${grant.retiring}`, grant)
    }
    this.#namedRows.delete(grant.grantId)
    if (this.#ofKey.size(group) === 0) this.#ownerless.delete(group)
  }

  #keyChanged(now: KeyGlance | undefined, before: KeyGlance | undefined): void {
    if (now !== undefined && now.createdAt === before?.createdAt) return
    if (before !== undefined && this.count(before) > 0) this.#ownerless.add(groupOf(before))
    if (now !== undefined) this.#ownerless.delete(groupOf(now))
  }
}

function byGrantee(a: GrantRecord, b: GrantRecord): number {
  if (a.grantee !== b.grantee) return a.grantee < b.grantee ? -1 : 1
  return byGrantId(a, b)
}

function byGrantId(a: GrantRecord, b: GrantRecord): number {
  if (a.grantId === b.grantId) return 0
  return a.grantId < b.grantId ? -1 : 1
}

function groupOf({ region, keyId, createdAt }: KeyGlance): string {
  return `${region}/${keyId}/${createdAt}`
}

function groupOfGrant({ region, keyId, keyCreatedAt }: GrantRecord): string {
  return `${region}/${keyId}/${keyCreatedAt}`
}

/** Where a grant stands among those of its key. Neither an ARN nor a service's name has a space. */
export function positionOnKey({ grantee, grantId }: GrantRecord): string {
  return `${grantee} ${grantId}`
}

/** The row of a new grant. Two requests of one name are the same when all that they ask for is. */
function newRow(grant: GrantRecord): string {
  if (grant.name === undefined) return grant.grantId
  const asked = [
    ...[grant.region, grant.keyId, grant.keyCreatedAt, grant.issuingAccount, grant.name],
    ...[grant.grantee, grant.retiring, grant.operations],
    ...[grant.contextEquals, grant.contextSubset, grant.sourceArn],
  ]
  return hash('sha256', JSON.stringify(asked), 'hex')
}
