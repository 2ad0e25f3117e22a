import { blindSpots } from './blind-spots.ts'
import { type Body, columnsOf, type Row } from './report.ts'
import { callerOf, type Event } from './sources.ts'

const trailNames = new Set([
  ...['StopLogging', 'StartLogging', 'DeleteTrail', 'UpdateTrail', 'CreateTrail'],
  'PutEventSelectors',
])
const keyNames = new Set(['ScheduleKeyDeletion', 'DisableKey', 'DeleteImportedKeyMaterial'])
const policyNames =
  /^(?:Put|Attach|Detach|Delete|Create|Update|SetDefault)\w*(?:Policy|PolicyVersion|PermissionsBoundary)$/
const operatorSource = 'operator.kagiban.internal'

/**
 * What of the changes of the period was privileged, and why; one may be so for several reasons. Undefined for what was
 * not.
 */
export function privilegesOf(event: Event): readonly string[] | undefined {
  const { eventName, eventSource, userIdentity = {}, requestParameters } = event
  const found: string[] = []
  if (eventSource === operatorSource) found.push('operator')
  if (userIdentity.type === 'Root') found.push('root')
  if (requestParameters?.['bypassPolicyLockoutSafetyCheck'] === true) found.push('lockout bypass')
  if (eventSource === 'cloudtrail.amazonaws.com' && trailNames.has(eventName)) found.push('trail')
  if (policyNames.test(eventName)) found.push('policy')
  if (keyNames.has(eventName)) found.push('end of a key')
  const { mfaAuthenticated } = userIdentity.sessionContext?.attributes ?? {}
  if (found.length > 0 && mfaAuthenticated === 'false') found.push('no MFA')
  return found.length === 0 ? undefined : found
}

export async function privilegedUse(changes: AsyncIterable<Event>, limit: number): Promise<Body> {
  const rows: Row[] = []
  const summary: Record<string, number> = {}
  let all = 0
  for await (const event of changes) {
    const why = privilegesOf(event)
    if (why === undefined) continue
    all += 1
    for (const each of why) summary[each] = (summary[each] ?? 0) + 1
    if (rows.length < limit) rows.push(rowOf(event, why))
  }
  rows.sort((one, other) => (String(one['time']) < String(other['time']) ? 1 : -1))
  return {
    columns: columnsOf({
      time: 'TIME',
      why: 'WHY',
      event: 'EVENT',
      principal: 'PRINCIPAL',
      account: 'ACCOUNT',
      region: 'REGION',
      resource: 'RESOURCE',
      sourceIp: 'FROM',
      error: 'ERROR',
      eventId: 'EVENT ID',
    }),
    rows,
    truncated: all > rows.length,
    summary: { events: all, ...summary },
    sources: ['Management events that change something, from the index.'],
    blindSpots: [
      'Reads and uses of keys by root users are not listed: the report key-use has them, under the principal that ends in :root.',
      "An operator's name is what the command said of itself; whoever may open the operator's socket can claim any name.",
      'What somebody does to the files of the data folder beside the service; log-integrity says whether the record was altered.',
      'What is required for MFA is known of sessions alone: calls with long-term keys carry none.',
      ...[blindSpots.indexed, blindSpots.nobody, blindSpots.otherJournals],
    ],
  }
}

function rowOf(event: Event, why: readonly string[]): Row {
  return {
    time: event.eventTime,
    why: why.join(', '),
    event: event.eventName,
    principal: callerOf(event),
    account: event.recipientAccountId,
    region: event.awsRegion,
    resource: event.resources?.[0]?.ARN,
    sourceIp: event.sourceIPAddress,
    error: event.errorCode,
    eventId: event.eventID,
  }
}
