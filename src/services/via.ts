import type { AccountId } from '../base/ids.ts'
import type { CallContext, CallingService, ConditionValues } from './operation.ts'

/**
 * A call that a service of this deployment makes on behalf of a caller: a forward access session. Both services ask for
 * the permissions of the caller, and policies can tell. `aws:SourceIp` stays that of the caller, so that a Deny of
 * addresses holds on this way as well.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
 */
export function actingFor(call: CallContext, via: CallingService): CallContext {
  const before = call.globalConditions['aws:CalledVia'] ?? []
  const name = `${via.name}.amazonaws.com`
  const chain = [...(typeof before === 'string' ? [before] : before), name]
  const globalConditions: ConditionValues = {
    ...call.globalConditions,
    'aws:CalledVia': chain,
    'aws:CalledViaFirst': chain[0] ?? name,
    'aws:CalledViaLast': name,
    'aws:ViaAWSService': 'true',
  }
  return { ...call, via, globalConditions }
}

/**
 * A call that a service of this deployment makes of another one in its own name, because of something that an account
 * has set up (`source`). No account lets it in, but policies of resources that name it, and these can ask for whom it
 * acts: without that, anybody could have it write to a bucket that others have opened to it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html#cross-service-confused-deputy-prevention
 */
export function inOwnName(
  service: string,
  source: { readonly arn: string; readonly account: AccountId },
  at: Pick<CallContext, 'region' | 'now' | 'requestId'>,
): CallContext {
  const name = `${service}.amazonaws.com`
  const caller = { type: 'service', account: source.account, arn: name, principalId: name } as const
  return {
    ...at,
    caller: { ...caller, accessKeyId: '' },
    globalConditions: {
      'aws:CurrentTime': new Date(at.now).toISOString().replace(/\.\d{3}Z$/, 'Z'),
      'aws:EpochTime': String(Math.floor(at.now / 1000)),
      'aws:PrincipalIsAWSService': 'true',
      'aws:PrincipalServiceName': name,
      'aws:PrincipalServiceNamesList': [name],
      'aws:RequestedRegion': at.region,
      'aws:SecureTransport': 'true',
      'aws:SourceAccount': source.account,
      'aws:SourceArn': source.arn,
      'aws:ViaAWSService': 'false',
    },
  }
}

/** As in `kms:ViaService`. */
export function viaServiceName({ name, region }: CallingService): string {
  return `${name}.${region}.amazonaws.com`
}
