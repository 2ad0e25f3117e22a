import { type GroupRecord, groupArn, type UserRecord, userArn } from '../../identities/records.ts'
import { boundaryOutput } from './boundaries.ts'

/** A user as GetUser shows it. */
export function userOutput(user: UserRecord) {
  return {
    ...userInList(user),
    PermissionsBoundary: boundaryOutput(user.boundary),
    Tags: user.tags.length === 0 ? undefined : user.tags,
  }
}

/** Lists leave out tags and permissions boundaries, as AWS does. */
export function userInList(user: UserRecord) {
  return {
    Path: user.path,
    UserName: user.userName,
    UserId: user.userId,
    Arn: userArn(user),
    CreateDate: user.createdAt,
  }
}

export function groupOutput(group: GroupRecord) {
  return {
    Path: group.path,
    GroupName: group.groupName,
    GroupId: group.groupId,
    Arn: groupArn(group),
    CreateDate: group.createdAt,
  }
}

/** Where a name stands in a list: names that differ by case alone are one. */
export function namePosition(name: string): string {
  return name.toLowerCase()
}
