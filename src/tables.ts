import { Identities } from './identities/identities.ts'
import { Organization } from './identities/organization.ts'
import { PolicyArchive } from './identities/policy-archive.ts'
import { Accounts } from './operator/accounts.ts'
import { Quotas } from './operator/quotas.ts'
import { Grants } from './services/kms/grants.ts'
import { kmsQuotas } from './services/kms/quotas.ts'
import { KmsState } from './services/kms/state.ts'
import type { Companion, Mirror } from './storage/mirror.ts'

/** Everything that the mirror holds. */
export type Tables = {
  readonly identities: Identities
  readonly guardrails: Organization
  readonly archive: PolicyArchive
  readonly accounts: Accounts
  readonly state: KmsState
  readonly grants: Grants
  readonly quotas: Quotas
}

/** To be called before the mirror is loaded. */
export function declareTables(mirror: Mirror): Tables {
  const identities = new Identities(mirror)
  const state = new KmsState(mirror)
  const accounts = new Accounts(mirror, identities)
  const guardrails = new Organization(mirror, () => accounts.deployment)
  const archive = new PolicyArchive(mirror)
  keepSuperseded(archive, identities, guardrails, state)
  return {
    identities,
    guardrails,
    archive,
    accounts,
    state,
    grants: new Grants(mirror, state),
    quotas: new Quotas(mirror, kmsQuotas),
  }
}

/** Whoever replaces or removes what holds a policy keeps the text: a record may say that it decided a call. */
function keepSuperseded(
  archive: PolicyArchive,
  { users, groups, roles, policies }: Identities,
  guardrails: Organization,
  state: KmsState,
): void {
  const keeping =
    <T>(textsOf: (record: T) => readonly string[]): Companion<T> =>
    (before, after) =>
      archive.supersede(textsOf(before), after && textsOf(after))
  state.keys.accompany(keeping(({ policy }) => [policy]))
  users.accompany(keeping(({ inline }) => Object.values(inline)))
  groups.accompany(keeping(({ inline }) => Object.values(inline)))
  roles.accompany(keeping(({ inline, trustPolicy }) => [trustPolicy, ...Object.values(inline)]))
  policies.accompany(keeping(({ versions }) => versions.map(({ text }) => text)))
  guardrails.accompany(keeping(({ text }) => [text]))
}
