import type { Caller } from '../../base/caller.ts'
import { type AccountId, rootArn } from '../../base/ids.ts'
import type { ConditionValues } from '../conditions/context.ts'
import { anyOne, anyRun } from '../glob.ts'
import type { CallerLayers, SourcedPolicy } from '../layers.ts'
import { compilePolicy } from '../policy/compile.ts'
import { parsePolicy } from '../policy/parse.ts'
import { parsePrincipal } from '../policy/principal.ts'
import { textPattern } from './automaton.ts'
import type { KeyDomain } from './key-solver.ts'
import type { AnalysedAccount, AnalysedRole, AnalysedUser, AnalysisWorld } from './world.ts'

/** Somebody, or anybody of a kind, of whom every one is permitted the same by the same conditions. */
export type Principal = {
  /** Unique in an analysis, where somebody may stand more than once with different policies. */
  readonly id: string
  /** As grants name it: the id of a user, a role or a session, or of the account. */
  readonly uniqueId: string
  readonly kind: 'root' | 'user' | 'session' | 'named-session' | 'other' | 'appointed'
  /** An ARN, or who is meant. */
  readonly name: string
  readonly account: AccountId
  readonly layers: CallerLayers
  /** What each of its requests says of the caller. */
  readonly fixed: ConditionValues
  /** What its requests say of the caller that is not known; undefined: it is no such key. */
  open(folded: string): KeyDomain | 'absent' | undefined
  /** Who calls when the open keys are so; undefined: nobody can be called so. */
  caller(value: (folded: string) => string | undefined): Caller | undefined
}

const accessKeyId = 'AKIAANALYSEDANALYSED'
const anyName = 'any-session'
const anyUserId = 'AIDAANYOTHERUSER00000'
const nameForm = /^[\w+=,.@-]{2,64}$/
const text: KeyDomain['values'] = { is: 'text' }

/** Of the root user: it has no identity policies, and needs none where the account decides. */
function rootPrincipal({ account, layers }: AnalysedAccount): Principal {
  const arn = rootArn(account)
  return {
    id: account,
    uniqueId: account,
    kind: 'root',
    name: arn,
    account,
    layers,
    fixed: { ...whoIs(account, arn, 'Account'), 'aws:userid': account },
    open: (folded) => ofCaller(folded),
    caller: () => ({ type: 'root', account, arn, principalId: account, accessKeyId }),
  }
}

export function userPrincipal(user: AnalysedUser): Principal {
  const { account, arn, userId, userName, tags, layers } = user
  return {
    id: userId,
    uniqueId: userId,
    kind: 'user',
    name: arn,
    account,
    layers,
    fixed: {
      ...whoIs(account, arn, 'User'),
      ...{ 'aws:userid': userId, 'aws:username': userName },
      ...tagConditions(tags),
    },
    open: (folded) => ofCaller(folded),
    caller: () => ({
      type: 'user',
      account,
      arn,
      principalId: userId,
      accessKeyId,
      userName,
      tags,
    }),
  }
}

/** Every session of a role but those that policies name, which are principals of their own. */
export function sessionPrincipal(role: AnalysedRole, named: readonly string[]): Principal {
  const ids = named.filter((id) => id.startsWith(`${role.roleId}:`))
  const userid: KeyDomain = {
    presence: 'always',
    shape: 'single',
    values: {
      is: 'text',
      within: {
        patterns: [textPattern([`${role.roleId}:`, anyOne, anyOne, anyRun])],
        folded: false,
      },
      except: ids,
    },
  }
  return {
    ...roleSession(role),
    id: role.roleId,
    uniqueId: role.roleId,
    kind: 'session',
    name: role.arn,
    open: (folded) => (folded === 'aws:userid' ? userid : ofSession(role, folded)),
    caller(value) {
      const id = value('aws:userid') ?? `${role.roleId}:${anyName}`
      const name = id.slice(role.roleId.length + 1)
      return nameForm.test(name) ? sessionCaller(role, name) : undefined
    },
  }
}

