import { type RoleRecord, roleArn } from '../../identities/records.ts'
import type { Value } from '../../wire/schema.ts'
import { boundaryOutput } from './boundaries.ts'
import type { IamDeps } from './deps.ts'
import type * as shapes from './shapes.ts'
import { trustInAnswer } from './trust-policy.ts'

type RoleOutput = Value<typeof shapes.role>

/** A role as GetRole shows it. */
export function roleOutput(role: RoleRecord, deps: Pick<IamDeps, 'principals'>): RoleOutput {
  return {
    ...roleInList(role, deps),
    PermissionsBoundary: boundaryOutput(role.boundary),
    Tags: role.tags.length === 0 ? undefined : role.tags,
  }
}

/** Lists leave out tags and permissions boundaries, as AWS does. */
export function roleInList(role: RoleRecord, deps: Pick<IamDeps, 'principals'>): RoleOutput {
  return {
    Path: role.path,
    RoleName: role.roleName,
    RoleId: role.roleId,
    Arn: roleArn(role),
    CreateDate: role.createdAt,
    AssumeRolePolicyDocument: trustInAnswer(role, deps),
    Description: role.description,
    MaxSessionDuration: role.maxSessionSeconds,
  }
}
