import type { DiffAccess } from '../authorize/analyse/diff-access.ts'
import type { RecordedEvent } from '../operator/recorded-events.ts'

/** What a key's policy said from one change on. */
export type PolicyVersion = {
  /** ISO 8601 */
  readonly time: string
  /** As GetKeyPolicy showed it then. */
  readonly policy: string
  /** Of the text that decided, its principals by their unique ids. Unknown before configurations were recorded. */
  readonly sha256: string | undefined
  /** What brought it. Undefined for a key that is older than recording. */
  readonly event: PolicyEvent | undefined
  /** Over the version before, among the identities, grants and guardrails that there are now. */
  readonly newlyAllowed: DiffAccess | undefined
}

export type PolicyEvent = {
  readonly eventId: string
  readonly name: string
  readonly time: string
  /** ARN of the caller, or who else it was. */
  readonly principal: string
  readonly sourceIp: string | undefined
}

export function policyEvent(event: RecordedEvent & { sourceIPAddress?: string }): PolicyEvent {
  const { eventID: eventId, eventName: name, eventTime: time, userIdentity = {} } = event
  const { arn, userName, invokedBy, type, principalId } = userIdentity
  const principal = [arn, userName, principalId, invokedBy, type].find(
    (each) => typeof each === 'string',
  )
  return { eventId, name, time, principal: String(principal), sourceIp: event.sourceIPAddress }
}