export function namedSessionPrincipal(role: AnalysedRole, name: string): Principal {
  const id = `${role.roleId}:${name}`
  const session = roleSession(role)
  return {
    ...session,
    id,
    uniqueId: id,
    kind: 'named-session',
    name: sessionCaller(role, name).arn,
    fixed: { ...session.fixed, 'aws:userid': id },
    open: (folded) => ofSession(role, folded),
    caller: () => sessionCaller(role, name),
  }
}

function roleSession(role: AnalysedRole) {
  const { account, arn, tags, layers } = role
  const own = tagsAreOpen(role) ? {} : tagConditions(tags)
  return { account, layers, fixed: { ...whoIs(account, arn, 'AssumedRole'), ...own } }
}

function sessionCaller({ account, arn, roleId, roleName }: AnalysedRole, name: string): Caller {
  return {
    type: 'role-session',
    account,
    arn: `arn:aws:sts::${account}:assumed-role/${roleName}/${name}`,
    principalId: `${roleId}:${name}`,
    accessKeyId,
    roleArn: arn,
    roleId,
  }
}

/**
 * A user whom the account does not have yet, and whom no policy names. `appointed`: with an identity policy that allows
 * everything, as whoever manages the account's identities can give one.
 */
export function otherPrincipal(
  { account, layers }: AnalysedAccount,
  users: readonly AnalysedUser[],
  kind: 'other' | 'appointed',
): Principal {
  const known = new Set(users.map(({ userId }) => userId))
  const within = (prefix: string): KeyDomain => ({
    presence: 'always',
    shape: 'single',
    values: {
      is: 'text',
      within: { patterns: [textPattern([prefix, anyOne, anyRun])], folded: false },
    },
  })
  const keys: Readonly<Record<string, KeyDomain>> = {
    'aws:principalarn': within(`arn:aws:iam::${account}:user/`),
    'aws:userid': within('AIDA'),
    'aws:username': within(''),
  }
  return {
    id: `${kind} ${account}`,
    uniqueId: anyUserId,
    kind,
    name: kind === 'other' ? `any other user of ${account}` : `whoever IAM of ${account} appoints`,
    account,
    layers: kind === 'other' ? layers : { ...layers, identity: [allowEverything] },
    fixed: { 'aws:PrincipalAccount': account, 'aws:PrincipalType': 'User', ...common },
    open: (folded) =>
      keys[folded] ??
      (folded.startsWith('aws:principaltag/')
        ? { presence: 'sometimes', shape: 'single', values: text }
        : ofCaller(folded)),
    caller(value) {
      const principalId = value('aws:userid') ?? anyUserId
      const name = value('aws:username')
      const arn = value('aws:principalarn') ?? `arn:aws:iam::${account}:user/${name ?? 'any'}`
      const userName = arn.slice(arn.lastIndexOf('/') + 1)
      if (known.has(principalId) || !nameForm.test(`x${userName}`)) return undefined
      if (name !== undefined && name !== userName) return undefined
      return { type: 'user', account, arn, principalId, accessKeyId, userName }
    },
  }
}

/** What whoever writes identity policies can give, or take. */
export const allowEverything: SourcedPolicy = {
  name: 'any identity policy',
  version: undefined,
  policy: compilePolicy(
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
    'identity',
  ),
}

/** The same principal, when somebody may put any tags on it, or on its session. */
export function withOpenTags(principal: Principal): Principal {
  const isTag = (name: string) => name.toLowerCase().startsWith('aws:principaltag/')
  const fixed = Object.entries(principal.fixed).filter(([name]) => !isTag(name))
  return {
    ...principal,
    id: `${principal.id} tagged`,
    fixed: Object.fromEntries(fixed),
    open: (folded) =>
      isTag(folded)
        ? { presence: 'sometimes', shape: 'single', values: text }
        : principal.open(folded),
  }
}

