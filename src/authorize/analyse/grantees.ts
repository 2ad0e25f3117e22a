import { rootArn } from '../../base/ids.ts'
import { anySessionOf } from './grant-term.ts'
import type { Principal } from './principals.ts'

/** How a new grant can name somebody: in its request, by an ARN or a pattern of ARNs, and as it is kept. */
export type Grantee = { readonly arn: string; readonly party: string }

/** A user whose name is not known, and a session that may be called anything, are patterns. */
export function granteesOf(principal: Principal): readonly Grantee[] {
  const { account, uniqueId, kind, fixed } = principal
  const root = { arn: rootArn(account), party: rootArn(account) }
  const name = fixed['aws:PrincipalArn']
  const isRole = fixed['aws:PrincipalType'] === 'AssumedRole'
  if (kind === 'root') return [root]
  if (!isRole) {
    const arn = typeof name === 'string' ? name : `arn:aws:iam::${account}:user/*`
    return [{ arn, party: uniqueId }, root]
  }
  const sessions = `arn:aws:sts::${account}:assumed-role`
  if (typeof name !== 'string') {
    const arns = [`arn:aws:iam::${account}:role/*`, `${sessions}/*`]
    return [...arns.map((arn) => ({ arn, party: uniqueId })), root]
  }
  const [roleId = uniqueId, session] = uniqueId.split(':')
  const roleName = name.slice(name.lastIndexOf('/') + 1)
  const role = { arn: name, party: roleId }
  return session === undefined
    ? [role, { arn: `${sessions}/${roleName}/*`, party: anySessionOf(roleId) }, root]
    : [role, { arn: `${sessions}/${roleName}/${session}`, party: uniqueId }, root]
}
