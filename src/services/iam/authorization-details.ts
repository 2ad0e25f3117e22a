import type { AccountId } from '../../base/ids.ts'
import { awsManagedPolicies } from '../../identities/aws-managed-policies.ts'
import {
  type Attachments,
  type GroupRecord,
  groupArn,
  type ManagedPolicyRecord,
  type RoleRecord,
  roleArn,
  type UserRecord,
  userArn,
} from '../../identities/records.ts'
import { boundaryOutput } from './boundaries.ts'
import type { IamDeps } from './deps.ts'
import { documentInAnswer } from './documents.ts'
import { policyPosition, shownPolicy, shownVersion } from './managed-policy.ts'
import { namePosition } from './outputs.ts'
import type { Usage } from './policy-usage.ts'
import { trustInAnswer } from './trust-policy.ts'

/** Everything of an account that has or is a policy, in one list that is read in pages. */
export type Detail =
  | { readonly kind: 'Group'; readonly record: GroupRecord }
  | { readonly kind: 'Role'; readonly record: RoleRecord }
  | { readonly kind: 'User'; readonly record: UserRecord }
  | { readonly kind: 'LocalManagedPolicy'; readonly record: ManagedPolicyRecord }
  | { readonly kind: 'AWSManagedPolicy'; readonly record: ManagedPolicyRecord }

/** In the order of their positions. */
export function detailsOf(
  { groups, policies, roles, users }: IamDeps['identities'],
  account: AccountId,
): readonly Detail[] {
  return [
    ...awsManagedPolicies().map((record) => ({ kind: 'AWSManagedPolicy', record }) as const),
    ...groups.of(account).map((record) => ({ kind: 'Group', record }) as const),
    ...policies.of(account).map((record) => ({ kind: 'LocalManagedPolicy', record }) as const),
    ...roles.of(account).map((record) => ({ kind: 'Role', record }) as const),
    ...users.of(account).map((record) => ({ kind: 'User', record }) as const),
  ]
}

export function positionOf(detail: Detail): string {
  switch (detail.kind) {
    case 'Group':
      return `Group/${namePosition(detail.record.groupName)}`
    case 'Role':
      return `Role/${namePosition(detail.record.roleName)}`
    case 'User':
      return `User/${namePosition(detail.record.userName)}`
    default:
      return `${detail.kind}/${policyPosition(detail.record)}`
  }
}

export function userDetail(user: UserRecord, { identities }: Pick<IamDeps, 'identities'>) {
  const groups = user.groups.map((id) => identities.groups.byId(id)?.groupName)
  return {
    Path: user.path,
    UserName: user.userName,
    UserId: user.userId,
    Arn: userArn(user),
    CreateDate: user.createdAt,
    UserPolicyList: inlineDetails(user),
    GroupList: groups.filter((name) => name !== undefined),
    AttachedManagedPolicies: attachedDetails(user, identities),
    PermissionsBoundary: boundaryOutput(user.boundary),
    Tags: user.tags,
  }
}

export function groupDetail(group: GroupRecord, { identities }: Pick<IamDeps, 'identities'>) {
  return {
    Path: group.path,
    GroupName: group.groupName,
    GroupId: group.groupId,
    Arn: groupArn(group),
    CreateDate: group.createdAt,
    GroupPolicyList: inlineDetails(group),
    AttachedManagedPolicies: attachedDetails(group, identities),
  }
}

export function roleDetail(
  role: RoleRecord,
  { identities, principals }: Pick<IamDeps, 'identities' | 'principals'>,
) {
  return {
    Path: role.path,
    RoleName: role.roleName,
    RoleId: role.roleId,
    Arn: roleArn(role),
    CreateDate: role.createdAt,
    AssumeRolePolicyDocument: trustInAnswer(role, { principals }),
    InstanceProfileList: [],
    RolePolicyList: inlineDetails(role),
    AttachedManagedPolicies: attachedDetails(role, identities),
    PermissionsBoundary: boundaryOutput(role.boundary),
    Tags: role.tags,
  }
}

/** The newest version first. */
export function policyDetail(policy: ManagedPolicyRecord, usage: ReadonlyMap<string, Usage>) {
  const { versions, description } = policy
  return {
    ...shownPolicy(policy, usage),
    Description: description,
    PolicyVersionList: versions.toReversed().map((version) => shownVersion(policy, version, true)),
  }
}

function inlineDetails({ inline }: Attachments) {
  return Object.entries(inline)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([PolicyName, text]) => ({ PolicyName, PolicyDocument: documentInAnswer(text) }))
}

function attachedDetails({ attached }: Attachments, identities: IamDeps['identities']) {
  return attached.map((arn) => ({
    PolicyName: identities.managedPolicy(arn)?.policyName,
    PolicyArn: arn,
  }))
}
