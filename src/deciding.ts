import type { AskedKeys } from './authorize/conditions/context.ts'
import type { Evidence } from './authorize/evidence.ts'
import type { Caller } from './base/caller.ts'
import { internalError, ServiceError } from './base/errors.ts'
import { type Call, decoded } from './record/call.ts'
import type { CallContext, Check, DelayedConditions } from './services/operation.ts'

/** Whether the caller may, and what that was decided on. */
export type Authorize = (
  caller: Caller,
  check: Check,
  context: CallContext,
) => { readonly evidence: Evidence; readonly denied: ServiceError | undefined }

/** The stage `resolve`. Of a call that is decided anew nothing is known that an earlier decision found. */
export function resolveCall(call: Call): void {
  const { operation, context, input } = decoded(call)
  call.resolved = false
  call.authorized = false
  call.evidence.length = 0
  call.target = undefined
  call.target = operation.resolve(context, input, call.service?.deps)
  call.resolved = true
}

/**
 * What matching policies may take for all checks of a call together, as `ConditionContext` counts it: a second at
 * worst. One check stays far below; a thousand, of many objects at once under a policy made for it, would take ten
 * seconds, in which nobody else is answered.
 */
const workMax = 2 * 1024 ** 3

/**
 * The stage `authorize`. Throws what denies. When a policy asks for condition values that take long to find, these are
 * `call.delayed` then, and nothing is decided yet: once they are in the call's context, it is to be asked again.
 */
export function authorizeCall(call: Call, authorize: Authorize): void {
  const { operation, context, input } = decoded(call)
  const deps = call.service?.deps
  let work = 0
  for (const check of operation.checks(context, input, call.target, deps)) {
    const { evidence, denied } = authorize(context.caller, check, context)
    call.evidence.push(evidence)
    work += evidence.context.work
    if (work > workMax)
      throw new ServiceError('access-denied', undefined, { detail: 'too much work' })
    if (context.delayedConditions === undefined && asks(evidence, check.delayed)) {
      call.delayed = check.delayed
      return
    }
    if (denied === undefined) continue
    if (check.refused === undefined) throw denied
    check.refused(denied)
  }
  call.authorized = true
}

/** For a call whose rows somebody else changed first. Throws what it is refused with now. */
export function decideAnew(call: Call, authorize: Authorize): void {
  resolveCall(call)
  authorizeCall(call, authorize)
  if (call.delayed !== undefined) throw internalError('the policies kept changing')
}

/** Finds what `call.delayed` asks for, and takes it into the call's context. */
export async function findDelayed(call: Call, delayed: DelayedConditions): Promise<void> {
  try {
    const delayedConditions = await delayed.find()
    call.context = { ...decoded(call).context, delayedConditions }
  } finally {
    call.delayed = undefined
  }
}

/** Whether a policy asked for one of these. */
function asks({ context }: Evidence, delayed: DelayedConditions | undefined): boolean {
  if (delayed === undefined) return false
  const { keys } = delayed
  return (['caller', 'resource'] as const).some((side) => {
    const asked = context.asked(side)
    return asked !== undefined && keys.some((key) => isAsked(asked, key))
  })
}

function isAsked(asked: AskedKeys, key: string): boolean {
  if (!key.endsWith('*')) return asked.has(key)
  const prefix = key.slice(0, -1)
  return [...asked.keys()].some((each) => each.startsWith(prefix))
}
