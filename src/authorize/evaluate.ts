import { TooMuchWork } from './conditions/context.ts'
import type { Decision } from './decision.ts'
import type { Evidence } from './evidence.ts'
import {
  callerDenies,
  denied,
  resourceControlDenies,
  resourceControlWithholds,
  resourcePolicyDenies,
  serviceControlDenies,
  serviceControlWithholds,
} from './guards.ts'
import {
  grantedAcrossAccounts,
  grantedToService,
  grantedWithinAccount,
  leftToAccount,
  letIn,
  namingOf,
  noneAllows,
  type PolicyResource,
} from './paths.ts'
import { Question } from './question.ts'
import type { AccessRequest, AccessResource } from './request.ts'

/**
 * May the caller? Pure; the default is no. First whatever denies, then the guardrails, which must allow at every level,
 * then one way of being granted it.
 */
export function decide(request: AccessRequest): Decision {
  return decideQuestion(new Question(request))
}

/** The decision, and what it was made of. */
export function judge(request: AccessRequest): Evidence {
  const question = new Question(request)
  const decision = decideQuestion(question)
  return { request, decision, context: question.context, grant: question.foundGrant }
}

/** The decision, and what it took, as `ConditionContext.spend` counts it. */
export function decideAndCount(request: AccessRequest): {
  readonly decision: Decision
  readonly work: number
} {
  const question = new Question(request)
  const decision = decideQuestion(question)
  return { decision, work: question.context.work }
}

/** What cannot be decided in bounded time is refused: a Deny that was not reached may be there. */
function decideQuestion(question: Question): Decision {
  try {
    const { resource, caller } = question.request
    if (caller.type === 'service') return toService(question, resource)
    const foreign = resource.account !== caller.account
    if (resource.type === 'identity') {
      return foreign ? noIdentityPolicy : withoutResourcePolicy(question)
    }
    if (!foreign) return withinAccount(question, resource)
    return resource.type === 'role' || resource.crossAccount
      ? acrossAccounts(question, resource)
      : crossAccountOperation
  } catch (error) {
    if (error instanceof TooMuchWork) return tooMuchWork
    throw error
  }
}

/** Service control policies do not bind a service that calls in its own name; resource control policies do. */
function toService(question: Question, resource: AccessResource): Decision {
  if (resource.type === 'identity') return noIdentityPolicy
  return (
    resourceControlDenies(question) ??
    resourcePolicyDenies(question) ??
    resourceControlWithholds(question) ??
    grantedToService(question, resource)
  )
}

const crossAccountOperation = denied('cross-account-operation')
const noIdentityPolicy = denied('no-identity-policy-allows')
const tooMuchWork = denied('too-much-work')

function withoutResourcePolicy(question: Question): Decision {
  return (
    serviceControlDenies(question) ??
    callerDenies(question) ??
    serviceControlWithholds(question) ??
    leftToAccount(question)
  )
}

function withinAccount(question: Question, resource: PolicyResource): Decision {
  return (
    serviceControlDenies(question) ??
    resourceControlDenies(question) ??
    resourcePolicyDenies(question) ??
    callerDenies(question) ??
    serviceControlWithholds(question) ??
    resourceControlWithholds(question) ??
    grantedWithinAccount(question, resource)
  )
}

/**
 * The resource's side is told first, whatever the caller's own policies say, so that the answer to a stranger never
 * depends on whether the resource exists.
 */
function acrossAccounts(question: Question, resource: PolicyResource): Decision {
  const refused =
    resourceControlDenies(question) ??
    resourcePolicyDenies(question) ??
    resourceControlWithholds(question)
  if (refused !== undefined) return refused
  const naming = namingOf(question, resource)
  if (!letIn(question, naming)) return noneAllows(resource)
  return (
    serviceControlDenies(question) ??
    callerDenies(question) ??
    serviceControlWithholds(question) ??
    grantedAcrossAccounts(question, resource, naming)
  )
}
