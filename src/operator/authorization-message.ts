import type { RecordedDecision, RecordedValue } from '../authorize/evidence.ts'
import type { LayerTrace } from '../authorize/trace.ts'
import type { DecisionExplanation, EventExplanation } from './explain-event.ts'

/** Encoded it has to fit into the 10,240 characters that DecodeAuthorizationMessage takes. */
const messageBytesMax = 7000

/**
 * What a record's own account may read of its event, in the shape in which AWS decodes such messages. Of a decision
 * that two accounts took part in, it is no more than the record itself says. Statements that matched come first to be
 * left out where it would be too long, then conditions.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
 */
export function authorizationMessage(explanation: EventExplanation): Buffer {
  const { decisions } = explanation
  const denied = decisions.find(({ own }) => !own.allowed)
  const told = denied ?? decisions[0]
  for (const detail of ['all', 'conditions', 'none'] as const) {
    const message = messageOf(explanation, told, detail)
    const bytes = Buffer.from(JSON.stringify(message), 'utf8')
    if (bytes.length <= messageBytesMax) return bytes
  }
  throw new Error('an action and a resource are short')
}

function messageOf(
  { event }: EventExplanation,
  told: DecisionExplanation | undefined,
  detail: 'all' | 'conditions' | 'none',
) {
  const { own: recorded, trace } = told ?? {}
  const { caller } = event
  const isWhole = trace !== undefined && recorded?.side === undefined
  const matched = isWhole && detail === 'all' ? matchedIn(trace.layers) : []
  return {
    allowed: recorded?.allowed ?? false,
    explicitDeny: recorded?.reason.startsWith('explicit-deny') ?? false,
    matchedStatements: { items: matched },
    failures: { items: recorded === undefined || recorded.allowed ? [] : [recorded.reason] },
    context: {
      principal: { id: caller.principalId, arn: caller.arn },
      action: recorded?.permission ?? null,
      resource: recorded?.resource ?? null,
      conditions: { items: detail === 'none' ? [] : conditionsIn(recorded) },
    },
    event: { eventId: event.eventId, eventTime: event.eventTime },
  }
}

function matchedIn(layers: readonly LayerTrace[]) {
  return layers.flatMap(({ layer, policies }) =>
    policies.flatMap(({ name, version, digest, statements }) =>
      statements
        .filter(({ matched }) => matched)
        .map(({ index, sid, effect }) => ({
          ...{ sourcePolicyId: name, sourcePolicyType: layer, version, digest },
          ...{ statement: index, sid, effect },
        })),
    ),
  )
}

function conditionsIn(recorded: RecordedDecision | undefined) {
  return Object.entries(recorded?.conditions ?? {}).map(([key, value]) => ({
    key,
    values: { items: valuesIn(value).map((one) => ({ value: one })) },
  }))
}

function valuesIn(value: RecordedValue): readonly string[] {
  if (typeof value === 'string') return [value]
  if (value === null || 'hidden' in value) return []
  return 'several' in value ? value.several : value
}
