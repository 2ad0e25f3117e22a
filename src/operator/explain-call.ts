import { accessRequest } from '../authorize/authorizer.ts'
import { foldKey } from '../authorize/conditions/folded-names.ts'
import type { PolicyCache } from '../authorize/policy/cache.ts'
import { parsePrincipalArn } from '../authorize/policy/principal.ts'
import type { Caller } from '../base/caller.ts'
import type { Clock } from '../base/clock.ts'
import { ServiceError } from '../base/errors.ts'
import type { Region } from '../base/ids.ts'
import type { CallerPolicies } from '../identities/caller-policies.ts'
import { rootCaller, userCaller } from '../identities/callers.ts'
import type { Identities } from '../identities/identities.ts'
import type { Organization } from '../identities/organization.ts'
import type { Principals } from '../identities/principals.ts'
import { roleArn } from '../identities/records.ts'
import { sessionCaller } from '../identities/session-caller.ts'
import { globalConditions } from '../record/conditions.ts'
import type { CallContext, Check, ConditionValues } from '../services/operation.ts'
import type { Accounts } from './accounts.ts'
import { type Trace, traceOf } from './explain-event.ts'
import { OperatorError } from './socket.ts'

/** A question that nobody asked by a call. */
export type CallQuestion = {
  /** ARN of a user, a role, a session of one, or the root user of an account. */
  readonly principal: string
  /** As in `kms:Decrypt`. */
  readonly action: string
  readonly region: Region
  /** A key id, a key ARN, an alias name or an alias ARN; for permissions on a key. */
  readonly key?: string | undefined
  /** An ARN or `*`; for permissions on anything else. */
  readonly resource?: string | undefined
  /** The encryption context. */
  readonly context?: Readonly<Record<string, string>> | undefined
  /** Any other condition key; these win over what would be assumed. */
  readonly conditions?: ConditionValues | undefined
}

export type CallExplanation = {
  readonly principal: string
  readonly action: string
  readonly resource: string
  readonly region: string
  /** What the call would say to conditions, as far as that is known. */
  readonly conditions: ConditionValues
  readonly trace: Trace
  /** Grants that name the caller: of permissions on a key. */
  readonly grants: readonly GrantTrace[]
}

export type GrantTrace = {
  readonly grantId: string
  readonly grantee: string
  readonly operation: boolean
  readonly constraint: string
}

export type CallSources = {
  readonly accounts: Accounts
  readonly identities: Identities
  readonly guardrails: Organization
  readonly principals: Principals
  readonly callerPolicies: CallerPolicies
  readonly policies: PolicyCache
  readonly clock: Clock
  /** What a call on a key would be checked for. Throws as the call would when there is no such key. */
  readonly keyCheck: (
    call: CallContext,
    use: {
      readonly permission: string
      readonly key: string
      readonly context: Readonly<Record<string, string>> | undefined
    },
  ) => { readonly check: Check; readonly grants: readonly GrantTrace[] } | undefined
}

/** Answers as things are now. Throws OperatorError when somebody or something that it names is not there. */
export function explainCall(sources: CallSources, question: CallQuestion): CallExplanation {
  const { action, region } = question
  if (!/^[a-z0-9-]{1,64}:[A-Za-z0-9]{1,128}$/.test(action)) {
    throw new OperatorError('An action has the form service:Name, as in kms:Decrypt.')
  }
  const caller = callerOf(sources, question.principal)
  const call = callOf(sources, caller, region)
  const { check, grants } = checkOf(sources, call, question)
  const conditions = mergedConditions(
    { ...check.conditions, ...call.globalConditions },
    question.conditions ?? {},
  )
  const { policies, callerPolicies } = sources
  const request = accessRequest(caller, check, [conditions], policies, callerPolicies)
  return {
    ...{ principal: caller.arn, action, resource: check.resource.arn, region, conditions, grants },
    trace: traceOf(request),
  }
}

