import { hash } from 'node:crypto'
import type { IndexedAttribute } from '../port.ts'
import { BoundedCache } from './bounded-cache.ts'
import { membersOf } from './record-members.ts'

/** What of a CloudTrail record the index knows. */
export type EventAttributes = {
  readonly category: 'Management' | 'Data'
  readonly account: string
  readonly region: string
  /** Seconds since the epoch. */
  readonly time: number
  readonly readOnly: boolean
  readonly eventId: string
  /** Empty for what no request caused. */
  readonly requestId: string
  /** Empty for a success. */
  readonly errorCode: string
  readonly eventName: string
  readonly eventSource: string
  readonly username: string | undefined
  readonly accessKeyId: string | undefined
  readonly who: Who
  /** ARNs and types, each once. */
  readonly resourceNames: readonly string[]
  readonly resourceTypes: readonly string[]
  /** Of S3 objects and buckets that stand in encryption contexts. */
  readonly contextArns: readonly string[]
  /** Grants that allowed it. */
  readonly grantIds: readonly string[]
}

/** Whose use is counted together. */
export type Who = {
  /** ARN of the user, of the role behind a session, of the root; what else names the caller where there is none. */
  readonly principal: string
  /** Of the principal; empty where there is none. */
  readonly account: string
  /** The ARN that the caller had: of a session of the principal's, perhaps. */
  readonly arn: string
}

type Identity = {
  readonly type?: unknown
  readonly userName?: unknown
  readonly principalId?: unknown
  readonly arn?: unknown
  readonly accountId?: unknown
  readonly invokedBy?: unknown
  readonly accessKeyId?: unknown
  readonly sessionContext?: unknown
}

type Resource = { readonly ARN?: unknown; readonly type?: unknown }

const wanted: ReadonlySet<string> = new Set([
  ...['eventCategory', 'eventTime', 'recipientAccountId', 'awsRegion', 'userIdentity', 'resources'],
  ...['readOnly', 'eventID', 'requestID', 'errorCode', 'eventName', 'eventSource'],
  ...['requestParameters', 'additionalEventData'],
])

/**
 * The attributes of a management or data event, or undefined for a record that is neither. LookupEvents shows
 * management events alone.
 */
export function eventAttributes(record: string): EventAttributes | undefined {
  const members = membersOf(record, wanted)
  const text = (name: string) => stringIn(members?.get(name))
  const category = text('eventCategory')
  if (members === undefined || (category !== 'Management' && category !== 'Data')) return undefined
  const time = secondOf(text('eventTime') ?? '')
  const account = text('recipientAccountId')
  const region = text('awsRegion')
  if (Number.isNaN(time) || account === undefined || region === undefined) return undefined
  return {
    category,
    account,
    region,
    time,
    readOnly: members.get('readOnly') === 'true',
    eventId: text('eventID') ?? '',
    requestId: text('requestID') ?? '',
    errorCode: text('errorCode') ?? '',
    eventName: text('eventName') ?? '',
    eventSource: text('eventSource') ?? '',
    ...identityIn(members.get('userIdentity') ?? ''),
    ...resourcesIn(members.get('resources') ?? ''),
    contextArns: contextArnsIn(members.get('requestParameters') ?? ''),
    grantIds: grantIdsIn(members.get('additionalEventData') ?? ''),
  }
}

type ReadIdentity = Pick<EventAttributes, 'username' | 'accessKeyId' | 'who'>

/** Few callers, and few resources, are in most events: each is parsed once. */
const identities = new BoundedCache<ReadIdentity>(10_000)
const resources = new BoundedCache<Pick<EventAttributes, 'resourceNames' | 'resourceTypes'>>(4000)

function identityIn(json: string): ReadIdentity {
  return identities.get(json, () => {
    const identity: Identity = parseObject(json) ?? {}
    const accessKeyId = text(identity.accessKeyId)
    return { username: usernameOf(identity), accessKeyId, who: whoOf(identity) }
  })
}

function resourcesIn(json: string): Pick<EventAttributes, 'resourceNames' | 'resourceTypes'> {
  return resources.get(json, () => {
    const parsed: unknown = parseObject(json)
    const all: Resource[] = Array.isArray(parsed) ? parsed.map(object) : []
    return {
      resourceNames: distinct(all.map((resource) => text(resource.ARN))),
      resourceTypes: distinct(all.map((resource) => text(resource.type))),
    }
  })
}

