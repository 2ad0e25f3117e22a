import type { RecordedDecision, RecordedPolicy } from '../src/authorize/evidence.ts'
import type { ConditionTrace, LayerTrace, StatementTrace } from '../src/authorize/trace.ts'
import type { Change } from '../src/authorize/would-allow.ts'
import type { CallExplanation } from '../src/operator/explain-call.ts'
import type { DecisionExplanation, EventExplanation, Trace } from '../src/operator/explain-event.ts'

/** Explanations as an operator reads them. */
export function eventText({ event, decisions, note }: EventExplanation): string {
  const { eventName, eventId, eventTime, region, caller, errorCode, errorMessage } = event
  const answer = errorCode === undefined ? 'allowed' : `${errorCode}: ${errorMessage ?? ''}`
  const head = [
    `${eventName}  ${eventTime}  ${region}  event ${eventId}`,
    `caller    ${caller.arn}  (${caller.type}, ${caller.principalId})`,
    `answered  ${answer}`,
  ]
  const parts = note === undefined ? decisions.map(decisionLines) : [[note]]
  return [head, ...parts].map(printableLines).join('\n')
}

export function callText(call: CallExplanation): string {
  const { principal, action, resource, region, trace, grants } = call
  const lines = [
    `${action} on ${resource}, in ${region}, as things are now`,
    `caller    ${principal}`,
    verdictOf(trace),
    ...trace.layers.flatMap(layerLines),
    ...grants.map(
      ({ grantId, grantee, operation, constraint }) =>
        `    grant ${grantId} to the ${grantee}: operation ${operation ? 'is' : 'is not'} one of its, constraint ${constraint}`,
    ),
    ...wouldAllowLines(trace, action, resource),
  ]
  return printableLines(lines)
}

/** What callers wrote must not look like a line of its own either. */
export function printableLines(lines: readonly string[]): string {
  return lines.map((line) => `${printable(line).replaceAll('\n', '\\u{a}')}\n`).join('')
}

