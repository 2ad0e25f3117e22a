import type { Caller } from '../base/caller.ts'
import type { AccountId, Region } from '../base/ids.ts'
import type { AuditResource, JsonObject } from '../services/operation.ts'

/**
 * CloudTrail events (record version 1.11), as text. One serializer, one order of members: the text is what stands
 * in the journal, byte for byte.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */
export type ApiCallEvent = {
  readonly eventId: string
  readonly sharedEventId?: string | undefined
  readonly userIdentity: JsonObject
  /** ms since the epoch, of completion. */
  readonly time: number
  readonly eventSource: string
  readonly eventName: string
  readonly region: string
  readonly sourceIp: string
  readonly userAgent: string | undefined
  readonly errorCode?: string | undefined
  readonly errorMessage?: string | undefined
  readonly requestParameters: JsonObject | null
  readonly responseElements: JsonObject | null
  readonly additionalEventData?: JsonObject | undefined
  readonly requestId: string
  readonly readOnly: boolean
  readonly resources?: readonly AuditResource[] | undefined
  readonly recipientAccountId: AccountId
  readonly tlsDetails?: JsonObject | undefined
}

/** CloudTrail's own bound on userAgent and on errorMessage. */
const textBytesMax = 1024
/** CloudTrail's own bound on requestParameters and on responseElements. */
export const elementBytesLimit = 100 * 1024

export function apiCallRecord(event: ApiCallEvent, elementBytesMax: number): string {
  return JSON.stringify({
    eventVersion: '1.11',
    userIdentity: event.userIdentity,
    eventTime: eventTime(event.time),
    eventSource: event.eventSource,
    eventName: event.eventName,
    awsRegion: event.region,
    sourceIPAddress: event.sourceIp,
    userAgent: cut(event.userAgent),
    errorCode: event.errorCode,
    errorMessage: cut(event.errorMessage),
    requestParameters: bounded(event.requestParameters, elementBytesMax),
    responseElements: bounded(event.responseElements, elementBytesMax),
    additionalEventData: event.additionalEventData,
    requestID: event.requestId,
    eventID: event.eventId,
    readOnly: event.readOnly,
    resources: event.resources,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: event.recipientAccountId,
    sharedEventID: event.sharedEventId,
    eventCategory: 'Management',
    tlsDetails: event.tlsDetails,
  })
}

export type ServiceEvent = {
  readonly eventId: string
  readonly userIdentity: JsonObject
  readonly time: number
  readonly eventSource: string
  readonly eventName: string
  readonly region: Region
  readonly sourceIp: string
  readonly errorCode?: string | undefined
  readonly resources?: readonly AuditResource[] | undefined
  readonly serviceEventDetails?: JsonObject | undefined
  readonly recipientAccountId: AccountId
}

/** What the service, or its operator, did of itself: key deletion, operator commands, counted refusals. */
export function serviceEventRecord(event: ServiceEvent): string {
  return JSON.stringify({
    eventVersion: '1.11',
    userIdentity: event.userIdentity,
    eventTime: eventTime(event.time),
    eventSource: event.eventSource,
    eventName: event.eventName,
    awsRegion: event.region,
    sourceIPAddress: event.sourceIp,
    userAgent: event.sourceIp,
    errorCode: event.errorCode,
    requestParameters: null,
    responseElements: null,
    eventID: event.eventId,
    readOnly: false,
    resources: event.resources,
    eventType: 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: event.recipientAccountId,
    serviceEventDetails: event.serviceEventDetails,
    eventCategory: 'Management',
  })
}

/** userIdentity of a caller, as its own account sees it. */
export function callerIdentity(caller: Caller): JsonObject {
  const identity = {
    type: identityType[caller.type],
    principalId: caller.principalId,
    arn: caller.arn,
    accountId: caller.account,
    accessKeyId: caller.accessKeyId,
  }
  return caller.userName === undefined ? identity : { ...identity, userName: caller.userName }
}

const identityType = { root: 'Root', user: 'IAMUser', 'role-session': 'AssumedRole' } as const

/** userIdentity of a caller from another account, in the copy that the owner of the resource gets. */
export function foreignIdentity(caller: Caller): JsonObject {
  return { type: 'AWSAccount', principalId: caller.principalId, accountId: caller.account }
}

/** userIdentity of what the service does of itself. */
export function internalIdentity(account: AccountId): JsonObject {
  return { accountId: account, invokedBy: 'AWS Internal' }
}

let cachedSecond = -1
let cachedText = ''

/** UTC in whole seconds. Formatting a date costs more than the rest of an event, so one second's text is kept. */
export function eventTime(ms: number): string {
  const second = Math.floor(ms / 1000)
  if (second !== cachedSecond) {
    cachedSecond = second
    cachedText = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`
  }
  return cachedText
}

/** A character (a UTF-16 code unit) is at most six bytes of JSON text. */
const characterBytesMax = 6

/** As much of a text as fits into the bound, counted as JSON text: escapes make it longer than it is. */
function cut(text: string | undefined): string | undefined {
  if (text === undefined || text.length * characterBytesMax <= textBytesMax) return text
  let kept = text.slice(0, textBytesMax)
  for (;;) {
    const bytes = jsonBytes(kept) - 2
    if (bytes <= textBytesMax) return kept
    kept = kept.slice(0, Math.floor((kept.length * textBytesMax) / bytes))
  }
}

/**
 * CloudTrail leaves out request and response members beyond 100 KB; so a record stays bounded, and says what is
 * missing. The quick look at the shape spares ordinary events a second serialization.
 */
function bounded(element: JsonObject | null, bytesMax: number): JsonObject | null {
  if (element === null || sizeOf(element) * characterBytesMax <= bytesMax) return element
  const bytes = jsonBytes(element)
  if (bytes <= bytesMax) return element
  return { omitted: true, originalSize: bytes, reason: `content exceeds ${bytesMax} bytes` }
}

/** No less than the sixth part of its JSON text. What is neither a string nor an object is short. */
function sizeOf(value: object): number {
  let characters = 2
  for (const name in value) {
    const member = (value as JsonObject)[name]
    characters += name.length + 8
    if (typeof member === 'string') characters += member.length
    else if (typeof member === 'object' && member !== null) characters += sizeOf(member)
  }
  return characters
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
