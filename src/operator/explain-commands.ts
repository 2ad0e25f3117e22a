import type { Clock } from '../base/clock.ts'
import { parseAccountId, type Region } from '../base/ids.ts'
import type { Random } from '../base/random.ts'
import type { Hsm } from '../hsm/port.ts'
import { commitRecorded, type Recorder } from '../record/commit.ts'
import type { Accounts } from './accounts.ts'
import { authorizationMessage } from './authorization-message.ts'
import { type Input, optionalText, refreshed, regionIn, textOf } from './command-input.ts'
import { operatorEvent } from './event.ts'
import { type CallQuestion, type CallSources, explainCall } from './explain-call.ts'
import { type ExplainSources, explainEvent } from './explain-event.ts'
import { type Command, OperatorError } from './socket.ts'

export type ExplainDeps = Recorder &
  Omit<ExplainSources, 'accounts' | 'regions'> &
  CallSources & {
    readonly accounts: Accounts
    readonly hsm: Pick<Hsm, 'seal'>
    readonly clock: Clock
    readonly random: Random
  }

/** Why a call was allowed or denied, and what one would be that nobody made. Asking is recorded. */
export function explainCommands(deps: ExplainDeps): Readonly<Record<string, Command>> {
  return refreshed(deps.mirror, {
    'explain-event': (input) => event(deps, input),
    'explain-call': (input) => call(deps, input),
  })
}

async function event(deps: ExplainDeps, input: Input) {
  const eventId = textOf(input, 'eventId')
  if (!/^[0-9a-f-]{36}$/.test(eventId)) throw new OperatorError('An event id is a UUID.')
  const { accounts } = deps
  const explanation = await explainEvent(
    { ...deps, accounts: () => accounts.all(), regions: () => regionsOf(deps) },
    eventId,
  )
  const encoded = input['encoded'] === true
  await record(deps, input, 'ExplainEvent', { explained: eventId, encoded })
  if (!encoded) return explanation
  const account = parseAccountId(explanation.event.recipientAccountId ?? '')
  if (account === undefined) throw new OperatorError('The event is of no account.')
  const message = authorizationMessage(explanation)
  const sealed = await deps.hsm.seal('authorization-message', account, message)
  return { account, encodedMessage: sealed.toString('base64') }
}

async function call(deps: ExplainDeps, input: Input) {
  const question: CallQuestion = {
    principal: textOf(input, 'principal'),
    action: textOf(input, 'action'),
    region: regionOf(deps, input),
    key: optionalText(input, 'key'),
    resource: optionalText(input, 'resource'),
    context: pairsOf(input, 'context'),
    conditions: valuesOf(input, 'conditions'),
  }
  const explanation = explainCall(deps, question)
  const { principal, action, resource } = explanation
  await record(deps, input, 'ExplainCall', { principal, action, resource })
  return explanation
}

function record(
  deps: ExplainDeps,
  input: Input,
  name: string,
  details: Readonly<Record<string, string | boolean>>,
): Promise<void> {
  return commitRecorded(deps, [], [operatorEvent(deps, input, { name, details })])
}

function regionsOf({ accounts }: ExplainDeps): readonly Region[] {
  return accounts.deployment?.regions ?? []
}

/** The home Region unless another is named. */
function regionOf(deps: ExplainDeps, input: Input): Region {
  const served = regionsOf(deps)
  const region = regionIn(input, served) ?? served[0]
  if (region === undefined) throw new Error('a deployment has a home Region')
  return region
}

function pairsOf(input: Input, name: string): Readonly<Record<string, string>> | undefined {
  const values = valuesOf(input, name)
  if (values === undefined) return undefined
  const pairs = Object.entries(values)
  if (pairs.some(([, value]) => typeof value !== 'string')) {
    throw new OperatorError(`'${name}' has one value for each name.`)
  }
  return Object.fromEntries(pairs) as Record<string, string>
}

function valuesOf(
  input: Input,
  name: string,
): Readonly<Record<string, string | readonly string[]>> | undefined {
  const value = input[name]
  if (value === undefined) return undefined
  const isText = (one: unknown) => typeof one === 'string'
  const isValue = (one: unknown) => isText(one) || (Array.isArray(one) && one.every(isText))
  if (typeof value !== 'object' || value === null || !Object.values(value).every(isValue)) {
    throw new OperatorError(`'${name}' is an object of texts.`)
  }
  return value as Record<string, string | readonly string[]>
}
