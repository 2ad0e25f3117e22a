import type { Allowed, Decision, Denied, Path } from './decision.ts'
import { accountWithholds, denied, limitsWithhold } from './guards.ts'
import type { Question } from './question.ts'
import type { AccessResource } from './request.ts'

/** What can have a policy of its own. Without one, nobody may do anything with a key or a role. */
export type PolicyResource = Exclude<AccessResource, { type: 'identity' }>

/**
 * How the resource policy lets the caller in. `direct`: by its name or everyone's, which grants by itself and which no
 * implicit limit takes away; undefined when it does not.
 */
export type Naming = {
  readonly direct: 'user' | 'role-session' | 'everyone' | 'web-identity' | 'service' | undefined
  /** By the name of the role whose session it is. */
  readonly role: boolean
  /** By its account, which then decides by its own policies. */
  readonly account: boolean
}

export function namingOf(question: Question, { policy }: PolicyResource): Naming {
  // Who may retire a grant is said by the grant alone: a key policy can only deny it.
  if (question.request.permission === 'kms:RetireGrant') return nobody
  question.context.side = 'resource'
  let role = false
  let account = false
  for (const statement of policy.allows) {
    if (!question.applies(statement)) continue
    const direct = question.match(statement)
    if (direct === 'role') role = true
    else if (direct === 'account') account = true
    else if (direct !== undefined) return { direct, role, account }
  }
  return { direct: undefined, role, account }
}

const nobody: Naming = { direct: undefined, role: false, account: false }

/** One path suffices. Denials and guardrails have been asked before. */
export function grantedWithinAccount(question: Question, resource: PolicyResource): Decision {
  const { direct, role, account } = namingOf(question, resource)
  if (direct !== undefined) return byPolicy(resource, pathOf[direct])
  const limit = role ? limitsWithhold(question) : undefined
  if (role && limit === undefined) return byPolicy(resource, 'C')
  // Buckets are their account's to give, whether or not their policy says so.
  if (resource.type === 'bucket') return limit ?? leftToAccount(question)
  const refused = account ? accountWithholds(question) : undefined
  if (account && refused === undefined) return byAccount(question, resource)
  const refusal = limit ?? refused
  const granted = byGrant(question, false)
  if (granted?.allowed === true || refusal === undefined) return granted ?? noneAllows(resource)
  return refusal
}

const accountRoot: Allowed = { allowed: true, reason: 'account-root' }
const identityPolicy: Allowed = { allowed: true, reason: 'identity-policy' }

/** Where no policy of the resource has to allow. */
export function leftToAccount(question: Question): Decision {
  return (
    accountWithholds(question) ?? (question.caller.type === 'root' ? accountRoot : identityPolicy)
  )
}

/** A service is of no account: nothing but a policy of the resource lets it in, by its name or everyone's. */
export function grantedToService(question: Question, resource: PolicyResource): Decision {
  const { direct } = namingOf(question, resource)
  return direct === undefined ? noneAllows(resource) : byPolicy(resource, pathOf[direct])
}

/** Whether anything on the resource's side lets the caller of another account in. */
export function letIn(question: Question, { direct, role, account }: Naming): boolean {
  return direct !== undefined || role || account || question.grant !== undefined
}

/**
 * By both sides: to be named abroad takes away no need for leave at home. A grant to the caller itself needs no
 * identity policy, but boundary and session policies of its own account limit it however it is named.
 */
export function grantedAcrossAccounts(
  question: Question,
  resource: PolicyResource,
  { direct, role, account }: Naming,
): Decision {
  const named = direct !== undefined || role || account
  const refused = named ? accountWithholds(question) : undefined
  if (named && refused === undefined) {
    if (direct === undefined && !role) return byAccount(question, resource)
    const path = direct === undefined ? 'C' : pathOf[direct]
    return question.caller.type === 'root' ? byPolicy(resource, path) : byBoth(resource, path)
  }
  const granted = byGrant(question, true)
  if (granted?.allowed === true || refused === undefined) return granted ?? noneAllows(resource)
  return refused
}

const pathOf: Readonly<Record<Exclude<Naming['direct'], undefined>, Path | undefined>> = {
  user: 'A',
  'role-session': 'B',
  everyone: 'E',
  'web-identity': undefined,
  service: 'I',
}

const none = {
  key: denied('no-key-policy-allows'),
  role: denied('no-trust-policy-allows'),
  bucket: denied('no-bucket-policy-allows'),
} as const

export function noneAllows({ type }: PolicyResource): Denied {
  return none[type]
}

/** A grant to a role is limited as a policy that names the role; one to an account is used by leave of the account. */
function byGrant(question: Question, foreign: boolean): Decision | undefined {
  const { grant } = question
  if (grant === undefined) return undefined
  const { grantId, grantee } = grant
  const refused =
    grantee === 'account'
      ? accountWithholds(question)
      : grantee === 'role' || foreign
        ? limitsWithhold(question)
        : undefined
  return refused ?? { allowed: true, reason: 'grant', path: 'H', grantId }
}

function byAccount({ caller }: Question, resource: PolicyResource): Allowed {
  return caller.type === 'root' ? byPolicy(resource, 'G') : byBoth(resource, 'F')
}

const granting = {
  key: { alone: 'key-policy', both: 'key-and-identity-policy' },
  role: { alone: 'trust-policy', both: 'trust-and-identity-policy' },
  bucket: { alone: 'bucket-policy', both: 'bucket-and-identity-policy' },
} as const

function byPolicy({ type }: PolicyResource, path: Path | undefined): Allowed {
  const reason = granting[type].alone
  return path === undefined ? { allowed: true, reason } : { allowed: true, reason, path }
}

function byBoth({ type }: PolicyResource, path: Path | undefined): Allowed {
  const reason = granting[type].both
  return path === undefined ? { allowed: true, reason } : { allowed: true, reason, path }
}
