import type { Authenticated } from '../authenticate/authenticator.ts'
import { internalError } from '../base/errors.ts'
import type { ConditionValues } from '../services/operation.ts'
import type { HttpRequest } from '../wire/protocol.ts'
import { eventTime } from './event.ts'
import { headerOf, sourceIp } from './request.ts'

const principalType = { root: 'Account', user: 'User', 'role-session': 'AssumedRole' } as const

/**
 * The global condition keys of a call.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export function globalConditions(
  request: HttpRequest,
  identity: Authenticated,
  now: number,
): ConditionValues {
  const { caller } = identity
  const conditions: Record<string, string> = {
    'aws:CurrentTime': eventTime(now),
    'aws:EpochTime': String(Math.floor(now / 1000)),
    'aws:PrincipalAccount': caller.account,
    'aws:PrincipalArn': caller.roleArn ?? caller.arn,
    'aws:PrincipalIsAWSService': 'false',
    'aws:PrincipalType': principalType[caller.type],
    'aws:RequestedRegion': identity.region,
    'aws:SecureTransport': request.tls === undefined ? 'false' : 'true',
    'aws:SourceIp': addressOf(request),
    'aws:ViaAWSService': 'false',
    'aws:userid': caller.principalId,
  }
  if (caller.userName !== undefined) conditions['aws:username'] = caller.userName
  const userAgent = headerOf(request, 'user-agent')
  if (userAgent !== undefined) conditions['aws:UserAgent'] = userAgent
  const referer = headerOf(request, 'referer')
  if (referer !== undefined) conditions['aws:Referer'] = referer
  return conditions
}

/** Without an address, or with a zone in it, no policy that denies addresses would match. */
function addressOf(request: HttpRequest): string {
  const address = sourceIp(request)
  if (address === '' || address.includes('%'))
    throw internalError('the source of a call is no address')
  return address
}
