import { holderSteps } from '../authorize/analyse/both-sides.ts'
import type { AccountId, Region } from '../base/ids.ts'
import type { Organization } from '../identities/organization.ts'
import { policyArn } from '../identities/records.ts'
import { analysisWorld, type WorldSources } from '../operator/analysis-world.ts'
import type { RuleRecord } from '../services/config/state.ts'
import { analysedGrants, analysedKey } from '../services/kms/analysed-key.ts'
import type { KeyRecord } from '../services/kms/key.ts'
import { bucketView } from './bucket-view.ts'
import type { ResourceSources } from './resources.ts'
import {
  bucketRules,
  type Found,
  inlineRule,
  keyRules,
  managedPolicyRule,
  type RuleContext,
  roleRule,
  trailRules,
} from './rules/evaluate.ts'

/** A resource that rules look at. */
export type Subject = {
  readonly type: string
  readonly id: string
  readonly account: AccountId
  readonly tags: Readonly<Record<string, string>>
  /** Undefined: the rule is not about it. */
  say(rule: string, context: RuleContext): Found
  /** Of keys alone. */
  readonly key?: KeyRecord
}

/** `name` tells it apart from the others of its account and Region. */
export type Placed = { readonly name: string; readonly subject: () => Subject | undefined }

export type SubjectSources = ResourceSources &
  Omit<WorldSources, 'guardrails'> & {
    readonly guardrails: Organization
    readonly management: () => AccountId | undefined
  }

const separation = 'KMS_KEY_SEPARATION_OF_DUTIES'

/** What rules look at, and what of it changes mark. */
export class Subjects {
  readonly #sources: SubjectSources
  /** `<type> <place> <id>` of what changed since the last round; a place is an account, with its Region for keys. */
  #marked = new Set<string>()
  /** Whether anything is asked of it: nothing is marked while there are no rules. */
  #isWatched = false
  #world = ''

  /** To be made once the mirror is loaded: what is read then is no change. */
  constructor(sources: SubjectSources) {
    this.#sources = sources
    const { state, grants, identities, trails, s3 } = sources
    state.keys.watchGlances((_, now, before) => {
      const key = now ?? before
      if (key !== undefined) this.#mark('AWS::KMS::Key', `${key.region}/${key.account}`, key.keyId)
    })
    state.aliases.watch((_, now, before) => {
      for (const alias of [now, before]) {
        if (alias === undefined) continue
        this.#mark('AWS::KMS::Key', `${alias.region}/${alias.account}`, alias.targetKeyId)
      }
    })
    grants.watch((_, now, before) => {
      const grant = now ?? before
      if (grant !== undefined) {
        this.#mark('AWS::KMS::Key', `${grant.region}/${grant.account}`, grant.keyId)
      }
    })
    const { users, groups, roles, policies } = identities
    users.watch((now, before) =>
      this.#identity('AWS::IAM::User', now ?? before, (now ?? before)?.userId),
    )
    groups.watch((now, before) =>
      this.#identity('AWS::IAM::Group', now ?? before, (now ?? before)?.groupId),
    )
    roles.watch((now, before) =>
      this.#identity('AWS::IAM::Role', now ?? before, (now ?? before)?.roleId),
    )
    policies.watch((now, before) =>
      this.#identity('AWS::IAM::Policy', now ?? before, (now ?? before)?.policyId),
    )
    trails.rows.watch((_, now, before) => {
      const trail = now ?? before
      if (trail !== undefined) {
        this.#mark('AWS::CloudTrail::Trail', `${trail.homeRegion}/${trail.account}`, trail.arn)
      }
    })
    s3.rows.watch((_, now, before) => {
      for (const bucket of [now, before]) {
        if (bucket === undefined) continue
        this.#mark('AWS::S3::Bucket', `${bucket.region}/${bucket.account}`, bucket.name)
      }
    })
  }

