import type { Caller, CallerSession } from '../base/caller.ts'
import { tagsOf } from './callers.ts'
import { sessionArn } from './principals.ts'
import { type RoleRecord, roleArn } from './records.ts'
import type { SessionSays } from './session-token.ts'

/** The caller of a role session, by the role as it is now. */
export function sessionCaller(
  role: RoleRecord,
  accessKeyId: string,
  says: Pick<SessionSays, 'holder' | 'tags' | 'providerConditions'> & SessionTimes,
): Caller {
  const { holder, tags, providerConditions } = says
  const name = holder.type === 'role' ? holder.sessionName : ''
  return {
    type: 'role-session',
    account: role.account,
    arn: sessionArn(role, name),
    principalId: `${role.roleId}:${name}`,
    accessKeyId,
    roleArn: roleArn(role),
    roleId: role.roleId,
    tags: overridden(tagsOf(role.tags), tags),
    session: sessionOf(says),
    ...(providerConditions === undefined ? {} : { providerConditions }),
  }
}

type SessionTimes = Omit<SessionSays, 'sealedSecret' | 'holder'>

export function sessionOf(says: SessionTimes): CallerSession {
  const { issuedAt, expiresAt, sourceIdentity, policies, policyArns, webIdentity } = says
  const transitiveTags = transitiveOf(says)
  return {
    issuedAt,
    expiresAt,
    ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
    ...(policies === undefined ? {} : { policies }),
    ...(policyArns === undefined ? {} : { policyArns }),
    ...(transitiveTags === undefined ? {} : { transitiveTags }),
    ...(webIdentity === undefined ? {} : { webIdentity }),
  }
}

function transitiveOf({ tags = {}, transitive = [] }: Pick<SessionSays, 'tags' | 'transitive'>) {
  if (transitive.length === 0) return undefined
  const names = new Set(transitive.map((name) => name.toLowerCase()))
  return Object.fromEntries(Object.entries(tags).filter(([name]) => names.has(name.toLowerCase())))
}

/** A session tag takes the place of a tag of the role with the same name, whatever its case. */
function overridden(
  tags: Readonly<Record<string, string>>,
  sessionTags: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const names = new Set(Object.keys(sessionTags).map((name) => name.toLowerCase()))
  const kept = Object.entries(tags).filter(([name]) => !names.has(name.toLowerCase()))
  return { ...Object.fromEntries(kept), ...sessionTags }
}
