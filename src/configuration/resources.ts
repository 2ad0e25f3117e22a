import { showPrincipals } from '../authorize/policy/bind.ts'
import type { PolicyKind } from '../authorize/policy/document.ts'
import type { AccountId, Region } from '../base/ids.ts'
import type { Identities } from '../identities/identities.ts'
import {
  type GroupRecord,
  type ManagedPolicyRecord,
  policyArn,
  type RoleRecord,
  type UserRecord,
} from '../identities/records.ts'
import type { ByAccount } from '../identities/row-index.ts'
import { type TrailRecord, type Trails, trailRow } from '../services/cloudtrail/trails.ts'
import type { AliasRecord } from '../services/kms/alias.ts'
import { type GrantRecord, operationSet } from '../services/kms/grant.ts'
import type { Grants } from '../services/kms/grants.ts'
import type { KeyRecord } from '../services/kms/key.ts'
import type { KmsState } from '../services/kms/state.ts'
import type { BucketRecord } from '../services/s3/bucket.ts'
import type { Buckets } from '../services/s3/buckets.ts'
import type { Put } from '../storage/port.ts'
import { bucketView } from './bucket-view.ts'
import {
  groupView,
  type IdentityNames,
  managedPolicyView,
  roleView,
  userView,
} from './identity-views.ts'
import { aliasView, grantView, type KeySources, keyView, withPolicyAndGrants } from './key-view.ts'
import { trailView } from './trail-view.ts'
import { type ResourceType, type ResourceView, refText } from './view.ts'

export type ResourceSources = {
  readonly state: KmsState
  readonly grants: Grants
  readonly identities: Identities
  readonly trails: Trails
  readonly s3: Buckets
  readonly principals: { arnOf(id: string): string | undefined }
  readonly regions: readonly Region[]
}

/** What becomes of one resource in one commit. `after` undefined: it goes. */
export type ResourceChange = {
  readonly before: ResourceView | undefined
  readonly after: ResourceView | undefined
}

/** A view that tells two configurations apart, and one to show; the second takes longer to make. */
type Seen = { readonly plain: ResourceView; readonly shown: () => ResourceView }
type Pair = { before?: Seen | undefined; after?: Seen | undefined }

export type PresentResource = {
  readonly ref: string
  readonly view: () => ResourceView | undefined
}

/** Policies whose text with names is kept: reading one takes longer than all the rest of an item. */
const shownMax = 128
const everyGrant = Number.MAX_SAFE_INTEGER
/** Grants whose ids are hashed into an item of their key. */
const hashedGrantsMax = 1000

/** The resources of every account, as their configuration items show them: those there are, and what commits change. */
export class Resources {
  readonly #sources: ResourceSources
  #shown = { revision: -1, texts: new Map<string, string>() }
  readonly #readers: Readonly<Record<string, (put: Put) => readonly Pair[]>>

