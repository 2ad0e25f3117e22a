import type { ConditionValues } from '../conditions/context.ts'
import { otherSession } from './others.ts'
import { type Can, identityWrites, type Powers } from './powers.ts'
import {
  allowEverything,
  namedSessionPrincipal,
  otherPrincipal,
  type Principal,
  sessionPrincipal,
  userPrincipal,
  withOpenName,
  withOpenTags,
} from './principals.ts'
import type { AnalysedGroup, AnalysedRole, AnalysedUser } from './world.ts'

/** Where somebody has come to: whom they act as. */
export type Place = {
  readonly principal: Principal
  readonly steps: readonly Step[]
  /** Whether every step was replayed. */
  readonly certain: boolean
}

/** One thing that somebody does, on the way to a permission that they did not have. */
export type Step = {
  readonly principal: string
  /** As in `iam:CreateAccessKey`. */
  readonly action: string
  readonly resource: string
  /** Condition values that the call needs; absent: it is not sure that it can be made. */
  readonly witness?: ConditionValues
  /** What it is good for. */
  readonly gives: string
}

export function stepTo(
  from: Place,
  can: Exclude<Can, undefined>,
  step: Omit<Step, 'principal' | 'witness'>,
  principal: Principal,
): Place {
  const { name } = from.principal
  const done = can.certain
    ? { principal: name, ...step, witness: can.witness }
    : { principal: name, ...step }
  return {
    principal,
    steps: [...from.steps, done],
    certain: from.certain && can.certain,
  }
}

/** Somebody else's credentials: a role's session, or an access key made for a user. */
export function* credentials(
  powers: Powers,
  from: Place,
  named: readonly string[],
): Iterable<Place> {
  const { principal } = from
  const { users, roles } = powers.world
  for (const role of roles) yield* sessionsOf(powers, from, role, named)
  if (!powers.managesIdentities(principal)) return
  for (const user of users) {
    if (user.userId === principal.id) continue
    const action = 'iam:CreateAccessKey'
    const can = powers.onIdentity(principal, action, user)
    if (can === undefined) continue
    const gives = `the credentials of ${user.userName}`
    yield stepTo(from, can, { action, resource: user.arn, gives }, userPrincipal(user))
  }
}

/**
 * Identities that somebody makes, with policies of their choice. That a user can be made so is asked of one name; all
 * other names, and roles, are perhaps.
 */
export function* newIdentities(powers: Powers, from: Place): Iterable<Place> {
  const { principal } = from
  const { account } = principal
  const makes = ['iam:CreateUser', 'iam:CreateRole'].filter((action) =>
    powers.mayAnywhere(principal, action),
  )
  const home = powers.world.accounts.find((each) => each.account === account)
  if (makes.length === 0 || home === undefined) return
  const { users, roles } = powers.world
  const to = otherPrincipal(home, users, 'appointed')
  const target = { arn: `arn:aws:iam::${account}:user/any`, account }
  const create = powers.onIdentity(principal, 'iam:CreateUser', target)
  const key = powers.onIdentity(principal, 'iam:CreateAccessKey', target)
  const put = powers.onIdentity(principal, 'iam:PutUserPolicy', target)
  const certain = create?.certain === true && key?.certain === true && put?.certain === true
  const action = makes[0] ?? 'iam:CreateUser'
  const step = { action, resource: target.arn, gives: 'a new identity with any identity policy' }
  yield stepTo(from, certain ? create : { certain: false }, step, to)
  if (!makes.includes('iam:CreateRole')) return
  const role = { action: 'iam:CreateRole', resource: `arn:aws:iam::${account}:role/any` }
  const given = { ...role, gives: 'a new role with any policies' }
  yield stepTo(from, { certain: false }, given, otherSession(home, roles, 'appointed'))
}

function* sessionsOf(
  powers: Powers,
  from: Place,
  role: AnalysedRole,
  named: readonly string[],
): Iterable<Place> {
  const { principal } = from
  const action = 'sts:AssumeRole'
  const own = named.filter((id) => id.startsWith(`${role.roleId}:`))
  const names = own.map((id) => id.slice(role.roleId.length + 1))
  const sessions = [
    { to: sessionPrincipal(role, own), also: undefined },
    ...names.map((name) => ({
      to: namedSessionPrincipal(role, name),
      also: { 'sts:RoleSessionName': name },
    })),
  ]
  const trust = powers.onIdentity(principal, 'iam:UpdateAssumeRolePolicy', role)
  for (const { to, also } of sessions) {
    const gives = `a session of ${to.name}`
    const can = powers.assume(principal, role, false, also)
    if (can !== undefined) yield stepTo(from, can, { action, resource: role.arn, gives }, to)
    const rewritten = trust && powers.assume(principal, role, true, also)
    if (trust === undefined || rewritten === undefined) continue
    const write = {
      action: 'iam:UpdateAssumeRolePolicy',
      resource: role.arn,
      gives: 'a trust policy of its own',
    }
    const between = stepTo(from, trust, write, principal)
    const taking = { action, resource: role.arn, gives }
    yield stepTo(between, rewritten, taking, to)
    yield stepTo(between, { certain: false }, taking, withOpenTags(to))
  }
}

