import type { Caller, WebIdentity } from '../base/caller.ts'
import type { AccountId, Region } from '../base/ids.ts'
import type { JsonObject } from '../services/operation.ts'
import type { ShownResource } from './s3-members.ts'
import { sessionContextOf } from './session-context.ts'

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
  /** JSON text, of what the call was allowed or denied on: the member `authorization` of additionalEventData. */
  readonly authorization?: string | undefined
  readonly requestId: string
  readonly readOnly: boolean
  /** A data event; a management event without it. */
  readonly category?: 'data' | undefined
  readonly resources?: readonly ShownResource[] | undefined
  readonly recipientAccountId: AccountId
  readonly tlsDetails?: JsonObject | undefined
}

/** CloudTrail's own bound on userAgent and on errorMessage. */
const textBytesMax = 1024
/** CloudTrail's own bound on requestParameters and on responseElements. */
export const elementBytesLimit = 100 * 1024
/** More than a record takes beside those two and what it was decided on: who, when, what, which keys, from where. */
const besideBytesMax = 6400

/** CloudTrail's own bound on additionalEventData. */
const additionalBytesLimit = 28 * 1024

/**
 * Nearly all of it is what a call was decided on: usually some hundred bytes, and some thousands where there are many
 * policies.
 */
function additionalBytesFor(elementBytesMax: number): number {
  return Math.min(additionalBytesLimit, Math.floor(elementBytesMax / 3))
}

/** How long the two elements may be, so that no record is longer than `recordBytesMax` (at least 12 KB). */
export function elementBytesFor(recordBytesMax: number): number {
  return Math.min(elementBytesLimit, Math.floor(((recordBytesMax - besideBytesMax) * 3) / 7))
}

/**
 * The text is put together by hand: JSON.stringify over an object of so many members, some of them absent, took a
 * fifth of the whole pipeline. `event.test.ts` compares it with what JSON.stringify makes of the same event.
 */
export function apiCallRecord(event: ApiCallEvent, elementBytesMax: number): string {
  const { errorCode, resources, sharedEventId, tlsDetails } = event
  const userAgent = cut(event.userAgent)
  const errorMessage = cut(event.errorMessage)
  let text = `{"eventVersion":"1.11","userIdentity":${identityText(event.userIdentity)}`
  text += `,"eventTime":"${eventTime(event.time)}","eventSource":${quote(event.eventSource)}`
  text += `,"eventName":${quote(event.eventName)},"awsRegion":${quote(event.region)}`
  text += `,"sourceIPAddress":${quote(event.sourceIp)}`
  if (userAgent !== undefined) text += `,"userAgent":${quote(userAgent)}`
  if (errorCode !== undefined) text += `,"errorCode":${quote(errorCode)}`
  if (errorMessage !== undefined) text += `,"errorMessage":${quote(errorMessage)}`
  text += `,"requestParameters":${bounded(event.requestParameters, elementBytesMax)}`
  text += `,"responseElements":${bounded(event.responseElements, elementBytesMax)}`
  text += additionalText(event, elementBytesMax)
  text += `,"requestID":${quote(event.requestId)},"eventID":${quote(event.eventId)}`
  text += `,"readOnly":${event.readOnly}`
  if (resources !== undefined) text += `,"resources":${jsonText(resources)}`
  const isData = event.category === 'data'
  text += `,"eventType":"AwsApiCall","managementEvent":${!isData}`
  text += `,"recipientAccountId":${quote(event.recipientAccountId)}`
  if (sharedEventId !== undefined) text += `,"sharedEventID":${quote(sharedEventId)}`
  text += isData ? ',"eventCategory":"Data"' : ',"eventCategory":"Management"'
  if (tlsDetails !== undefined) text += `,"tlsDetails":${jsonText(tlsDetails)}`
  return `${text}}`
}

function additionalText(event: ApiCallEvent, elementBytesMax: number): string {
  const { additionalEventData, authorization } = event
  const bytesMax = additionalBytesFor(elementBytesMax)
  if (additionalEventData === undefined && authorization === undefined) return ''
  const text =
    additionalEventData === undefined
      ? '{}'
      : bounded(additionalEventData, bytesMax - omissionBytesMax - 2)
  if (authorization === undefined) return `,"additionalEventData":${text}`
  const own = text.slice(1, -1)
  const left = bytesMax - Buffer.byteLength(own) - '{,"authorization":}'.length
  const kept = boundedText(authorization, left)
  return `,"additionalEventData":{${own}${own === '' ? '' : ','}"authorization":${kept}}`
}

/** Terminals act on these control characters, and some readers break lines at the last two; JSON allows them all. */
const unusual = /[\u007f-\u009f\u2028\u2029]/
const everyUnusual = new RegExp(unusual, 'g')

