import {
  type Attachments,
  type GroupRecord,
  groupArn,
  type InlinePolicies,
  type ManagedPolicyRecord,
  policyArn,
  type RoleRecord,
  roleArn,
  type Tag,
  type UserRecord,
  userArn,
} from '../identities/records.ts'
import { isoTime, type Relationship, type ResourceView } from './view.ts'

/** How names stand behind the ids that records hold. */
export type IdentityNames = {
  groupName(groupId: string): string | undefined
  policyId(arn: string): string | undefined
  /** A trust policy as its readers are shown it. */
  shownTrust(text: string): string
}

/**
 * Users, groups, roles and customer managed policies as AWS Config shows them: documents are URL-encoded, as in IAM's
 * answers.
 */
export function userView(user: UserRecord, names: IdentityNames): ResourceView {
  const arn = userArn(user)
  return {
    ...ofIdentity('AWS::IAM::User', user, user.userId, user.userName, arn, user.tags),
    relationships: [
      ...user.groups.map((id) => attachedTo('AWS::IAM::Group', id, names.groupName(id), 'Group')),
      ...attachedPolicies(user, names),
    ],
    configuration: {
      ...{ path: user.path, userName: user.userName, userId: user.userId, arn },
      createDate: isoTime(user.createdAt),
      userPolicyList: inlineList(user.inline),
      groupList: user.groups.map((id) => names.groupName(id) ?? id),
      ...attachments(user),
      permissionsBoundary: boundaryOf(user.boundary),
      tags: tagList(user.tags),
    },
  }
}

export function groupView(group: GroupRecord, names: IdentityNames): ResourceView {
  const arn = groupArn(group)
  return {
    ...ofIdentity('AWS::IAM::Group', group, group.groupId, group.groupName, arn, []),
    relationships: attachedPolicies(group, names),
    configuration: {
      ...{ path: group.path, groupName: group.groupName, groupId: group.groupId, arn },
      createDate: isoTime(group.createdAt),
      groupPolicyList: inlineList(group.inline),
      ...attachments(group),
    },
  }
}

export function roleView(role: RoleRecord, names: IdentityNames): ResourceView {
  const arn = roleArn(role)
  return {
    ...ofIdentity('AWS::IAM::Role', role, role.roleId, role.roleName, arn, role.tags),
    relationships: attachedPolicies(role, names),
    configuration: {
      ...{ path: role.path, roleName: role.roleName, roleId: role.roleId, arn },
      createDate: isoTime(role.createdAt),
      assumeRolePolicyDocument: encodeURIComponent(names.shownTrust(role.trustPolicy)),
      description: role.description,
      maxSessionDuration: role.maxSessionSeconds,
      instanceProfileList: [],
      rolePolicyList: inlineList(role.inline),
      ...attachments(role),
      permissionsBoundary: boundaryOf(role.boundary),
      tags: tagList(role.tags),
    },
  }
}

export function managedPolicyView(policy: ManagedPolicyRecord): ResourceView {
  const arn = policyArn(policy)
  const { policyId, policyName, defaultVersionId } = policy
  return {
    ...ofIdentity('AWS::IAM::Policy', policy, policyId, policyName, arn, policy.tags),
    relationships: [],
    configuration: {
      ...{ policyName, policyId, arn, path: policy.path, defaultVersionId },
      ...{ isAttachable: true, description: policy.description },
      createDate: isoTime(policy.createdAt),
      updateDate: isoTime(policy.updatedAt),
      policyVersionList: policy.versions.map(({ versionId, text, createdAt }) => ({
        document: encodeURIComponent(text),
        versionId,
        isDefaultVersion: versionId === defaultVersionId,
        createDate: isoTime(createdAt),
      })),
      tags: tagList(policy.tags),
    },
  }
}

function ofIdentity(
  type: ResourceView['type'],
  { account, createdAt }: Pick<UserRecord, 'account' | 'createdAt'>,
  id: string,
  name: string,
  arn: string,
  tags: readonly Tag[],
) {
  const byKey = Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]))
  const region = 'global' as const
  return { type, account, region, id, name, arn, createdAt, tags: byKey, supplementary: {} }
}

function inlineList(inline: InlinePolicies) {
  return Object.entries(inline).map(([policyName, text]) => ({
    policyName,
    policyDocument: encodeURIComponent(text),
  }))
}

function attachments({ attached }: Attachments) {
  return {
    attachedManagedPolicies: attached.map((policyArn) => ({
      policyName: policyArn.slice(policyArn.lastIndexOf('/') + 1),
      policyArn,
    })),
  }
}

function attachedPolicies({ attached }: Attachments, names: IdentityNames): Relationship[] {
  return attached.flatMap((arn) => {
    const id = names.policyId(arn)
    if (id === undefined) return []
    const name = arn.slice(arn.lastIndexOf('/') + 1)
    return [attachedTo('AWS::IAM::Policy', id, name, 'CustomerManagedPolicy')]
  })
}

function attachedTo(
  resourceType: ResourceView['type'],
  resourceId: string,
  name: string | undefined,
  what: string,
): Relationship {
  const relationshipName = `Is attached to ${what}`
  return { resourceType, resourceId, resourceName: name ?? '', relationshipName }
}

function boundaryOf(arn: string | undefined) {
  return arn === undefined
    ? undefined
    : { permissionsBoundaryType: 'Policy', permissionsBoundaryArn: arn }
}

function tagList(tags: readonly Tag[]) {
  return tags.map(({ Key, Value }) => ({ key: Key, value: Value }))
}
