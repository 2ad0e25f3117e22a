import { type RoleRecord, roleArn } from '../../../identities/records.ts'
import { newUniqueId } from '../../../identities/unique-id.ts'
import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { requestTagConditions } from '../../tag-conditions.ts'
import { touchPolicy } from '../attached-policies.ts'
import { recorded } from '../audit.ts'
import { boundaryPolicy } from '../boundaries.ts'
import { iamCheck } from '../checks.ts'
import type { IamDeps } from '../deps.ts'
import { alreadyExists, quotaExceeded } from '../errors.ts'
import { roleOutput } from '../role.ts'
import { maxSessionDuration, roleDescription } from '../role-shapes.ts'
import * as shapes from '../shapes.ts'
import { checkTags, sortedTags } from '../tags.ts'
import { admitTrustDocument } from '../trust-policy.ts'

const input = structure({
  Path: shapes.path,
  RoleName: required(shapes.entityName),
  AssumeRolePolicyDocument: required(shapes.policyDocument),
  Description: roleDescription,
  MaxSessionDuration: maxSessionDuration,
  PermissionsBoundary: shapes.arn,
  Tags: shapes.tags,
})
const output = structure({ Role: shapes.role })

export const createRole = operation({
  name: 'CreateRole',
  input,
  output,
  effects: 'write',
  errors: [
    'entity-exists',
    'invalid-input',
    'limit-exceeded',
    'malformed-policy',
    'no-such-entity',
  ],
  /** The role to be; its trust policy is looked at when it may be made. */
  resolve(call, request, { random }: IamDeps): RoleRecord {
    const tags = request.Tags ?? []
    checkTags(tags)
    return {
      account: call.caller.account,
      roleId: newUniqueId('AROA', random),
      roleName: request.RoleName,
      path: request.Path ?? '/',
      createdAt: call.now,
      ...(request.Description !== undefined && { description: request.Description }),
      trustPolicy: request.AssumeRolePolicyDocument,
      maxSessionSeconds: request.MaxSessionDuration ?? 3600,
      tags: sortedTags(tags),
      boundary: request.PermissionsBoundary,
      inline: {},
      attached: [],
    }
  },
  checks(call, request, role) {
    const arn = roleArn(role)
    const tagged = requestTagConditions(request.Tags)
    const boundary = request.PermissionsBoundary
    const bounded = boundary === undefined ? {} : { 'iam:PermissionsBoundary': boundary }
    const create = iamCheck(call, 'iam:CreateRole', arn, { ...tagged, ...bounded })
    return role.tags.length === 0 ? [create] : [create, iamCheck(call, 'iam:TagRole', arn, tagged)]
  },
  audit: {
    request: (request) =>
      recorded(
        input,
        request,
        ...(['Path', 'RoleName', 'AssumeRolePolicyDocument', 'Description'] as const),
        ...(['MaxSessionDuration', 'PermissionsBoundary', 'Tags'] as const),
      ),
    response: (answer) => recorded(output, answer, 'Role'),
    // A call that failed made no role.
    resources: (role, _request, answer) =>
      answer === undefined
        ? []
        : [{ accountId: role.account, type: 'AWS::IAM::Role', ARN: roleArn(role) }],
  },
  handle(call, request, target, deps) {
    const { identities, limits } = deps
    const { roles } = identities
    const role = { ...target, trustPolicy: admitTrustDocument(target.trustPolicy, deps) }
    if (roles.get(role.account, role.roleName) !== undefined) {
      throw alreadyExists('Role', role.roleName)
    }
    if (roles.count(role.account) >= limits.roles) {
      throw quotaExceeded('RolesPerAccount', limits.roles)
    }
    const boundary = request.PermissionsBoundary
    const policy = boundary === undefined ? undefined : boundaryPolicy(call, boundary, identities)
    const touched = policy === undefined ? [] : touchPolicy(policy, identities)
    return { output: { Role: roleOutput(role, deps) }, changes: [roles.add(role), ...touched] }
  },
})