  constructor(sources: ResourceSources) {
    this.#sources = sources
    const { state, grants, identities, trails, s3 } = sources
    const { users, groups, roles, policies } = identities
    this.#readers = {
      alias: pairs(
        (row) => state.aliases.get(row),
        (alias) => this.#alias(alias),
      ),
      grant: pairs(
        (row) => grants.inRow(row),
        (grant) => this.#grant(grant),
        grantFrom,
      ),
      user: pairs(named(users), (user) => this.#user(user)),
      group: pairs(named(groups), (group) => this.#group(group)),
      role: pairs(named(roles), (role) => this.#role(role)),
      'managed-policy': pairs(named(policies), (policy) => this.#policy(policy)),
      trail: pairs(
        (row) => trails.rows.get(row),
        (trail) => this.#trail(trail),
      ),
      's3-bucket': pairs(
        (row) => s3.get(row),
        (bucket) => this.#bucket(bucket),
      ),
    }
  }

  /** What the puts change, as seen before they are committed. What only goes along as it is, is no change. */
  changedBy(puts: readonly Put[]): readonly ResourceChange[] {
    const found = new Map<string, Pair>()
    for (const pair of this.#pairs(puts)) {
      const seen = pair.after ?? pair.before
      if (seen === undefined) continue
      // A new name is a removal and an addition of one resource.
      const name = refText(seen.plain)
      const known = found.get(name)
      if (known === undefined) found.set(name, pair)
      else {
        known.before ??= pair.before
        known.after ??= pair.after
      }
    }
    return [...found.values()].flatMap(({ before, after }) =>
      isSame(before, after) ? [] : [{ before: before?.plain, after: after?.shown() }],
    )
  }

  /** Every resource that there is, in no order; `view` is undefined once it is gone. */
  *all(): Iterable<PresentResource> {
    const { state, grants, identities, trails, s3 } = this.#sources
    const { users, groups, roles, policies } = identities
    for (const key of state.keys.values()) {
      yield this.#present('AWS::KMS::Key', key, key.keyId, () =>
        this.#key(state.key(key.region, key.keyId), this.#sources),
      )
      for (const { grantId } of grants.ofKey(key, { after: undefined, count: everyGrant })) {
        yield this.#present('Kagiban::KMS::Grant', key, grantId, () =>
          this.#grant(grants.get(grantId)),
        )
      }
    }
    for (const alias of state.aliases.values()) {
      const { region, account, aliasName } = alias
      yield this.#present('AWS::KMS::Alias', alias, aliasName, () =>
        this.#alias(state.alias(region, account, aliasName)),
      )
    }
    for (const { account, userId } of users.all()) {
      yield this.#present('AWS::IAM::User', { account }, userId, () =>
        this.#user(users.byId(userId)),
      )
    }
    for (const { account, groupId } of groups.all()) {
      yield this.#present('AWS::IAM::Group', { account }, groupId, () =>
        this.#group(groups.byId(groupId)),
      )
    }
    for (const { account, roleId } of roles.all()) {
      yield this.#present('AWS::IAM::Role', { account }, roleId, () =>
        this.#role(roles.byId(roleId)),
      )
    }
    for (const policy of policies.all()) {
      yield this.#present('AWS::IAM::Policy', policy, policy.policyId, () =>
        this.#policy(policies.byId(policyArn(policy))),
      )
    }
    for (const trail of trails.rows.values()) {
      yield this.#present('AWS::CloudTrail::Trail', trail, trail.arn, () =>
        this.#trail(trails.rows.get(trailRow(trail))),
      )
    }
    for (const bucket of s3.rows.values()) {
      yield this.#present('AWS::S3::Bucket', bucket, bucket.name, () =>
        this.#bucket(s3.get(bucket.name)),
      )
    }
  }

  #present(
    type: ResourceType,
    of: { readonly account: AccountId; readonly region?: Region; readonly homeRegion?: Region },
    id: string,
    see: () => Seen | undefined,
  ): PresentResource {
    const region = of.region ?? of.homeRegion ?? 'global'
    return { ref: refText({ type, account: of.account, region, id }), view: () => see()?.shown() }
  }

  *#pairs(puts: readonly Put[]): Iterable<Pair> {
    const keys = puts.filter(({ kind }) => kind === 'key')
    if (keys.length > 0) yield* this.#keyPairs(keys)
    for (const put of puts) yield* this.#readers[put.kind]?.(put) ?? []
  }

  /** A key of several Regions shows its related keys, which change with it. */
  #keyPairs(puts: readonly Put[]): Pair[] {
    const { state, regions } = this.#sources
    const after = new Map<string, KeyRecord | undefined>()
    for (const { id, body } of puts) {
      after.set(id, body === null ? undefined : (JSON.parse(body) as KeyRecord))
    }
    const key = (region: Region, keyId: string) => {
      const row = `${region}/${keyId}`
      return after.has(row) ? after.get(row) : state.keys.get(row)
    }
    const now = { state: { key }, regions }
    const rows = new Set(after.keys())
    for (const [row, record] of after) {
      if ((record ?? state.keys.get(row))?.multiRegion !== true) continue
      for (const region of regions) rows.add(`${region}${row.slice(row.indexOf('/'))}`)
    }
    return [...rows].map((row) => {
      const [was, is] = [state.keys.get(row), after.has(row) ? after.get(row) : state.keys.get(row)]
      return {
        before: this.#key(was, this.#sources),
        after: this.#key(is, now),
      }
    })
  }

  #key(key: KeyRecord | undefined, sources: KeySources): Seen | undefined {
    if (key === undefined) return undefined
    const view = keyView(key, sources)
    const { policy } = key
    return {
      plain: { ...view, supplementary: { ...view.supplementary, Policy: policy } },
      shown: () => withPolicyAndGrants(view, key, this.#show(policy, 'key'), this.#grantsOf(key)),
    }
  }

  #grantsOf(key: KeyRecord) {
    const { grants } = this.#sources
    const count = grants.count(key)
    if (count > hashedGrantsMax) return { count, ids: undefined }
    const found = grants.ofKey(key, { after: undefined, count: hashedGrantsMax })
    return { count, ids: found.map(({ grantId }) => grantId).sort() }
  }

  #alias(alias: AliasRecord | undefined): Seen | undefined {
    return alias && plainly(aliasView(alias))
  }

  #grant(grant: GrantRecord | undefined): Seen | undefined {
    return grant && plainly(grantView(grant, this.#sources.principals))
  }

  #user(user: UserRecord | undefined): Seen | undefined {
    return user && plainly(userView(user, this.#names))
  }

  #group(group: GroupRecord | undefined): Seen | undefined {
    return group && plainly(groupView(group, this.#names))
  }

  #policy(policy: ManagedPolicyRecord | undefined): Seen | undefined {
    return policy && plainly(managedPolicyView(policy))
  }

  #trail(trail: TrailRecord | undefined): Seen | undefined {
    return trail && plainly(trailView(trail))
  }

  #bucket(bucket: BucketRecord | undefined): Seen | undefined {
    if (bucket === undefined) return undefined
    const { policy } = bucket
    const shown = () => (policy === undefined ? undefined : this.#show(policy, 'bucket'))
    return { plain: bucketView(bucket, policy), shown: () => bucketView(bucket, shown()) }
  }

  #role(role: RoleRecord | undefined): Seen | undefined {
    if (role === undefined) return undefined
    return {
      plain: roleView(role, { ...this.#names, shownTrust: (text) => text }),
      shown: () => roleView(role, this.#names),
    }
  }

  get #names(): IdentityNames {
    const { identities } = this.#sources
    return {
      groupName: (groupId) => identities.groups.byId(groupId)?.groupName,
      policyId: (arn) => identities.policies.byId(arn)?.policyId,
      shownTrust: (text) => this.#show(text, 'trust'),
    }
  }

  /** A text that cannot be read any more is shown as it stands: a change is never refused for its item's sake. */
  #show(text: string, kind: PolicyKind): string {
    const { identities, principals } = this.#sources
    const { revision } = identities
    if (this.#shown.revision !== revision || this.#shown.texts.size >= shownMax) {
      this.#shown = { revision, texts: new Map() }
    }
    const { texts } = this.#shown
    const name = `${kind} ${text}`
    const known = texts.get(name)
    if (known !== undefined) return known
    const shown = shownText(text, kind, principals)
    texts.set(name, shown)
    return shown
  }
}

