import { ServiceError } from '../../../base/errors.ts'
import type { LookupAttribute, LookupQuery } from '../../../journal/port.ts'
import {
  integer,
  list,
  required,
  string,
  structure,
  timestamp,
  type Value,
} from '../../../wire/schema.ts'
import { type CallContext, operation } from '../../operation.ts'
import type { CloudTrailDeps } from '../deps.ts'
import { lookedUpEvent } from '../event.ts'
import { nextToken, positionIn } from '../next-token.ts'

// What the service answers with errors of its own has no bound here, where it would be a ValidationException.
const input = structure({
  LookupAttributes: list(
    structure({
      AttributeKey: required(string()),
      AttributeValue: required(string({ min: 1, max: 2000 })),
    }),
  ),
  StartTime: timestamp(),
  EndTime: timestamp(),
  EventCategory: string(),
  MaxResults: integer(),
  NextToken: string(),
})

/** What is looked for; undefined for insight events, of which there are none. */
type Lookup = { readonly query: LookupQuery; readonly parameters: readonly unknown[] } | undefined

/**
 * The events of the caller's account and Region of the last ninety days, newest first.
 * https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
 */
export const lookupEvents = operation({
  name: 'LookupEvents',
  input,
  output: structure({
    Events: list(
      structure({
        EventId: string(),
        EventName: string(),
        ReadOnly: string(),
        AccessKeyId: string(),
        EventTime: timestamp(),
        EventSource: string(),
        Username: string(),
        Resources: list(structure({ ResourceType: string(), ResourceName: string() })),
        CloudTrailEvent: string(),
      }),
    ),
    NextToken: string(),
  }),
  effects: 'read',
  errors: [
    'invalid-event-category',
    'invalid-lookup-attributes',
    'invalid-max-results',
    'invalid-next-token',
    'invalid-time-range',
    'throttled',
  ],
  resolve: (call, request, _deps: Pick<CloudTrailDeps, 'lookup'>): Lookup =>
    lookupOf(call, request),
  checks: (call) => [
    {
      permission: 'cloudtrail:LookupEvents',
      resource: { type: 'identity', arn: '*', account: call.caller.account },
      conditions: {},
    },
  ],
  audit: {
    request: (request) => ({
      lookupAttributes: request.LookupAttributes?.map(({ AttributeKey, AttributeValue }) => ({
        attributeKey: AttributeKey,
        attributeValue: AttributeValue,
      })),
      startTime: recordedTime(request.StartTime),
      endTime: recordedTime(request.EndTime),
      eventCategory: request.EventCategory,
      maxResults: request.MaxResults,
    }),
  },
  async handle(_call, _request, lookup, deps) {
    if (lookup === undefined) return { output: { Events: [] } }
    const page = await deps.lookup.find(lookup.query)
    const Events = page.records.map(lookedUpEvent)
    if (page.next === undefined) return { output: { Events } }
    return { output: { Events, NextToken: nextToken(page.next, lookup.parameters) } }
  },
})

type Request = Value<typeof input>

function lookupOf(call: CallContext, request: Request): Lookup {
  const limit = request.MaxResults ?? 50
  if (limit < 1 || limit > 50) {
    throw new ServiceError('invalid-max-results', 'MaxResults must be between 1 and 50.')
  }
  const from = request.StartTime ?? 0
  const to = request.EndTime ?? Number.MAX_SAFE_INTEGER
  if (from > to) {
    throw new ServiceError('invalid-time-range', 'The start time must not be after the end time.')
  }
  if (request.EventCategory !== undefined && request.EventCategory !== 'insight') {
    throw new ServiceError('invalid-event-category', 'The event category can only be insight.')
  }
  const attribute = attributeOf(request)
  const { region, caller } = call
  const parameters = [caller.account, region, attribute ?? null, from, to, limit]
  const after =
    request.NextToken === undefined ? undefined : positionIn(request.NextToken, parameters)
  if (request.EventCategory === 'insight') return undefined
  const query = { account: caller.account, region, attribute, from, to, limit, after }
  return { query, parameters }
}

const attributeKeys = {
  AccessKeyId: true,
  EventId: true,
  EventName: true,
  EventSource: true,
  ReadOnly: true,
  ResourceName: true,
  ResourceType: true,
  Username: true,
} as const satisfies Record<LookupAttribute, true>

function attributeOf({ LookupAttributes = [] }: Request): LookupQuery['attribute'] {
  const [attribute] = LookupAttributes
  if (attribute === undefined) return undefined
  if (LookupAttributes.length > 1) {
    throw invalidAttributes('Only one lookup attribute can be specified.')
  }
  if (!isAttributeKey(attribute.AttributeKey)) {
    throw invalidAttributes('The lookup attribute key is not valid.')
  }
  return { key: attribute.AttributeKey, value: attribute.AttributeValue }
}

function isAttributeKey(text: string): text is LookupAttribute {
  return Object.hasOwn(attributeKeys, text)
}

function invalidAttributes(text: string): ServiceError {
  return new ServiceError('invalid-lookup-attributes', text)
}

/** Dates beyond what can be written are left out: the request names them as numbers. */
function recordedTime(ms: number | undefined): string | undefined {
  const date = new Date(ms ?? Number.NaN)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
