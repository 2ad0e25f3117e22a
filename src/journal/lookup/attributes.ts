import { hash } from 'node:crypto'
import type { LookupAttribute } from '../port.ts'

/** What of a CloudTrail record the index knows. */
export type EventAttributes = {
  readonly account: string
  readonly region: string
  /** Seconds since the epoch. */
  readonly time: number
  readonly readOnly: boolean
  readonly eventId: string
  /** Empty for what no request caused. */
  readonly requestId: string
  readonly failed: boolean
  readonly eventName: string
  readonly eventSource: string
  readonly username: string | undefined
  readonly accessKeyId: string | undefined
  /** ARNs and types, each once. */
  readonly resourceNames: readonly string[]
  readonly resourceTypes: readonly string[]
}

type Event = {
  readonly eventCategory?: unknown
  readonly eventTime?: unknown
  readonly recipientAccountId?: unknown
  readonly awsRegion?: unknown
  readonly userIdentity?: unknown
  readonly resources?: unknown
  readonly readOnly?: unknown
  readonly eventID?: unknown
  readonly requestID?: unknown
  readonly errorCode?: unknown
  readonly eventName?: unknown
  readonly eventSource?: unknown
}

type Identity = {
  readonly type?: unknown
  readonly userName?: unknown
  readonly principalId?: unknown
  readonly invokedBy?: unknown
  readonly accessKeyId?: unknown
}

type Resource = { readonly ARN?: unknown; readonly type?: unknown }

/**
 * The attributes of a management event, or undefined for a record that LookupEvents never shows: another category, or
 * no CloudTrail record at all.
 */
export function eventAttributes(record: string): EventAttributes | undefined {
  const event: Event | undefined = parseObject(record)
  if (event?.eventCategory !== 'Management') return undefined
  const time = Date.parse(text(event.eventTime) ?? '')
  const account = text(event.recipientAccountId)
  const region = text(event.awsRegion)
  if (Number.isNaN(time) || account === undefined || region === undefined) return undefined
  const identity: Identity = object(event.userIdentity)
  const resources: Resource[] = Array.isArray(event.resources) ? event.resources.map(object) : []
  return {
    account,
    region,
    time: Math.floor(time / 1000),
    readOnly: event.readOnly === true,
    eventId: text(event.eventID) ?? '',
    requestId: text(event.requestID) ?? '',
    failed: event.errorCode !== undefined,
    eventName: text(event.eventName) ?? '',
    eventSource: text(event.eventSource) ?? '',
    username: usernameOf(identity),
    accessKeyId: text(identity.accessKeyId),
    resourceNames: distinct(resources.map((resource) => text(resource.ARN))),
    resourceTypes: distinct(resources.map((resource) => text(resource.type))),
  }
}

/** Whether an event has this value. ReadOnly is compared as the strings 'true' and 'false', as AWS does. */
export function hasAttribute(event: EventAttributes, key: LookupAttribute, value: string): boolean {
  switch (key) {
    case 'AccessKeyId':
      return event.accessKeyId === value
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
