import { ServiceError } from '../../base/errors.ts'
import type { CallContext, Check, ConditionValues } from '../operation.ts'

const none: ConditionValues = Object.freeze({})

/**
 * A permission on an entity of the caller's own account; identity policies alone decide. Throws 'unrecognized-client'
 * for what GetSessionToken gave without MFA, which there is none of: it may call nothing of IAM.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
 */
export function iamCheck(
  call: CallContext,
  permission: string,
  arn: string,
  conditions: ConditionValues = none,
): Check {
  if (call.caller.session !== undefined && call.caller.type !== 'role-session') {
    throw new ServiceError(
      'unrecognized-client',
      'The security token included in the request is invalid.',
    )
  }
  return {
    permission,
    resource: { type: 'identity', arn, account: call.caller.account },
    conditions,
  }
}
