import type { CallerLayers } from '../../../authorize/layers.ts'
import type { Caller } from '../../../base/caller.ts'
import { type AccountId, parseAccountId } from '../../../base/ids.ts'
import { tagsOf, userCaller } from '../../../identities/callers.ts'
import {
  type GroupRecord,
  groupArn,
  type RoleRecord,
  roleArn,
  type UserRecord,
} from '../../../identities/records.ts'
import type { AuditResource, CallContext, Check, ConditionValues } from '../../operation.ts'
import type { IamDeps } from '../deps.ts'
import {
  type Entity,
  type EntityKind,
  entityCheck,
  entityResource,
  groupKind,
  presentEntity,
  roleKind,
  userKind,
} from '../entities.ts'
import { invalidInput } from '../errors.ts'

/** Whose requests are simulated, which policies are theirs, and what their requests always say. */
export type Simulated = {
  readonly caller: Caller
  readonly layers: CallerLayers
  readonly known: ConditionValues
}

/** A user, a group or a role whose policies are asked about. Whether it is there is told behind the check alone. */
export type Source = {
  readonly check: (permission: string) => Check
  readonly resources: readonly AuditResource[]
  /** Throws 'no-such-entity'. */
  readonly simulated: () => Simulated
}

const entityForm =
  /^arn:aws:iam::(\d{12}):(user|group|role)\/(?:[\x21-\x7e]+\/)?([\w+=,.@-]{1,128})$/

/** Throws 'invalid-input' for an ARN of anything else. */
export function findSource(call: CallContext, arn: string, deps: IamDeps): Source {
  const [, , type] = entityForm.exec(arn) ?? []
  switch (type) {
    case 'user':
      return sourceOf(userKind, call, arn, deps, (user) => ofUser(user, deps))
    case 'role':
      return sourceOf(roleKind, call, arn, deps, (role) => ofRole(role, deps))
    case 'group':
      return sourceOf(groupKind, call, arn, deps, (group) => ofGroup(group, deps))
    default:
      throw invalidInput(`Invalid Entity Arn: ${arn} does not clearly define entity type and name.`)
  }
}

function sourceOf<T extends Entity>(
  kind: EntityKind<T>,
  call: CallContext,
  arn: string,
  { identities }: IamDeps,
  view: (record: T) => Simulated,
): Source {
  const name = arn.slice(arn.lastIndexOf('/') + 1)
  const namesake = kind.records(identities).get(call.caller.account, name)
  const record = namesake !== undefined && kind.arnOf(namesake) === arn ? namesake : undefined
  const named = { name, arn, record }
  return {
    check: (permission) => entityCheck(kind, call, permission, named),
    resources: entityResource(kind, named),
    simulated: () => view(presentEntity(kind, named)),
  }
}

function ofUser(user: UserRecord, { callerPolicies }: IamDeps): Simulated {
  const caller = userCaller(user, '')
  const known = { ...principalConditions(caller), 'aws:userid': user.userId }
  return { caller, layers: callerPolicies.ofIdentity(user), known }
}

function ofRole(role: RoleRecord, { callerPolicies }: IamDeps): Simulated {
  const { account, roleId, tags } = role
  const arn = roleArn(role)
  const names = { arn, principalId: roleId, roleArn: arn, roleId }
  const caller = { type: 'role-session', account, accessKeyId: '', ...names } as const
  const tagged: Caller = { ...caller, tags: tagsOf(tags) }
  return {
    caller: tagged,
    layers: callerPolicies.ofIdentity(role),
    known: principalConditions(tagged),
  }
}

/** As a user who is in the group and has nothing else. */
function ofGroup(group: GroupRecord, { callerPolicies }: IamDeps): Simulated {
  const { account, groupId } = group
  const member: UserRecord = {
    ...{ account, userId: groupId, userName: '', path: '/', createdAt: 0, tags: [] },
    ...{ inline: {}, attached: [], groups: [groupId] },
  }
  const caller = userOf(account, groupArn(group), groupId)
  const known = { 'aws:PrincipalAccount': account }
  return { caller, layers: callerPolicies.ofIdentity(member), known }
}

/**
 * The user that a simulation names as its caller. Of the user itself nothing is disclosed: tags and unique ids are not
 * part of what its simulated requests say. Throws 'invalid-input' for an ARN of anything but a user.
 */
export function namedCaller(
  arn: string,
  { principals }: Pick<IamDeps, 'principals'>,
): Pick<Simulated, 'caller' | 'known'> {
  const [, digits = '', type, userName = ''] = entityForm.exec(arn) ?? []
  const account = parseAccountId(digits)
  if (type !== 'user' || account === undefined) {
    throw invalidInput(`Invalid CallerArn: ${arn} is not the ARN of an IAM user.`)
  }
  const id = principals.idOf({ type: 'user', account, arn })
  const caller: Caller = { ...userOf(account, arn, id ?? arn), userName }
  return { caller, known: principalConditions(caller) }
}

/** Somebody of an account, of whom nothing else is known. */
export function anybodyOf(account: AccountId): Pick<Simulated, 'caller' | 'known'> {
  return { caller: userOf(account, `arn:aws:iam::${account}:user/*`, ''), known: {} }
}

function userOf(account: AccountId, arn: string, principalId: string): Caller {
  return { type: 'user', account, arn, principalId, accessKeyId: '' }
}

function principalConditions(caller: Caller): ConditionValues {
  const conditions: Record<string, string> = {
    'aws:PrincipalAccount': caller.account,
    'aws:PrincipalArn': caller.roleArn ?? caller.arn,
    'aws:PrincipalType': caller.type === 'user' ? 'User' : 'AssumedRole',
  }
  if (caller.userName !== undefined) conditions['aws:username'] = caller.userName
  for (const [key, value] of Object.entries(caller.tags ?? {})) {
    conditions[`aws:PrincipalTag/${key}`] = value
  }
  return conditions
}
