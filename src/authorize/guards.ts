import type { DenialReason, Denied } from './decision.ts'
import type { SourcedPolicy } from './layers.ts'
import type { Question, Side } from './question.ts'

/**
 * What can only take away: explicit denials of any layer, the levels of an organisation, permissions boundaries and
 * session policies. Each answers the denial, or undefined when it stands in nobody's way.
 */
type Guard = (question: Question) => Denied | undefined

export function denied(reason: DenialReason): Denied {
  return { allowed: false, reason }
}

const policyDenies = {
  key: denied('explicit-deny-in-key-policy'),
  role: denied('explicit-deny-in-trust-policy'),
  bucket: denied('explicit-deny-in-bucket-policy'),
} as const
const noServiceControl = denied('no-service-control-policy-allows')
const noResourceControl = denied('no-resource-control-policy-allows')
const noIdentityPolicy = denied('no-identity-policy-allows')
const noBoundary = denied('no-permissions-boundary-allows')
const noSession = denied('no-session-policy-allows')

export const serviceControlDenies: Guard = (question) =>
  levelDenies(
    question,
    'caller',
    question.layers.serviceControl,
    'explicit-deny-in-service-control-policy',
  )

export const resourceControlDenies: Guard = (question) =>
  levelDenies(
    question,
    'resource',
    question.resourceControl,
    'explicit-deny-in-resource-control-policy',
  )

export const resourcePolicyDenies: Guard = (question) => {
  const { resource } = question.request
  if (resource.type === 'identity') return undefined
  return question.denies('resource', resource.policy) ? policyDenies[resource.type] : undefined
}

/** By the identity's own policies, its boundary, or the session's. */
export const callerDenies: Guard = (question) => {
  const { identity, boundary, session } = question.layers
  const found = denying(question, 'caller', identity)
  if (found !== undefined) return byPolicy('explicit-deny-in-identity-policy', found)
  if (boundary !== undefined && question.denies('caller', boundary.policy)) {
    return byPolicy('explicit-deny-in-permissions-boundary', boundary)
  }
  const bySession = session && denying(question, 'caller', session)
  return bySession && byPolicy('explicit-deny-in-session-policy', bySession)
}

export const serviceControlWithholds: Guard = (question) =>
  someLevelWithholds(question, 'caller', question.layers.serviceControl)
    ? noServiceControl
    : undefined

export const resourceControlWithholds: Guard = (question) =>
  someLevelWithholds(question, 'resource', question.resourceControl) ? noResourceControl : undefined

/**
 * What the caller's account leaves to it: an identity policy allows it, within boundary and session. Root has it all.
 */
export const accountWithholds: Guard = (question) => {
  if (question.caller.type === 'root') return undefined
  if (!anyAllows(question, 'caller', question.layers.identity)) return noIdentityPolicy
  return limitsWithhold(question)
}

/** The implicit limits of an identity that is granted something by name of its role or its account. */
export const limitsWithhold: Guard = (question) => {
  const { boundary, session } = question.layers
  if (boundary !== undefined && !question.allows('caller', boundary.policy)) return noBoundary
  return session === undefined || anyAllows(question, 'caller', session) ? undefined : noSession
}

function levelDenies(
  question: Question,
  side: Side,
  levels: readonly (readonly SourcedPolicy[])[],
  reason: DenialReason,
): Denied | undefined {
  for (const level of levels) {
    const found = denying(question, side, level)
    if (found !== undefined) return { allowed: false, reason, policyArn: found.name }
  }
  return undefined
}

function someLevelWithholds(
  question: Question,
  side: Side,
  levels: readonly (readonly SourcedPolicy[])[],
): boolean {
  for (const level of levels) if (!anyAllows(question, side, level)) return true
  return false
}

function denying(
  question: Question,
  side: Side,
  policies: readonly SourcedPolicy[],
): SourcedPolicy | undefined {
  for (const sourced of policies) if (question.denies(side, sourced.policy)) return sourced
  return undefined
}

function anyAllows(question: Question, side: Side, policies: readonly SourcedPolicy[]): boolean {
  for (const { policy } of policies) if (question.allows(side, policy)) return true
  return false
}

/** Managed policies alone have versions, and ARNs. */
function byPolicy(reason: DenialReason, { name, version }: SourcedPolicy): Denied {
  return version === undefined
    ? { allowed: false, reason }
    : { allowed: false, reason, policyArn: name }
}