/** The same user, when somebody may give it another name or another path. */
export function withOpenName(principal: Principal): Principal {
  if (principal.kind !== 'user') return principal
  const names = ['aws:principalarn', 'aws:username']
  const isName = (key: string) => names.includes(key.toLowerCase())
  const { account, layers, fixed } = principal
  const any = otherPrincipal({ account, layers, resourceControl: [] }, [], 'other')
  return {
    ...principal,
    id: `${principal.id} renamed`,
    fixed: Object.fromEntries(Object.entries(fixed).filter(([key]) => !isName(key))),
    open: (folded) => (isName(folded) ? any : principal).open(folded),
  }
}

const common = { 'aws:PrincipalIsAWSService': 'false' }

function whoIs(account: string, arn: string, type: string): ConditionValues {
  const who = {
    'aws:PrincipalAccount': account,
    'aws:PrincipalArn': arn,
    'aws:PrincipalType': type,
  }
  return { ...who, ...common }
}

function tagConditions(tags: Readonly<Record<string, string>>): ConditionValues {
  return Object.fromEntries(
    Object.entries(tags).map(([k, value]) => [`aws:PrincipalTag/${k}`, value]),
  )
}

/** What nobody's requests say of the caller, but for those of whom it is known. */
function ofCaller(folded: string): 'absent' | undefined {
  return folded.startsWith('aws:principaltag/') || ofSessionsAlone.includes(folded)
    ? 'absent'
    : undefined
}

const ofSessionsAlone = ['aws:federatedprovider', 'aws:sourceidentity', 'aws:username']

function ofSession(role: AnalysedRole, folded: string): KeyDomain | 'absent' | undefined {
  const [presence, shape] = ['always', 'single'] as const
  if (folded === 'aws:tokenissuetime') return { presence, shape, values: { is: 'date' } }
  if (folded === 'aws:multifactorauthpresent') {
    return { presence, shape, values: { is: 'one-of', values: ['false'] } }
  }
  if (folded === 'aws:sourceidentity' || folded === 'aws:federatedprovider') {
    return { presence: 'sometimes', shape, values: text }
  }
  if (!folded.startsWith('aws:principaltag/') || !tagsAreOpen(role)) return ofCaller(folded)
  const isOwn = (tag: string) => `aws:principaltag/${tag.toLowerCase()}` === folded
  const own = Object.keys(role.tags).some(isOwn)
  return { presence: own ? presence : 'sometimes', shape, values: text }
}

/** Whether anybody may be let to tag sessions of the role: its own tags then say little of theirs. */
function tagsAreOpen({ trustPolicy }: AnalysedRole): boolean {
  const { allows } = compilePolicy(trustPolicy, 'trust')
  return allows.some(({ action }) => action?.('sts:tagsession') === true)
}

/** Everybody whom an analysis of the key looks at; `policies`: those that the key has, had, or may come to have. */
export function principalsOf(
  world: AnalysisWorld,
  policies: readonly string[] = [world.key.policy],
): readonly Principal[] {
  const named = namedSessions(world, policies)
  const principals = [...world.accounts.map(rootPrincipal), ...world.users.map(userPrincipal)]
  for (const role of world.roles) {
    principals.push(sessionPrincipal(role, named))
    for (const id of named) {
      const prefix = `${role.roleId}:`
      if (id.startsWith(prefix))
        principals.push(namedSessionPrincipal(role, id.slice(prefix.length)))
    }
  }
  return principals
}

/** Ids of sessions that the key policy or a grant names, as in `AROA…:name`. */
export function namedSessions(
  { grants, roles }: AnalysisWorld,
  policies: readonly string[],
): readonly string[] {
  const ids = new Set(grants.map(({ grantee }) => grantee).filter(isSessionId))
  for (const policy of policies) addNamed(ids, policy, 'key')
  for (const { trustPolicy } of roles) addNamed(ids, trustPolicy, 'trust')
  return [...ids]
}

function addNamed(ids: Set<string>, policy: string, kind: 'key' | 'trust'): void {
  for (const { principal } of parsePolicy(policy, kind).statements) {
    for (const entry of principal?.entries ?? []) {
      const named = parsePrincipal(entry, kind)
      if (named?.type === 'id' && isSessionId(named.id)) ids.add(named.id)
    }
  }
}

function isSessionId(text: string): boolean {
  return /^AROA\w+:/.test(text)
}
