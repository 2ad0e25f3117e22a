import { type DiscoveryRecord, discoveryTable } from './configuration/discovery.ts'
import { TrailSpans } from './delivery/spans.ts'
import { DeliveryStates } from './delivery/state.ts'
import { Identities } from './identities/identities.ts'
import { Organization } from './identities/organization.ts'
import { Accounts } from './operator/accounts.ts'
import { Quotas } from './operator/quotas.ts'
import { proofKind } from './separation-guard.ts'
import { type DigestKeyRecord, digestKeyTable } from './services/cloudtrail/digest-keys.ts'
import { cloudTrailQuotas } from './services/cloudtrail/quotas.ts'
import { Trails } from './services/cloudtrail/trails.ts'
import { ConfigState } from './services/config/state.ts'
import { iamQuotas } from './services/iam/quotas.ts'
import { Grants } from './services/kms/grants.ts'
import { kmsQuotas } from './services/kms/quotas.ts'
import { KmsState } from './services/kms/state.ts'
import { Buckets } from './services/s3/buckets.ts'
import { s3Quotas } from './services/s3/quotas.ts'
import { stsQuotas } from './services/sts/quotas.ts'
import { jsonCodec, type Mirror, type Table } from './storage/mirror.ts'

/** Everything that the mirror holds. */
export type Tables = {
  readonly identities: Identities
  readonly guardrails: Organization
  readonly accounts: Accounts
  readonly state: KmsState
  readonly grants: Grants
  readonly quotas: Quotas
  readonly trails: Trails
  readonly trailSpans: TrailSpans
  readonly deliveries: DeliveryStates
  readonly digestKeys: Table<DigestKeyRecord>
  /** Its one row is written with each key whose separation of duties was proven. */
  readonly proofs: Table<object>
  readonly discovery: Table<DiscoveryRecord>
  readonly config: ConfigState
  readonly s3: Buckets
}

/** To be called before the mirror is loaded. */
export function declareTables(mirror: Mirror): Tables {
  const identities = new Identities(mirror)
  const state = new KmsState(mirror)
  const accounts = new Accounts(mirror, identities)
  const guardrails = new Organization(mirror, () => accounts.deployment)
  const buckets = new Buckets(mirror)
  archivePolicies(identities, guardrails, state)
  buckets.rows.archive(({ policy }) => (policy === undefined ? [] : [policy]))
  return {
    identities,
    guardrails,
    accounts,
    state,
    grants: new Grants(mirror, state),
    quotas: new Quotas(mirror, [
      ...[...kmsQuotas, ...stsQuotas, ...iamQuotas],
      ...[...cloudTrailQuotas, ...s3Quotas],
    ]),
    trails: new Trails(mirror),
    trailSpans: new TrailSpans(mirror),
    deliveries: new DeliveryStates(mirror),
    digestKeys: digestKeyTable(mirror),
    proofs: mirror.table(proofKind, jsonCodec<object>()),
    discovery: discoveryTable(mirror),
    config: new ConfigState(mirror),
    s3: buckets,
  }
}

/** Whoever replaces or removes what holds a policy keeps the text: a record may say that it decided a call. */
function archivePolicies(
  { users, groups, roles, policies }: Identities,
  guardrails: Organization,
  state: KmsState,
): void {
  state.keys.archive(({ policy }) => [policy])
  users.archive(({ inline }) => Object.values(inline))
  groups.archive(({ inline }) => Object.values(inline))
  roles.archive(({ inline, trustPolicy }) => [trustPolicy, ...Object.values(inline)])
  policies.archive(({ versions }) => versions.map(({ text }) => text))
  guardrails.archive(({ text }) => [text])
}