  /** What changed since this was asked before. */
  takeMarked(isWatched: boolean): ReadonlySet<string> {
    const marked = this.#marked
    this.#marked = new Set()
    this.#isWatched = isWatched
    // Who may do what with a key is said by identities and guardrails as well.
    const { identities, guardrails, accounts } = this.#sources
    const world = `${identities.revision} ${guardrails.revision} ${accounts.all().length}`
    if (world !== this.#world) marked.add(everyKey)
    this.#world = world
    return marked
  }

  /** Every resource of a type in an account and Region. */
  every(type: string, account: AccountId, region: Region): readonly Placed[] {
    return this.#ids(type, account, region).map((id) => this.#placed(type, account, region, id))
  }

  /** Those of them that are marked. */
  among(
    marked: ReadonlySet<string>,
    { rule, type }: { readonly rule: RuleRecord; readonly type: string },
  ): readonly Placed[] {
    const { account, region, sourceIdentifier } = rule
    if (sourceIdentifier === separation && marked.has(everyKey)) {
      return this.every(type, account, region)
    }
    // A policy may be a boundary of whoever changed.
    if (type === 'AWS::IAM::Policy' && marked.has(`boundaries ${account}`)) {
      return this.every(type, account, region)
    }
    const place = type.startsWith('AWS::IAM::') ? account : `${region}/${account}`
    const prefix = `${type} ${place} `
    return [...marked]
      .filter((each) => each.startsWith(prefix))
      .map((each) => this.#placed(type, account, region, each.slice(prefix.length)))
  }

  *evaluate(
    rule: string,
    subject: Subject,
    parameters: RuleContext['parameters'],
  ): Generator<void, Found> {
    if (rule === separation) return yield* this.#separation(subject)
    const { regions, management } = this.#sources
    return subject.say(rule, {
      ...{ parameters, regions, account: subject.account, management: management() },
      isBoundary: (arn) => this.#isBoundary(subject.account, arn),
    })
  }

  *#separation({ key }: Subject): Generator<void, Found> {
    if (key === undefined || key.manager === 'AWS') return undefined
    const { state, grants } = this.#sources
    const ofKey = analysedGrants(key, grants)
    if (ofKey === undefined) return 'The key has too many grants to be looked at.'
    const holder = yield* holderSteps(analysisWorld(this.#sources, analysedKey(key, state), ofKey))
    if (holder === undefined) return true
    if (holder === 'unknown') return 'There are too many identities to be looked at.'
    const { principal, administration, use, certain } = holder
    return `${principal} ${certain ? 'has' : 'perhaps has'} ${administration} and ${use}.`
  }

  #isBoundary(account: AccountId, arn: string): boolean {
    const { users, roles } = this.#sources.identities
    return [...users.of(account), ...roles.of(account)].some(({ boundary }) => boundary === arn)
  }

  #ids(type: string, account: AccountId, region: Region): readonly string[] {
    const { state, identities, trails, s3 } = this.#sources
    switch (type) {
      case 'AWS::KMS::Key':
        return state.keyIds(region, account).after(undefined, Number.MAX_SAFE_INTEGER)
      case 'AWS::IAM::User':
        return identities.users.of(account).map(({ userId }) => userId)
      case 'AWS::IAM::Group':
        return identities.groups.of(account).map(({ groupId }) => groupId)
      case 'AWS::IAM::Role':
        return identities.roles.of(account).map(({ roleId }) => roleId)
      case 'AWS::IAM::Policy':
        return identities.policies.of(account).map(({ policyId }) => policyId)
      case 'AWS::CloudTrail::Trail':
        return [...trails.rows.values()]
          .filter((trail) => trail.account === account && trail.homeRegion === region)
          .map(({ arn }) => arn)
      case 'AWS::S3::Bucket':
        return s3
          .ofAccount(account)
          .filter((bucket) => bucket.region === region)
          .map(({ name }) => name)
      default:
        return []
    }
  }

  #placed(type: string, account: AccountId, region: Region, id: string): Placed {
    return { name: `${type} ${id}`, subject: () => this.#subject(type, account, region, id) }
  }

  #subject(type: string, account: AccountId, region: Region, id: string): Subject | undefined {
    const { state, identities, trails, s3 } = this.#sources
    const of = { type, id, account }
    if (type === 'AWS::KMS::Key') {
      const key = state.key(region, id)
      if (key?.account !== account) return undefined
      const tags = Object.fromEntries(key.tags.map(({ TagKey, TagValue }) => [TagKey, TagValue]))
      const say: Subject['say'] = (rule, context) =>
        key.manager === 'AWS' ? undefined : keyRules[rule]?.(key, context)
      return { ...of, tags, key, say }
    }
    if (type === 'AWS::IAM::Policy') {
      const policy = identities.policies.of(account).find(({ policyId }) => policyId === id)
      const found = policy && identities.policies.byId(policyArn(policy))
      return (
        found && { ...of, tags: tagsOf(found.tags), say: (_, to) => managedPolicyRule(found, to) }
      )
    }
    if (type === 'AWS::IAM::Role') {
      const role = identities.roles.byId(id)
      return role && { ...of, tags: tagsOf(role.tags), say: (_, to) => roleRule(role, to) }
    }
    if (type === 'AWS::IAM::User') {
      const user = identities.users.byId(id)
      return user && { ...of, tags: tagsOf(user.tags), say: (_, to) => inlineRule(user, to) }
    }
    if (type === 'AWS::IAM::Group') {
      const group = identities.groups.byId(id)
      return group && { ...of, tags: {}, say: (_, to) => inlineRule(group, to) }
    }
    if (type === 'AWS::CloudTrail::Trail') {
      const trail = trails.rows.get(`${region}/${account}/${id.slice(id.lastIndexOf('/') + 1)}`)
      const tags = Object.fromEntries((trail?.tags ?? []).map(({ key, value }) => [key, value]))
      return trail && { ...of, tags, say: (rule) => trailRules[rule]?.(trail) }
    }
    const bucket = s3.get(id)
    if (bucket?.account !== account || bucket.region !== region) return undefined
    const view = bucketView(bucket, bucket.policy)
    return { ...of, tags: view.tags, say: (rule, to) => bucketRules[rule]?.(view, to) }
  }

  #identity(type: string, of: { readonly account: AccountId } | undefined, id = ''): void {
    if (of === undefined || !this.#isWatched) return
    this.#mark(type, of.account, id)
    if (type !== 'AWS::IAM::Policy') this.#marked.add(`boundaries ${of.account}`)
  }

  #mark(type: string, place: string, id: string): void {
    if (this.#isWatched) this.#marked.add(`${type} ${place} ${id}`)
  }
}

const everyKey = 'every key'

function tagsOf(tags: readonly { readonly Key: string; readonly Value: string }[]) {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]))
}
