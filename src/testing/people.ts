import type { Assembly } from '../assembly.ts'
import { bindPrincipals } from '../authorize/policy/bind.ts'
import type { AccountId } from '../base/ids.ts'
import { systemRandom } from '../base/random.ts'
import type { Hsm } from '../hsm/port.ts'
import {
  type Attachments,
  groupArn,
  type ManagedPolicyRecord,
  policyArn,
  roleArn,
  userArn,
} from '../identities/records.ts'
import { newUniqueId } from '../identities/unique-id.ts'
import { type AccessKey, newAccessKey } from '../operator/accounts.ts'
import type { Put } from '../storage/port.ts'
import type { Tables } from '../tables.ts'

/** A policy document, as it is or as its text. */
export type PolicyText = string | object

export type NewIdentity = {
  readonly name: string
  /** The first of the house unless it is given. */
  readonly account?: AccountId
  readonly path?: string
  /** Inline policies, which are named `policy-0`, `policy-1` … */
  readonly policies?: readonly PolicyText[]
  /** ARNs of managed policies. */
  readonly attached?: readonly string[]
  /** The document of a permissions boundary, or the ARN of one. */
  readonly boundary?: PolicyText
  readonly tags?: Readonly<Record<string, string>>
}

export type NewUser = NewIdentity & {
  /** Ids of groups. */
  readonly groups?: readonly string[]
}

export type NewRole = NewIdentity & {
  /** The role trust policy; nobody may assume the role unless it is given. */
  readonly trust?: PolicyText
  readonly maxSessionSeconds?: number
}

/** An access key, and whose it is. */
export type Person = AccessKey & { readonly arn: string; readonly id: string }

export type Named = { readonly arn: string; readonly id: string }

type Settlement = Pick<Tables, 'identities'> & {
  readonly principals: Assembly['principals']
  readonly hsm: Hsm
  readonly account: AccountId
  readonly now: number
  commit(puts: readonly Put[]): Promise<unknown>
}

/** Puts a user and its access key into the tables, with no call. */
export async function addUser(settlement: Settlement, wanted: NewUser): Promise<Person> {
  const { identities, hsm, now } = settlement
  const { account, path, tags, boundary, attachments, puts } = identityOf(settlement, wanted)
  const user = {
    ...{ account, path, tags, boundary, ...attachments },
    userId: newUniqueId('AIDA', systemRandom),
    userName: wanted.name,
    createdAt: now,
    groups: wanted.groups ?? [],
  }
  const key = newAccessKey(systemRandom)
  const { accessKeyId } = key
  const sealedSecret = await hsm.sealSecret(accessKeyId, Buffer.from(key.secretAccessKey, 'utf8'))
  const owner = { account, userId: user.userId }
  const record = { accessKeyId, ...owner, status: 'Active', sealedSecret, createdAt: now } as const
  await settlement.commit([...puts, identities.users.add(user), identities.addAccessKey(record)])
  return { ...key, arn: userArn(user), id: user.userId }
}

export async function addRole(settlement: Settlement, wanted: NewRole): Promise<Named> {
  const { identities, principals, now } = settlement
  const { account, path, tags, boundary, attachments, puts } = identityOf(settlement, wanted)
  const trust = wanted.trust ?? { Version: '2012-10-17', Statement: nobody(account) }
  const role = {
    ...{ account, path, tags, boundary, ...attachments },
    roleId: newUniqueId('AROA', systemRandom),
    roleName: wanted.name,
    createdAt: now,
    trustPolicy: bindPrincipals(textOf(trust), 'trust', principals),
    maxSessionSeconds: wanted.maxSessionSeconds ?? 3600,
  }
  await settlement.commit([...puts, identities.roles.add(role)])
  return { arn: roleArn(role), id: role.roleId }
}

export async function addGroup(settlement: Settlement, wanted: NewIdentity): Promise<Named> {
  const { identities, now } = settlement
  const { account, path, attachments, puts } = identityOf(settlement, wanted)
  const groupId = newUniqueId('AGPA', systemRandom)
  const group = { account, path, groupId, groupName: wanted.name, createdAt: now, ...attachments }
  await settlement.commit([...puts, identities.groups.add(group)])
  return { arn: groupArn(group), id: groupId }
}

/** A customer managed policy. */
export async function addPolicy(
  settlement: Settlement,
  name: string,
  document: PolicyText,
  account: AccountId = settlement.account,
): Promise<Named> {
  const policy = policyOf(settlement, name, document, account)
  await settlement.commit([settlement.identities.policies.add(policy)])
  return { arn: policyArn(policy), id: policy.policyId }
}

/** The user or the role of an ARN; its access keys go with a user. */
export async function removeIdentity(settlement: Settlement, id: string): Promise<void> {
  const { identities } = settlement
  const user = identities.users.byId(id)
  const role = identities.roles.byId(id)
  const puts: Put[] = []
  if (user !== undefined) {
    const keys = identities.accessKeysOf(user.account, user.userId)
    puts.push(identities.users.remove(user), ...keys.map((key) => identities.removeAccessKey(key)))
  } else if (role !== undefined) puts.push(identities.roles.remove(role))
  else throw new Error(`nobody has the id ${id}`)
  await settlement.commit(puts)
}

function identityOf(settlement: Settlement, wanted: NewIdentity) {
  const { account = settlement.account, path = '/', tags = {}, boundary } = wanted
  const puts: Put[] = []
  let boundaryArn =
    typeof boundary === 'string' && boundary.startsWith('arn:') ? boundary : undefined
  if (boundary !== undefined && boundaryArn === undefined) {
    const policy = policyOf(settlement, `${wanted.name}-boundary`, boundary, account)
    puts.push(settlement.identities.policies.add(policy))
    boundaryArn = policyArn(policy)
  }
  const inline = (wanted.policies ?? []).map((each, at) => [`policy-${at}`, textOf(each)])
  const attachments: Attachments = {
    inline: Object.fromEntries(inline),
    attached: wanted.attached ?? [],
  }
  const pairs = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
  return { account, path, tags: pairs, boundary: boundaryArn, attachments, puts }
}

function policyOf(
  { now }: Settlement,
  policyName: string,
  document: PolicyText,
  account: AccountId,
): ManagedPolicyRecord {
  return {
    ...{ account, policyName, path: '/', tags: [] },
    policyId: newUniqueId('ANPA', systemRandom),
    createdAt: now,
    updatedAt: now,
    versions: [{ versionId: 'v1', text: textOf(document), createdAt: now }],
    defaultVersionId: 'v1',
    nextVersion: 2,
  }
}

function textOf(document: PolicyText): string {
  return typeof document === 'string' ? document : JSON.stringify(document)
}

function nobody(account: AccountId) {
  return { Effect: 'Deny', Principal: { AWS: account }, Action: 'sts:AssumeRole' }
}
