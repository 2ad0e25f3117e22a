import type { AccountId } from '../../base/ids.ts'
import type { Identities } from '../../identities/identities.ts'
import {
  type Attachments,
  type GroupRecord,
  groupArn,
  type RoleRecord,
  roleArn,
  type Tag,
  type UserRecord,
  userArn,
} from '../../identities/records.ts'
import type { ByAccount } from '../../identities/row-index.ts'
import type { Members, StringSchema } from '../../wire/schema.ts'
import { required, structure } from '../../wire/schema.ts'
import type { AuditResource, CallContext, Check, ConditionValues } from '../operation.ts'
import { entityTagConditions } from '../tag-conditions.ts'
import { iamCheck } from './checks.ts'
import type { IamDeps, IamLimits } from './deps.ts'
import { noSuchGroup, noSuchRole, noSuchUser } from './errors.ts'
import * as shapes from './shapes.ts'

export type Entity = Attachments & { readonly account: AccountId }

/**
 * What operations that users, groups and roles have alike need to know of one of them. The families of operations are
 * made from it: `inlinePolicyOperations`, `attachedPolicyOperations`, `boundaryOperations`, `tagOperations`.
 */
export type EntityKind<T extends Entity> = {
  /** As in the names of operations. */
  readonly what: 'User' | 'Group' | 'Role'
  /** The member of a request that names one. */
  readonly nameMember: 'UserName' | 'GroupName' | 'RoleName'
  /** Its bounds in most operations, and in those on managed policies and boundaries. */
  readonly existingName: StringSchema
  readonly shortName: StringSchema
  readonly records: (identities: Identities) => ByAccount<T>
  readonly nameOf: (record: T) => string
  readonly arnOf: (record: T) => string
  readonly tagsOf: (record: T) => readonly Tag[]
  /** ARN of its permissions boundary. */
  readonly boundaryOf: (record: T) => string | undefined
  /** What all inline policies of one may have of characters other than white space. */
  readonly inlineSizeMax: (limits: IamLimits) => number
  readonly missing: (name: string) => Error
}

export const userKind: EntityKind<UserRecord> = {
  what: 'User',
  nameMember: 'UserName',
  existingName: shapes.existingUserName,
  shortName: shapes.entityName,
  records: ({ users }) => users,
  nameOf: ({ userName }) => userName,
  arnOf: userArn,
  tagsOf: ({ tags }) => tags,
  boundaryOf: ({ boundary }) => boundary,
  inlineSizeMax: ({ userPolicySize }) => userPolicySize,
  missing: noSuchUser,
}

export const groupKind: EntityKind<GroupRecord> = {
  what: 'Group',
  nameMember: 'GroupName',
  existingName: shapes.groupName,
  shortName: shapes.groupName,
  records: ({ groups }) => groups,
  nameOf: ({ groupName }) => groupName,
  arnOf: groupArn,
  tagsOf: () => [],
  boundaryOf: () => undefined,
  inlineSizeMax: ({ groupPolicySize }) => groupPolicySize,
  missing: noSuchGroup,
}

export const roleKind: EntityKind<RoleRecord> = {
  what: 'Role',
  nameMember: 'RoleName',
  existingName: shapes.entityName,
  shortName: shapes.entityName,
  records: ({ roles }) => roles,
  nameOf: ({ roleName }) => roleName,
  arnOf: roleArn,
  tagsOf: ({ tags }) => tags,
  boundaryOf: ({ boundary }) => boundary,
  inlineSizeMax: ({ rolePolicySize }) => rolePolicySize,
  missing: noSuchRole,
}

/**
 * What a call names. Whether it is there is told behind authorization alone: until then one that is not has the ARN
 * that it would have without a path.
 */
export type Named<T> = {
  readonly name: string
  readonly arn: string
  readonly record: T | undefined
}

export function findEntity<T extends Entity>(
  kind: EntityKind<T>,
  { caller: { account } }: CallContext,
  name: string,
  { identities }: Pick<IamDeps, 'identities'>,
): Named<T> {
  const record = kind.records(identities).get(account, name)
  const arn = record === undefined ? arnWithoutPath(kind, account, name) : kind.arnOf(record)
  return { name, arn, record }
}

function arnWithoutPath<T extends Entity>(
  kind: EntityKind<T>,
  account: AccountId,
  name: string,
): string {
  return `arn:aws:iam::${account}:${kind.what.toLowerCase()}/${name}`
}

/** Throws 'no-such-entity'. */
export function presentEntity<T extends Entity>(kind: EntityKind<T>, named: Named<T>): T {
  if (named.record === undefined) throw kind.missing(named.name)
  return named.record
}

/** A permission on an entity, with the condition keys of its tags. */
export function entityCheck<T extends Entity>(
  kind: EntityKind<T>,
  call: CallContext,
  permission: string,
  { arn, record }: Named<T>,
  conditions: ConditionValues = {},
): Check {
  const tags = record === undefined ? {} : entityTagConditions(kind.tagsOf(record))
  return iamCheck(call, permission, arn, { ...tags, ...conditions })
}

/** `iam:PermissionsBoundary` where AWS takes it from the entity as it is. */
export function boundaryCondition<T extends Entity>(
  kind: EntityKind<T>,
  { record }: Named<T>,
): ConditionValues {
  const boundary = record === undefined ? undefined : kind.boundaryOf(record)
  return boundary === undefined ? {} : { 'iam:PermissionsBoundary': boundary }
}

/** The members of a request or an answer, after the one that names the entity. */
export function namedStructure<M extends Members, T extends Entity>(
  { nameMember, existingName }: EntityKind<T>,
  members: M,
  name: StringSchema = existingName,
) {
  return structure<M>({ [nameMember]: required(name), ...members })
}

/** The name that a request made of `namedStructure` says. */
export function nameIn<T extends Entity>(kind: EntityKind<T>, request: object): string {
  return (request as Readonly<Record<string, string>>)[kind.nameMember] ?? ''
}

/** As a record shows the name: `userName`. */
export function nameView<T extends Entity>(kind: EntityKind<T>, request: object) {
  return { [`${kind.what.toLowerCase()}Name`]: nameIn(kind, request) }
}

export function entityResource<T extends Entity>(
  kind: EntityKind<T>,
  { record }: Named<T>,
): readonly AuditResource[] {
  if (record === undefined) return []
  return [auditResource(kind, record)]
}

export function auditResource<T extends Entity>(kind: EntityKind<T>, record: T): AuditResource {
  return {
    accountId: record.account,
    type: `AWS::IAM::${kind.what}`,
    ARN: kind.arnOf(record),
  }
}
