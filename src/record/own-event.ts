import type { Random } from '../base/random.ts'
import type { OwnEvent } from '../services/operation.ts'
import type { OutboxEvent } from '../storage/port.ts'
import { internalIdentity, serviceEventRecord } from './event.ts'

/** The record of what a service did of itself, as CloudTrail shows it: nobody asked for it from anywhere. */
export function ownEventRecord(event: OwnEvent, time: number, random: Random): OutboxEvent {
  const eventId = random.uuid()
  const record = serviceEventRecord({
    eventId,
    userIdentity: internalIdentity(event.account),
    time,
    eventSource: event.eventSource,
    eventName: event.eventName,
    region: event.region,
    sourceIp: 'AWS Internal',
    call: event.call && { requestId: random.uuid(), response: event.call.response },
    resources: event.resources,
    serviceEventDetails: event.details,
    recipientAccountId: event.account,
  })
  return { id: eventId, record }
}
