import type { AccountId } from '../base/ids.ts'
import type { Mirror, Table } from '../storage/mirror.ts'
import { jsonCodec } from '../storage/mirror.ts'
import { type Put, StoreConflict } from '../storage/port.ts'
import { accessKeyCodec } from './access-key-codec.ts'
import { awsManagedPolicy } from './aws-managed-policies.ts'
import {
  type AccessKeyRecord,
  type AccountAliasRecord,
  type GroupRecord,
  type ManagedPolicyRecord,
  type OidcProviderRecord,
  oidcProviderArn,
  policyArn,
  type RoleRecord,
  type UserRecord,
} from './records.ts'
import { type ByAccount, RowIndex } from './row-index.ts'

/**
 * The identities of every account, as tables over the mirror, with the indexes that requests read. Each kind can be
 * found by its name in its account, whatever its case, and by its unique id.
 *
 * What a record depends on (the group that a user joins, the policy that is attached) goes along unchanged in the same
 * commit (`touch…`), so that its removal meanwhile is a conflict.
 */
export class Identities {
  readonly users: ByAccount<UserRecord>
  readonly groups: ByAccount<GroupRecord>
  readonly roles: ByAccount<RoleRecord>
  /** Customer managed policies, by name. */
  readonly policies: ByAccount<ManagedPolicyRecord>
  /** By ARN. */
  readonly oidcProviders: ByAccount<OidcProviderRecord>
  readonly #accessKeys: Table<AccessKeyRecord>
  readonly #accessKeysOf = new Map<string, Set<string>>()
  readonly #aliases: Table<AccountAliasRecord>
  /** The same rows by account, so that an account cannot be given two by two processes. */
  readonly #aliasesOf: Table<AccountAliasRecord>
  #revision = 0

  /** Declares its tables: to be made before the mirror is loaded. */
  constructor(mirror: Mirror) {
    const changed = () => void this.#revision++
    this.users = new RowIndex<UserRecord>(mirror, 'user', {
      name: ({ userName }) => userName,
      id: ({ userId }) => userId,
      changed,
    })
    this.groups = new RowIndex<GroupRecord>(mirror, 'group', {
      name: ({ groupName }) => groupName,
      id: ({ groupId }) => groupId,
      changed,
    })
    this.roles = new RowIndex<RoleRecord>(mirror, 'role', {
      name: ({ roleName }) => roleName,
      id: ({ roleId }) => roleId,
      changed,
    })
    this.policies = new RowIndex<ManagedPolicyRecord>(mirror, 'managed-policy', {
      name: ({ policyName }) => policyName,
      id: policyArn,
      changed,
    })
    this.oidcProviders = new RowIndex<OidcProviderRecord>(mirror, 'oidc-provider', {
      name: ({ url }) => url,
      id: oidcProviderArn,
      changed,
    })
    this.#accessKeys = mirror.table('credential', accessKeyCodec)
    this.#accessKeys.watch((id, now, before) => {
      const owner = now ?? before
      if (owner === undefined) return
      const ids = this.#accessKeysOf.get(ownerOf(owner)) ?? new Set()
      this.#accessKeysOf.set(ownerOf(owner), ids)
      if (now === undefined) ids.delete(id)
      else ids.add(id)
      changed()
    })
    this.#aliases = mirror.table('account-alias', jsonCodec<AccountAliasRecord>())
    this.#aliasesOf = mirror.table('account-alias-of', jsonCodec<AccountAliasRecord>())
  }

  /** Greater after every change of any identity, from whichever process: what was derived before may be stale. */
  get revision(): number {
    return this.#revision
  }

  accessKey(accessKeyId: string): AccessKeyRecord | undefined {
    return this.#accessKeys.get(accessKeyId)
  }

  /** In the order in which they were made. `userId` undefined: of the root user. */
  accessKeysOf(account: AccountId, userId: string | undefined): readonly AccessKeyRecord[] {
    const ids = this.#accessKeysOf.get(ownerOf({ account, userId })) ?? []
    return [...ids]
      .map((id) => this.#accessKeys.get(id))
      .filter((key) => key !== undefined)
      .sort((a, b) => a.createdAt - b.createdAt || (a.accessKeyId < b.accessKeyId ? -1 : 1))
  }

  addAccessKey(key: AccessKeyRecord): Put {
    if (this.#accessKeys.get(key.accessKeyId) !== undefined) throw new StoreConflict('a known id')
    return this.#accessKeys.put(key.accessKeyId, key)
  }

  replaceAccessKey(before: AccessKeyRecord, after: AccessKeyRecord): Put {
    this.#requirePresent(before)
    return this.#accessKeys.put(before.accessKeyId, after)
  }

  removeAccessKey(key: AccessKeyRecord): Put {
    this.#requirePresent(key)
    return this.#accessKeys.remove(key.accessKeyId)
  }

  /** The alias of an account. */
  aliasOf(account: AccountId): string | undefined {
    return this.#aliasesOf.get(account)?.alias
  }

  accountOfAlias(alias: string): AccountId | undefined {
    return this.#aliases.get(alias)?.account
  }

  /** The changes that give an account its one alias, or take it away. Nobody else may have it. */
  setAlias(account: AccountId, alias: string | undefined): readonly Put[] {
    const before = this.aliasOf(account)
    const removed = before === undefined ? [] : [this.#aliases.remove(before)]
    if (alias === undefined) return [...removed, this.#aliasesOf.remove(account)]
    if (this.#aliases.get(alias) !== undefined) throw new StoreConflict('a known alias')
    const record = { account, alias }
    return [...removed, this.#aliases.put(alias, record), this.#aliasesOf.put(account, record)]
  }

  /** A customer's or one of AWS's own (`arn:aws:iam::aws:policy/…`), by ARN. */
  managedPolicy(arn: string): ManagedPolicyRecord | undefined {
    return this.policies.byId(arn) ?? awsManagedPolicy(arn)
  }

  #requirePresent(key: AccessKeyRecord): void {
    if (this.#accessKeys.get(key.accessKeyId) !== key) {
      throw new StoreConflict('the access key is not the present one')
    }
  }
}

/** What the default version of a managed policy says. */
export function defaultText({ versions, defaultVersionId }: ManagedPolicyRecord): string {
  const version = versions.find(({ versionId }) => versionId === defaultVersionId)
  if (version === undefined) throw new Error('a managed policy has its default version')
  return version.text
}

function ownerOf({ account, userId }: Pick<AccessKeyRecord, 'account' | 'userId'>): string {
  return userId ?? account
}