function shownText(text: string, kind: PolicyKind, names: ResourceSources['principals']): string {
  try {
    return showPrincipals(text, kind, names)
  } catch {
    return text
  }
}

function plainly(view: ResourceView): Seen {
  return { plain: view, shown: () => view }
}

function pairs<T>(
  before: (row: string) => T | undefined,
  see: (record: T | undefined) => Seen | undefined,
  read: (body: string) => T = (body) => JSON.parse(body) as T,
): (put: Put) => readonly Pair[] {
  return ({ id, body }) => {
    return [{ before: see(before(id)), after: body === null ? undefined : see(read(body)) }]
  }
}

/** Rows of identities are the account and the name. */
function named<T>(records: ByAccount<T>): (row: string) => T | undefined {
  return (row) => {
    const slash = row.indexOf('/')
    return records.get(row.slice(0, slash) as AccountId, row.slice(slash + 1))
  }
}

function grantFrom(body: string): GrantRecord {
  const stored = JSON.parse(body) as Omit<GrantRecord, 'operations'> & { operations: string[] }
  return { ...stored, operations: operationSet(stored.operations) }
}

function isSame(before: Seen | undefined, after: Seen | undefined): boolean {
  if (before === undefined || after === undefined) return before === after
  return JSON.stringify(before.plain) === JSON.stringify(after.plain)
}