/** Policies of `to`, written by `from`, or groups that it is put into: it is whoever it was, and may do more. */
export function* escalations(powers: Powers, from: Place, to: Principal): Iterable<Place> {
  if (to.kind === 'root' || to.kind === 'other' || to.kind === 'appointed') return
  if (to.id.endsWith(unboundedMark)) return
  const { users, roles, groups } = powers.world
  const user = users.find(({ userId }) => userId === to.uniqueId)
  const role = roles.find(({ roleId }) => roleId === to.uniqueId.split(':', 1)[0])
  yield* removals(powers, from, to, user, role)
  if (to.id.endsWith(appointedMark)) return
  const writes = [...(user ? userWrites(user, groups) : []), ...(role ? roleWrites(role) : [])]
  for (const arn of customerManaged(to)) {
    writes.push({ action: 'iam:CreatePolicyVersion', target: { arn, account: to.account } })
  }
  for (const { action, target, also } of writes) {
    const can = powers.onIdentity(from.principal, action, target, also)
    if (can === undefined) continue
    const step = { action, resource: target.arn, gives: `any identity policy for ${to.name}` }
    yield stepTo(from, can, step, withEverything(to, false))
  }
  if (user !== undefined && to.id === to.uniqueId) yield* groupsOf(powers, from, to, user)
}

type Write = {
  readonly action: string
  readonly target: Pick<AnalysedUser, 'arn' | 'account'>
  readonly also?: ConditionValues
}

const appointedMark = ' appointed'
const unboundedMark = ' unbounded'

const administrator = { 'iam:PolicyARN': 'arn:aws:iam::aws:policy/AdministratorAccess' }

function userWrites(user: AnalysedUser, groups: readonly AnalysedGroup[]): Write[] {
  const own = groups.filter(({ groupId }) => user.groupIds.includes(groupId))
  return [
    { action: 'iam:PutUserPolicy', target: user },
    { action: 'iam:AttachUserPolicy', target: user, also: administrator },
    ...own.flatMap((target) => [
      { action: 'iam:PutGroupPolicy', target },
      { action: 'iam:AttachGroupPolicy', target, also: administrator },
    ]),
  ]
}

function roleWrites(role: AnalysedRole): Write[] {
  return [
    { action: 'iam:PutRolePolicy', target: role },
    { action: 'iam:AttachRolePolicy', target: role, also: administrator },
  ]
}

/**
 * Whoever may write anything about an identity may perhaps take away what denies or bounds it, rename it, or give it
 * what is left: that is not followed in detail, and never a finding. It keeps a proof from being one.
 */
function* removals(
  powers: Powers,
  from: Place,
  to: Principal,
  user: AnalysedUser | undefined,
  role: AnalysedRole | undefined,
): Iterable<Place> {
  const { groups } = powers.world
  const { boundary } = to.layers
  const targets = [
    ...(user ? [{ names: identityWrites.user, target: user }] : []),
    ...(role ? [{ names: identityWrites.role, target: role }] : []),
    ...(user ? groups.filter((group) => group.account === user.account) : []).map((target) => ({
      names: identityWrites.group,
      target,
    })),
    ...[...customerManaged(to), ...(boundary === undefined ? [] : [boundary.name])].map((arn) => ({
      names: identityWrites.policy,
      target: { arn, account: to.account },
    })),
  ]
  for (const { names, target } of targets) {
    for (const action of names.map((name) => `iam:${name}`)) {
      if (powers.onIdentity(from.principal, action, target) === undefined) continue
      const step = {
        action,
        resource: target.arn,
        gives: `perhaps another reading of the policies of ${to.name}`,
      }
      yield stepTo(from, { certain: false }, step, withEverything(to, true))
      return
    }
  }
}

function* groupsOf(
  powers: Powers,
  from: Place,
  to: Principal,
  user: AnalysedUser,
): Iterable<Place> {
  const action = 'iam:AddUserToGroup'
  for (const group of powers.world.groups) {
    if (group.account !== user.account || user.groupIds.includes(group.groupId)) continue
    const can = powers.onIdentity(from.principal, action, group)
    if (can === undefined) continue
    const identity = [...to.layers.identity, ...group.policies]
    const id = `${to.id} in ${group.groupId}`
    const gives = `the policies of ${group.arn} for ${to.name}`
    const principal = { ...to, id, layers: { ...to.layers, identity } }
    yield stepTo(from, can, { action, resource: group.arn, gives }, principal)
  }
}

function withEverything(principal: Principal, unbounded: boolean): Principal {
  const { layers } = principal
  if (unbounded) {
    const changed = { ...layers, identity: [allowEverything], boundary: undefined }
    const id = `${principal.id}${unboundedMark}`
    return { ...withOpenTags(withOpenName(principal)), id, layers: changed }
  }
  const changed = { ...layers, identity: [...layers.identity, allowEverything] }
  return { ...principal, id: `${principal.id}${appointedMark}`, layers: changed }
}

function customerManaged({ layers }: Principal): string[] {
  return layers.identity
    .map(({ name }) => name)
    .filter((name) => /^arn:aws:iam::\d{12}:policy\//.test(name))
}
