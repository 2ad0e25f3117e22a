import type { Decision } from '../authorize/decision.ts'
import { decide } from '../authorize/evaluate.ts'
import type { RecordedDecision, RecordedPolicy } from '../authorize/evidence.ts'
import { explain } from '../authorize/explain.ts'
import { joinedSides, recordedCaller, recordedDecisions, replay } from '../authorize/replay.ts'
import type { AccessRequest } from '../authorize/request.ts'
import type { LayerTrace } from '../authorize/trace.ts'
import { type Change, wouldAllow } from '../authorize/would-allow.ts'
import type { Caller } from '../base/caller.ts'
import { textDigest } from '../storage/port.ts'
import {
  copiesOf,
  eventById,
  type RecordedEvent,
  type RecordedEvents,
  sessionPolicies,
} from './recorded-events.ts'
import { OperatorError } from './socket.ts'

export type EventExplanation = {
  readonly event: {
    readonly eventId: string
    readonly eventName: string
    readonly eventTime: string
    readonly region: string
    readonly recipientAccountId: string | undefined
    readonly caller: { readonly type: string; readonly arn: string; readonly principalId: string }
    readonly errorCode: string | undefined
    readonly errorMessage: string | undefined
  }
  readonly decisions: readonly DecisionExplanation[]
  /** Why there are no decisions. */
  readonly note?: string
}

export type DecisionExplanation = {
  /** As this record has it. */
  readonly own: RecordedDecision
  /** With the half that another account's record has. */
  readonly recorded: RecordedDecision
  /**
   * 'unchanged': the same texts and the same request decide the same today. 'incomplete': `missing` texts are nowhere,
   * or the other account's half of the decision is, without which it cannot be made again. 'changed' would be a fault
   * of this service.
   */
  readonly outcome: 'unchanged' | 'changed' | 'incomplete'
  readonly missing: readonly RecordedPolicy[]
  readonly trace?: Trace
}

/** A decision with all that was said on the way. */
export type Trace = {
  readonly decision: Decision
  /** Of the order of evaluation: 1 operation, 2 denials, 3 and 4 guardrails, 5 a way in, 6 none. */
  readonly decisiveStep: number
  readonly layers: readonly LayerTrace[]
  /** Each of these alone would have allowed it. */
  readonly wouldAllow: readonly (readonly Change[])[]
}

export type ExplainSources = RecordedEvents & {
  /**
   * Those texts of policies that can be found, by their SHA-256: in force at this call, or archived. Policies of keys
   * are found once they were superseded.
   */
  readonly texts: (digests: ReadonlySet<string>) => Promise<ReadonlyMap<string, string>>
  /** The present policy of the key or the bucket of that ARN; of an object that of its bucket. */
  readonly resourcePolicy: (arn: string) => string | undefined
}

/** Throws OperatorError when there is no such event. */
export async function explainEvent(
  sources: ExplainSources,
  eventId: string,
): Promise<EventExplanation> {
  const event = await eventById(sources, eventId)
  if (event === undefined) throw new OperatorError(`There is no event ${eventId}.`)
  const copies = await copiesOf(sources, event)
  const all = [event, ...copies]
  // The record of the caller's own account knows best who it was.
  const best = all.find(({ userIdentity }) => userIdentity?.['arn'] !== undefined) ?? event
  const caller = recordedCaller(best.userIdentity, best.recipientAccountId)
  const own = recordedDecisions(event.additionalEventData?.['authorization'])
  const shown = { event: eventOf(event, caller) }
  if (own === undefined || caller === undefined) {
    return { ...shown, decisions: [], note: withoutDecisions(event) }
  }
  const others = copies.flatMap(
    ({ additionalEventData }) => recordedDecisions(additionalEventData?.['authorization']) ?? [],
  )
  const joinedOnes = own.map((decision) => joined(decision, others))
  const texts = await textsOf(sources, joinedOnes)
  return {
    ...shown,
    decisions: joinedOnes.map((recorded, at) => ({
      own: own[at] ?? recorded,
      ...explained(recorded, caller, texts),
    })),
  }
}

