import type { JsonObject } from '../services/operation.ts'
import { cut, jsonText } from './event.ts'

/**
 * Stands for a record that the journal cannot take: what it was is told, as far as a few bytes tell it, so that it is
 * found where the record would have been, and what it said is left out.
 */
export function stubRecord(eventId: string, record: string): string {
  const event = membersOf(record)
  const text = (value: unknown) => cut(typeof value === 'string' ? value : undefined, 128)
  const identity = objectOf(event['userIdentity'])
  return jsonText({
    eventVersion: '1.11',
    userIdentity: { type: text(identity['type']), accountId: text(identity['accountId']) },
    eventTime: text(event['eventTime']),
    eventSource: text(event['eventSource']),
    eventName: text(event['eventName']),
    awsRegion: text(event['awsRegion']),
    requestParameters: null,
    responseElements: null,
    requestID: text(event['requestID']),
    eventID: eventId,
    readOnly: event['readOnly'] === true,
    eventType: text(event['eventType']),
    managementEvent: true,
    recipientAccountId: text(event['recipientAccountId']),
    eventCategory: 'Management',
    omitted: true,
    originalSize: Buffer.byteLength(record),
    reason: 'the record is longer than a segment of the journal takes',
  })
}

function membersOf(record: string): JsonObject {
  try {
    return objectOf(JSON.parse(record))
  } catch {
    return {}
  }
}

function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {}
}
