import { usernameOf } from '../../journal/lookup/attributes.ts'

/** One event as LookupEvents answers it: a few members drawn out of the record, and the record itself as text. */
export type LookedUpEvent = {
  readonly EventId?: string | undefined
  readonly EventName?: string | undefined
  /** A string here, a boolean in the record. */
  readonly ReadOnly?: string | undefined
  readonly AccessKeyId?: string | undefined
  /** ms since the epoch */
  readonly EventTime?: number | undefined
  readonly EventSource?: string | undefined
  readonly Username?: string | undefined
  readonly Resources: readonly {
    readonly ResourceType?: string | undefined
    readonly ResourceName?: string | undefined
  }[]
  readonly CloudTrailEvent: string
}

/** The members of a record that are looked at here; the journal holds what this service wrote. */
type RecordedEvent = {
  readonly eventID?: string
  readonly eventName?: string
  readonly readOnly?: boolean
  readonly eventTime?: string
  readonly eventSource?: string
  readonly userIdentity?: RecordedIdentity
  readonly resources?: readonly { readonly type?: string; readonly ARN?: string }[]
}

type RecordedIdentity = {
  readonly type?: string
  readonly principalId?: string
  readonly invokedBy?: string
  readonly userName?: string
  readonly accessKeyId?: string
}

export function lookedUpEvent(record: string): LookedUpEvent {
  const event = JSON.parse(record) as RecordedEvent
  return {
    EventId: event.eventID,
    EventName: event.eventName,
    ReadOnly: event.readOnly === undefined ? undefined : String(event.readOnly),
    AccessKeyId: event.userIdentity?.accessKeyId,
    EventTime: event.eventTime === undefined ? undefined : Date.parse(event.eventTime),
    EventSource: event.eventSource,
    Username: usernameOf(event.userIdentity ?? {}),
    Resources: (event.resources ?? []).map(({ type, ARN }) => ({
      ResourceType: type,
      ResourceName: ARN,
    })),
    CloudTrailEvent: record,
  }
}