/** What callers wrote must not act on the terminal. */
export function printable(text: string): string {
  return text.replace(/[^\P{C}\n]|[\u2028\u2029]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`
  })
}

function decisionLines({ recorded, outcome, missing, trace }: DecisionExplanation): string[] {
  const { permission, resource } = recorded
  const lines = [`${permission} on ${resource}`]
  if (trace === undefined) {
    lines.push(`  ${recorded.allowed ? 'ALLOWED' : 'DENIED'}: ${words(recorded.reason)}`)
  } else lines.push(verdictOf(trace))
  lines.push(`  ${outcomeText(outcome, recorded)}`)
  lines.push(...missing.map((policy) => `  not found: ${policyName(policy, resource)}`))
  if (trace !== undefined) {
    lines.push(...trace.layers.flatMap(layerLines), ...wouldAllowLines(trace, permission, resource))
  }
  return lines
}

function outcomeText(outcome: DecisionExplanation['outcome'], { side }: RecordedDecision): string {
  switch (outcome) {
    case 'unchanged':
      return 'unchanged: the texts that the record names decide the same today'
    case 'changed':
      return 'CHANGED: the texts that the record names decide otherwise today'
    case 'incomplete':
      return side === undefined
        ? 'incomplete: not every text that the record names was found'
        : `incomplete: this record has the ${side}'s side alone, and the other account's was not found`
  }
}

function policyName({ layer, name, version, digest }: RecordedPolicy, resource: string): string {
  return `${words(layer)} ${name ?? resource}${version === undefined ? '' : ` ${version}`}, SHA-256 ${digest}`
}

const paths: Readonly<Record<string, string>> = {
  A: 'the resource policy names the user',
  B: 'the resource policy names the session',
  C: 'the resource policy names the role',
  D: 'the resource policy names the user behind the session',
  E: 'the resource policy names everyone',
  F: 'the resource policy leaves it to the account, and an identity policy allows it',
  G: 'the resource policy leaves it to the account, and this is its root user',
  H: 'a grant',
  I: 'the resource policy names the service',
}

function verdictOf({ decision, decisiveStep }: Trace): string {
  if (!decision.allowed) {
    const by = decision.policyArn === undefined ? '' : `: ${decision.policyArn}`
    return `  DENIED at step ${decisiveStep}: ${words(decision.reason)}${by}`
  }
  const { path, grantId } = decision
  const way = path === undefined ? '' : `, path ${path}: ${paths[path] ?? ''}`
  const grant = grantId === undefined ? '' : ` ${grantId}`
  return `  ALLOWED at step ${decisiveStep} by ${words(decision.reason)}${way}${grant}`
}

function layerLines({ layer, level, result, policies, grantId }: LayerTrace): string[] {
  const at = level === undefined ? '' : ` (level ${level})`
  const by = grantId === undefined ? '' : `: ${grantId}`
  return [
    `  ${`${words(layer)}${at}`.padEnd(36)} ${words(result)}${by}`,
    ...policies.flatMap(({ name, version, digest, statements }) => [
      `    ${name}${version === undefined ? '' : ` ${version}`}  SHA-256 ${digest.slice(0, 16)}…`,
      ...statements.flatMap(statementLines),
    ]),
  ]
}

function statementLines(statement: StatementTrace): string[] {
  const { index, sid, effect, matched, match, failed, conditions } = statement
  const name = sid === undefined ? '' : ` "${sid}"`
  const how = match === undefined ? '' : `, by ${words(match)}`
  const outcome = matched ? `matches${how}` : `does not match: ${failed ?? ''}`
  return [
    `      statement ${index}${name}  ${effect}  ${outcome}`,
    ...conditions.map(conditionLine),
  ]
}

function conditionLine(condition: ConditionTrace): string {
  const { operator, key, policyValues, requestValues, holds, rule } = condition
  const { resolvedValues = policyValues } = condition
  const request = requestValues === undefined ? 'absent' : requestValues.join(', ')
  const values = policyValues.map((value, at) => {
    const resolved = resolvedValues[at]
    return resolved === value ? value : `${value} (${resolved ?? 'no value'})`
  })
  return `        ${operator} ${key}: policy ${values.join(', ')}; request ${request}; ${holds} (${words(rule)})`
}

function wouldAllowLines(
  { decision, wouldAllow }: Trace,
  permission: string,
  resource: string,
): string[] {
  if (decision.allowed) return []
  if (wouldAllow.length === 0) return ['  no one or two changes to policies would have allowed it']
  const several = wouldAllow.some((changes) => changes.length > 1)
  return [
    `  would have been allowed, had ${several ? 'both of one of these pairs' : 'any one of these'} been so:`,
    ...wouldAllow.map(
      (changes) =>
        `    - ${changes.map((change) => changeText(change, permission, resource)).join('; and ')}`,
    ),
  ]
}

function changeText(change: Change, permission: string, resource: string): string {
  switch (change.type) {
    case 'remove-statement': {
      const { layer, policy, index, sid } = change
      const name = sid === undefined ? '' : ` "${sid}"`
      return `statement ${index}${name} of the ${words(layer)} ${policy} were not there`
    }
    case 'allow': {
      const { layer, level } = change
      const at = level === undefined ? '' : ` at level ${level}`
      return `${layer === 'identity-policy' ? 'an' : 'a'} ${words(layer)}${at} allowed ${permission} on ${resource}`
    }
    case 'delegate':
      return `the policy of the resource left ${permission} to account ${change.account}`
    case 'name-caller':
      return `the policy of the resource allowed ${permission} to ${change.principal}`
    case 'grant':
      return `a grant to the caller permitted ${permission}`
    case 'condition':
      return change.value === null
        ? `${change.key} were absent`
        : `${change.key} were ${change.value}`
  }
}

/** Names of reasons and layers are words with dashes between them. */
function words(name: string): string {
  return name.replaceAll('-', ' ')
}