function callerOf({ identities, accounts, clock }: CallSources, arn: string): Caller {
  const principal = parsePrincipalArn(arn)
  const unknown = new OperatorError(`There is no principal ${arn}.`)
  if (principal === undefined || !('account' in principal)) throw unknown
  const { account } = principal
  if (!accounts.exists(account)) throw unknown
  if (principal.type === 'account') return rootCaller({ account, accessKeyId: '' })
  const parts = arn.split('/')
  if (principal.type === 'user') {
    const user = identities.users.get(account, parts.at(-1) ?? '')
    if (user === undefined) throw unknown
    return known(userCaller(user, ''), arn)
  }
  const [roleName, sessionName] =
    principal.type === 'role' ? [parts.at(-1), 'explain'] : [parts[1], parts[2]]
  const role = identities.roles.get(account, roleName ?? '')
  if (role === undefined || sessionName === undefined) throw unknown
  if (principal.type === 'role' && roleArn(role) !== arn) throw unknown
  const now = clock.now()
  const expiresAt = now + role.maxSessionSeconds * 1000
  return sessionCaller(role, '', {
    holder: { type: 'role', roleId: role.roleId, sessionName },
    ...{ issuedAt: now, expiresAt },
  })
}

/** A name that differs in its case or its path is no name of it. */
function known(caller: Caller, arn: string): Caller {
  if (caller.arn === arn) return caller
  throw new OperatorError(`There is no principal ${arn}.`)
}

/** As if over TLS. From where, and by which program, nobody knows: no condition on that is assumed to hold. */
function callOf({ clock, guardrails }: CallSources, caller: Caller, region: Region): CallContext {
  const now = clock.now()
  const request = {
    ...{ method: 'POST', target: '/', rawHeaders: [], body: Buffer.alloc(0) },
    remoteAddress: '127.0.0.1',
    tls: { version: 'TLSv1.3', cipher: '' },
  }
  const identity = { caller, region, service: '', accessKeyId: '' }
  const all = globalConditions(request, identity, now, guardrails)
  const { 'aws:SourceIp': _, ...conditions } = all
  return { caller, region, now, requestId: '', globalConditions: conditions }
}

function checkOf(sources: CallSources, call: CallContext, question: CallQuestion) {
  const { action, key, resource = '*', context } = question
  const { account } = call.caller
  if (key !== undefined) {
    const found = keyCheck(sources, call, { permission: action, key, context })
    if (found !== undefined) return found
    throw new OperatorError(`${action} is no permission on a key; leave --key out.`)
  }
  const role = action.startsWith('sts:AssumeRole') ? roleOf(sources, resource) : undefined
  const check: Check = {
    permission: action,
    resource: role ?? { type: 'identity', arn: resource, account },
    conditions: {},
  }
  return { check, grants: [] }
}

function keyCheck(
  sources: CallSources,
  call: CallContext,
  use: Parameters<CallSources['keyCheck']>[1],
) {
  try {
    return sources.keyCheck(call, use)
  } catch (error) {
    if (error instanceof ServiceError) throw new OperatorError(error.publicMessage)
    throw error
  }
}

function roleOf({ identities }: CallSources, arn: string) {
  const principal = parsePrincipalArn(arn)
  if (principal?.type !== 'role') return undefined
  const role = identities.roles.get(principal.account, arn.slice(arn.lastIndexOf('/') + 1))
  if (role === undefined || roleArn(role) !== arn) {
    throw new OperatorError(`There is no role ${arn}.`)
  }
  return { type: 'role', arn, account: role.account, policy: role.trustPolicy } as const
}

function mergedConditions(assumed: ConditionValues, given: ConditionValues): ConditionValues {
  const names = new Set(Object.keys(given).map(foldKey))
  const kept = Object.entries(assumed).filter(([name]) => !names.has(foldKey(name)))
  return { ...Object.fromEntries(kept), ...given }
}