function explained(
  recorded: RecordedDecision,
  caller: Caller,
  texts: ReadonlyMap<string, string>,
): Omit<DecisionExplanation, 'own'> {
  const half = recorded.side !== undefined
  if (half && (recorded.allowed || recorded.side === 'resource')) {
    return { recorded, outcome: 'incomplete', missing: [] }
  }
  const replayed = replay(recorded, caller, (digest) => texts.get(digest))
  if ('missing' in replayed) {
    return { recorded, outcome: 'incomplete', missing: replayed.missing }
  }
  const outcome = isSame(decide(replayed.request), recorded) ? 'unchanged' : 'changed'
  const trace = traceOf(replayed.request)
  return { recorded, outcome, missing: [], trace: half ? ofCallerSide(trace) : trace }
}

/** What was assumed of the other account is none of the explanation. */
function ofCallerSide({ layers, ...trace }: Trace): Trace {
  return { ...trace, layers: layers.filter(({ layer }) => callerLayers.has(layer)) }
}

const callerLayers: ReadonlySet<string> = new Set<LayerTrace['layer']>([
  ...(['service-control-policy', 'identity-policy'] as const),
  ...(['permissions-boundary', 'session-policy'] as const),
])

export function traceOf(request: AccessRequest): Trace {
  const { decision, layers } = explain(request)
  return { decision, decisiveStep: stepOf(decision), layers, wouldAllow: wouldAllow(request) }
}

function isSame(decision: Decision, { allowed, reason, path, grant }: RecordedDecision): boolean {
  if (decision.allowed !== allowed || decision.reason !== reason) return false
  if (!decision.allowed) return true
  return decision.path === path && (decision.path !== 'H' || decision.grantId === grant?.id)
}

function stepOf(decision: Decision): number {
  if (decision.allowed) return 5
  const { reason } = decision
  if (reason === 'cross-account-operation') return 1
  if (reason.startsWith('explicit-deny')) return 2
  if (reason === 'no-resource-control-policy-allows') return 3
  return reason === 'no-service-control-policy-allows' ? 4 : 6
}

function joined(decision: RecordedDecision, others: readonly RecordedDecision[]): RecordedDecision {
  for (const other of others) {
    const both = joinedSides(decision, other)
    if (both !== undefined) return both
  }
  return decision
}

/**
 * The present policies of the resources, then the texts that are in force or archived, then what was passed with
 * sessions. In this order: who replaces the policy of a key meanwhile archives what was already found.
 */
async function textsOf(
  sources: ExplainSources,
  decisions: readonly RecordedDecision[],
): Promise<ReadonlyMap<string, string>> {
  const present = decisions.flatMap(({ resource }) => sources.resourcePolicy(resource) ?? [])
  const found = new Map(present.map((text) => [textDigest(text), text]))
  const policies = decisions.flatMap(({ policies = [] }) => policies)
  const missing = (of: readonly RecordedPolicy[]) =>
    new Set(of.map(({ digest }) => digest).filter((digest) => !found.has(digest)))
  for (const [digest, text] of await sources.texts(missing(policies))) found.set(digest, text)
  const passed = missing(policies.filter(({ layer }) => layer === 'session-policy'))
  for (const [digest, text] of await sessionPolicies(sources, passed)) found.set(digest, text)
  return found
}

function eventOf(event: RecordedEvent, caller: Caller | undefined): EventExplanation['event'] {
  const { type = 'none', arn, principalId } = event.userIdentity ?? {}
  return {
    eventId: event.eventID,
    eventName: event.eventName,
    eventTime: event.eventTime,
    region: event.awsRegion,
    recipientAccountId: event.recipientAccountId,
    caller: {
      type: String(type),
      arn: String(arn ?? caller?.arn ?? 'none'),
      principalId: String(principalId ?? 'none'),
    },
    errorCode: event.errorCode,
    errorMessage: event.errorMessage,
  }
}

function withoutDecisions({ errorCode, additionalEventData }: RecordedEvent): string {
  if (additionalEventData?.['authorization'] !== undefined) {
    return 'What it was decided on was too long for its record and was left out.'
  }
  if (errorCode === 'AccessDenied') {
    return 'Its record keeps no decision: the resource is of another account, or not there, and the record of a stranger looks the same either way. Ask again as things are now, with --principal, --action and --key.'
  }
  return errorCode === undefined
    ? 'It took no permission.'
    : 'It failed before anything had to be permitted.'
}