export function jsonText(value: unknown): string {
  return printable(JSON.stringify(value))
}

function printable(json: string): string {
  if (!unusual.test(json)) return json
  return json.replace(everyUnusual, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

const safe = /^[\w .:/@+=,;()#-]*$/

export function quote(text: string): string {
  return safe.test(text) ? `"${text}"` : jsonText(text)
}

const identityTexts = new WeakMap<JsonObject, string>()

/** A caller's identity is the same object in each of its events. */
function identityText(identity: JsonObject): string {
  let text = identityTexts.get(identity)
  if (text === undefined) {
    text = jsonText(identity)
    identityTexts.set(identity, text)
  }
  return text
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
  /** Of what is shown as a call. */
  readonly call?: { readonly requestId: string; readonly response: JsonObject } | undefined
  readonly resources?: readonly ShownResource[] | undefined
  readonly serviceEventDetails?: JsonObject | undefined
  readonly recipientAccountId: AccountId
}

/** What the service, or its operator, did of itself: key deletion, operator commands, counted refusals. */
export function serviceEventRecord(event: ServiceEvent): string {
  return jsonText({
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
    responseElements: event.call?.response ?? null,
    requestID: event.call?.requestId,
    eventID: event.eventId,
    readOnly: false,
    resources: event.resources,
    eventType: event.call === undefined ? 'AwsServiceEvent' : 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: event.recipientAccountId,
    serviceEventDetails: event.serviceEventDetails,
    eventCategory: 'Management',
  })
}

/** userIdentity of a caller, as its own account sees it: one object for one caller. */
export function callerIdentity(caller: Caller): JsonObject {
  let identity = identities.get(caller)
  if (identity === undefined) {
    const { type, principalId, arn, account, accessKeyId, userName, webIdentity } = caller
    if (webIdentity !== undefined) return webIdentityUser(principalId, webIdentity)
    if (type === 'service') return { type: 'AWSService', invokedBy: principalId }
    const own = { type: identityType[type], principalId, arn, accountId: account, accessKeyId }
    const sessionContext = sessionContextOf(caller)
    identity = {
      ...own,
      ...(userName === undefined ? {} : { userName }),
      ...(sessionContext === undefined ? {} : { sessionContext }),
    }
    identities.set(caller, identity)
  }
  return identity
}

/** Providers bound a subject by characters, of which each may take six bytes. */
const subjectBytesMax = 512
const principalIdBytesMax = 1024

/** Of one call: nobody is kept. */
function webIdentityUser(principalId: string, { subject, provider }: WebIdentity): JsonObject {
  const type = identityType['web-identity']
  return {
    type,
    principalId: cut(principalId, principalIdBytesMax),
    userName: cut(subject, subjectBytesMax),
    identityProvider: provider,
  }
}

const identities = new WeakMap<Caller, JsonObject>()
const identityType = {
  root: 'Root',
  user: 'IAMUser',
  'role-session': 'AssumedRole',
  'web-identity': 'WebIdentityUser',
} as const

/** userIdentity of a caller from another account, in the copy that the owner of the resource gets. */
export function foreignIdentity(caller: Caller): JsonObject {
  if (caller.type === 'service') return callerIdentity(caller)
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
export function cut(text: string | undefined, bytesMax = textBytesMax): string | undefined {
  if (text === undefined || text.length * characterBytesMax <= bytesMax) return text
  let kept = text.slice(0, bytesMax)
  for (;;) {
    const bytes = jsonBytes(kept) - 2
    if (bytes <= bytesMax) return kept
    kept = kept.slice(0, Math.floor((kept.length * bytesMax) / bytes))
  }
}

/**
 * CloudTrail leaves out request and response members beyond 100 KB; so a record stays bounded, and says what is
 * missing. What is too long before anything is escaped is not looked at further.
 */
function bounded(element: JsonObject | null, bytesMax: number): string {
  if (element === null) return 'null'
  const plain = JSON.stringify(element)
  if (plain.length > bytesMax) return omitted(Buffer.byteLength(plain), bytesMax)
  return boundedText(printable(plain), bytesMax)
}

function boundedText(json: string, bytesMax: number): string {
  if (json.length * utf8BytesMax <= bytesMax) return json
  const bytes = Buffer.byteLength(json)
  return bytes <= bytesMax ? json : omitted(bytes, bytesMax)
}

/** More than `omitted` makes, with its name. */
const omissionBytesMax = 128

function omitted(bytes: number, bytesMax: number): string {
  return `{"omitted":true,"originalSize":${bytes},"reason":"content exceeds ${bytesMax} bytes"}`
}

/** Of one character (a UTF-16 code unit). */
const utf8BytesMax = 3

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(jsonText(value))
}
