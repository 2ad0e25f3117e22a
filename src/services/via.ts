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

/** As in `kms:ViaService`. */
export function viaServiceName({ name, region }: CallingService): string {
  return `${name}.${region}.amazonaws.com`
}