const contextName = '"aws:s3:arn"'
const contexts = ['encryptionContext', 'sourceEncryptionContext', 'destinationEncryptionContext']

function contextArnsIn(json: string): readonly string[] {
  if (!json.includes(contextName)) return []
  const parameters = (parseObject(json) ?? {}) as Readonly<Record<string, unknown>>
  const found = contexts.map((name) => object(parameters[name]) as Record<string, unknown>)
  return distinct(found.map((context) => text(context['aws:s3:arn'])))
}

/** ARNs, each once. */
export function contextBuckets({ contextArns }: EventAttributes): readonly string[] {
  return distinct(contextArns.map((arn) => arn.split('/', 1)[0]))
}

/** Most decisions name no grant. */
function grantIdsIn(json: string): readonly string[] {
  if (!json.includes('"grant":{"id":')) return []
  const { authorization } = object(parseObject(json)) as { authorization?: unknown }
  const decisions = Array.isArray(authorization) ? authorization.map(object) : []
  const grants = decisions.map((decision) => object((decision as { grant?: unknown }).grant))
  return distinct(grants.map((grant) => text((grant as { id?: unknown }).id)))
}

/** The role rather than its session: names of sessions are whatever callers like, and without end. */
export function whoOf(identity: Identity): Who {
  const { sessionIssuer } = object(identity.sessionContext) as { sessionIssuer?: unknown }
  const issuer: Identity = identity.type === 'AssumedRole' ? object(sessionIssuer) : {}
  const account = text(identity.accountId) ?? ''
  const named = text(identity.arn)
  const nameless = [account, text(identity.principalId)].filter(Boolean).join('/')
  const service = text(identity.invokedBy)
  const arn = named ?? (nameless.includes('/') ? nameless : (service ?? nameless))
  return { principal: text(issuer.arn) ?? (arn === '' ? 'unknown' : arn), account, arn }
}

let lastTime = ''
let lastSecond = 0

function secondOf(time: string): number {
  if (time !== lastTime) {
    lastSecond = Math.floor(Date.parse(time) / 1000)
    lastTime = time
  }
  return lastSecond
}

function stringIn(json: string | undefined): string | undefined {
  if (json === undefined || !json.startsWith('"')) return undefined
  if (!json.includes('\\')) return json.length === 2 ? undefined : json.slice(1, -1)
  try {
    return text(JSON.parse(json))
  } catch {
    return undefined
  }
}

/** Whether an event has this value. ReadOnly is compared as the strings 'true' and 'false', as AWS does. */
export function hasAttribute(
  event: EventAttributes,
  key: IndexedAttribute,
  value: string,
): boolean {
  switch (key) {
    case 'AccessKeyId':
      return event.accessKeyId === value
    case 'ContextArn':
      return event.contextArns.includes(value)
    case 'ContextBucket':
      return contextBuckets(event).includes(value)
    case 'EventId':
      return event.eventId === value
    case 'EventName':
      return event.eventName === value
    case 'EventSource':
      return event.eventSource === value
    case 'ReadOnly':
      return String(event.readOnly) === value
    case 'ResourceName':
      return event.resourceNames.includes(value)
    case 'ResourceType':
      return event.resourceTypes.includes(value)
    case 'Username':
      return event.username === value
  }
}

/**
 * 48 bits that stand for a value in the index: small, of one size, and nothing to clean up when a value is no longer
 * used. Two values may share them, so that a record that is found is compared with what was asked.
 */
export function attributeHash(account: string, region: string, kind: string, value = ''): number {
  const input = `${account}\n${region}\n${kind}\n${value}`
  return Number.parseInt(hash('sha256', input, 'hex').slice(0, 12), 16)
}

/** Of a record's userIdentity, as LookupEvents shows it: the user's name, the session's, `root`, or the service. */
export function usernameOf(identity: Identity): string | undefined {
  if (identity.type === 'Root') return 'root'
  const name = text(identity.userName)
  if (name !== undefined) return name
  const principal = text(identity.principalId)
  if (identity.type === 'AssumedRole' && principal?.includes(':')) {
    return principal.slice(principal.indexOf(':') + 1)
  }
  return text(identity.invokedBy)
}

function parseObject(record: string): object | undefined {
  try {
    const value: unknown = JSON.parse(record)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function object(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {}
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function distinct(values: readonly (string | undefined)[]): string[] {
  return [...new Set(values.filter((value) => value !== undefined))]
}
