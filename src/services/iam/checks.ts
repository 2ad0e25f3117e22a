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

/** `aws:ResourceTag/…` of what the call is about. */
export function resourceTagConditions(
  tags: readonly { readonly Key: string; readonly Value: string }[],
): ConditionValues {
  return Object.fromEntries(tags.map(({ Key, Value }) => [`aws:ResourceTag/${Key}`, Value]))
}

/** `aws:ResourceTag/…` and `iam:ResourceTag/…` of a user or a role. */
export function entityTagConditions(
  tags: readonly { readonly Key: string; readonly Value: string }[],
): ConditionValues {
  if (tags.length === 0) return none
  const conditions: Record<string, string> = {}
  for (const { Key, Value } of tags) {
    conditions[`aws:ResourceTag/${Key}`] = Value
    conditions[`iam:ResourceTag/${Key}`] = Value
  }
  return conditions
}

/** `aws:RequestTag/…` and `aws:TagKeys` of the tags that a call brings. */
export function requestTagConditions(
  tags: readonly { readonly Key: string; readonly Value: string }[] | undefined,
): ConditionValues {
  if (tags === undefined || tags.length === 0) return none
  const conditions: Record<string, string | readonly string[]> = {
    'aws:TagKeys': tags.map(({ Key }) => Key),
  }
  for (const { Key, Value } of tags) conditions[`aws:RequestTag/${Key}`] = Value
  return conditions
}
