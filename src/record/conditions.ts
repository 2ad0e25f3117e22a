import type { Authenticated } from '../authenticate/authenticator.ts'
import type { Caller } from '../base/caller.ts'
import { internalError } from '../base/errors.ts'
import type { ConditionValues } from '../services/operation.ts'
import type { HttpRequest } from '../wire/protocol.ts'
import { eventTime } from './event.ts'
import { headerOf, sourceIp } from './request.ts'

const principalType = {
  root: 'Account',
  user: 'User',
  'role-session': 'AssumedRole',
  'web-identity': 'AssumedRole',
} as const

/** What accounts belong to. */
export type OrganizationOfCallers = { readonly organizationId: string }

/**
 * The global condition keys of a call.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export function globalConditions(
  request: HttpRequest,
  identity: Authenticated,
  now: number,
  organization: OrganizationOfCallers,
): ConditionValues {
  const conditions: Record<string, string | readonly string[]> = {
    ...callerConditions(identity.caller, organization),
    'aws:CurrentTime': eventTime(now),
    'aws:EpochTime': String(Math.floor(now / 1000)),
    'aws:PrincipalIsAWSService': 'false',
    'aws:RequestedRegion': identity.region,
    'aws:SecureTransport': request.tls === undefined ? 'false' : 'true',
    'aws:SourceIp': addressOf(request),
    'aws:ViaAWSService': 'false',
  }
  if (identity.conditions !== undefined) Object.assign(conditions, identity.conditions)
  const userAgent = headerOf(request, 'user-agent')
  if (userAgent !== undefined) conditions['aws:UserAgent'] = userAgent
  const referer = headerOf(request, 'referer')
  if (referer !== undefined) conditions['aws:Referer'] = referer
  return conditions
}

/** What every request says of the organisation that its caller is of. */
export function organizationConditions({ organizationId }: OrganizationOfCallers): ConditionValues {
  return {
    'aws:PrincipalOrgID': organizationId,
    'aws:PrincipalOrgPaths': [`${organizationId}/${rootOf(organizationId)}/`],
  }
}

/** A caller is the same object in each of its calls for as long as nothing of it changes. */
const ofCallers = new WeakMap<Caller, ConditionValues>()

function callerConditions(caller: Caller, organization: OrganizationOfCallers): ConditionValues {
  let conditions = ofCallers.get(caller)
  if (conditions === undefined) {
    conditions = newCallerConditions(caller, organization)
    ofCallers.set(caller, conditions)
  }
  return conditions
}

function newCallerConditions(caller: Caller, organization: OrganizationOfCallers): ConditionValues {
  const { account, arn, roleArn, userName, principalId, session, tags = {} } = caller
  if (caller.type === 'service') throw internalError('no service sends a request')
  const conditions: Record<string, string | readonly string[]> = {
    ...caller.providerConditions,
    // Nobody of the account, or of the organisation, is who only has a token: policies that keep strangers out count
    // on it.
    ...(caller.type === 'web-identity'
      ? {}
      : {
          'aws:PrincipalAccount': account,
          'aws:PrincipalArn': roleArn ?? arn,
          ...organizationConditions(organization),
        }),
    'aws:PrincipalType': principalType[caller.type],
    'aws:userid': principalId,
  }
  if (userName !== undefined) conditions['aws:username'] = userName
  for (const [key, value] of Object.entries(tags)) conditions[`aws:PrincipalTag/${key}`] = value
  if (session === undefined) return conditions
  // Of temporary credentials alone. Nobody shows a code of a device here.
  conditions['aws:TokenIssueTime'] = new Date(session.issuedAt).toISOString().replace('.000', '')
  conditions['aws:MultiFactorAuthPresent'] = 'false'
  if (session.sourceIdentity !== undefined) {
    conditions['aws:SourceIdentity'] = session.sourceIdentity
  }
  if (session.webIdentity !== undefined) {
    conditions['aws:FederatedProvider'] = session.webIdentity.provider
  }
  return conditions
}

/** All accounts of a deployment stand right below the root of its organisation. */
function rootOf(organizationId: string): string {
  return `r-${organizationId.slice(2, 6)}`
}

/** Without an address, or with a zone in it, no policy that denies addresses would match. */
function addressOf(request: HttpRequest): string {
  const address = sourceIp(request)
  if (address === '' || address.includes('%'))
    throw internalError('the source of a call is no address')
  return address
}
