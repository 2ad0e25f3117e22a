import { compilePolicy } from '../authorize/policy/compile.ts'
import { ServiceError } from '../base/errors.ts'
import { parseAccountId } from '../base/ids.ts'
import {
  allowAll,
  type GuardrailKind,
  type GuardrailRecord,
  type GuardrailTarget,
  guardrailKinds,
} from '../identities/organization.ts'
import type { Put } from '../storage/port.ts'
import { type Input, textOf } from './command-input.ts'
import type { OperatorDeps } from './commands.ts'
import { commitGuarded } from './commit.ts'
import { operatorEvent } from './event.ts'
import { type Command, OperatorError } from './socket.ts'

/** https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html */
const textBytesMax = 5120
const attachedMax = 5
const namePattern = /^[\w+=,.@-]{1,128}$/

/** An organisation's guardrails, as the operator sets them. A change acts on the next call and is recorded. */
export function guardrailCommands(deps: OperatorDeps): Readonly<Record<string, Command>> {
  return {
    'guardrail-list': async () => listGuardrails(deps),
    'guardrail-show': async (input) => shown(deps, existing(deps, input)),
    'guardrail-put': (input) => putGuardrail(deps, input),
    'guardrail-delete': (input) => deleteGuardrail(deps, input),
    'guardrail-attach': (input) => attachGuardrail(deps, input),
    'guardrail-detach': (input) => detachGuardrail(deps, input),
  }
}

function listGuardrails(deps: OperatorDeps) {
  const { guardrails } = deps
  const builtIn = guardrailKinds.map((kind) => ({
    ...{ kind, name: allowAll[kind].name, arn: allowAll[kind].arn },
    targets: guardrails.targetsOf(allowAll[kind].policyId),
  }))
  return {
    organizationId: guardrails.organizationId,
    guardrails: guardrails
      .policies()
      .map((policy) => ({ ...shown(deps, policy), text: undefined })),
    builtIn,
  }
}

function shown({ guardrails }: OperatorDeps, policy: GuardrailRecord) {
  const { kind, name, text, updatedAt } = policy
  const targets = guardrails.targetsOf(policy.policyId)
  return { kind, name, arn: guardrails.arnOf(policy), updatedAt, targets, text }
}

async function putGuardrail(deps: OperatorDeps, input: Input) {
  const { guardrails, clock, random } = deps
  const kind = kindOf(input)
  const name = textOf(input, 'name')
  const text = textOf(input, 'text')
  if (!namePattern.test(name)) throw new OperatorError('A name has 1 to 128 of A-Z a-z 0-9 _+=,.@-')
  if (name.toLowerCase() === allowAll[kind].name.toLowerCase()) throw isBuiltIn(name)
  requireValid(text, kind)
  const now = clock.now()
  const before = guardrails.policy(kind, name)
  const policyId = before?.policyId ?? `p-${random.bytes(5).toString('hex')}`
  const createdAt = before?.createdAt ?? now
  const policy = { kind, name: before?.name ?? name, policyId, text, createdAt, updatedAt: now }
  await commit(deps, input, 'PutGuardrail', { kind, name, policyId, content: text }, [
    guardrails.put(policy),
  ])
  return { ...shown(deps, policy), text: undefined }
}

async function deleteGuardrail(deps: OperatorDeps, input: Input) {
  const { guardrails } = deps
  const policy = existing(deps, input)
  const { kind, name, policyId } = policy
  const targets = guardrails.targetsOf(policyId)
  if (targets.length > 0) {
    throw new OperatorError(`${name} is attached to ${targets.join(', ')}; detach it first.`)
  }
  await commit(deps, input, 'DeleteGuardrail', { kind, name, policyId }, [
    guardrails.remove(policy),
  ])
  return { kind, name }
}

async function attachGuardrail(deps: OperatorDeps, input: Input) {
  const { guardrails } = deps
  const { kind, name, policyId, record } = named(deps, input)
  const target = targetOf(deps, input)
  const attached = guardrails.attachedTo(kind, target)
  if (attached.includes(policyId)) return { kind, name, target }
  if (attached.length >= attachedMax) {
    throw new OperatorError(
      `${target} has ${attachedMax} of that kind attached, which is the limit.`,
    )
  }
  // The policy goes along unchanged, so that it is not deleted meanwhile.
  const puts = record === undefined ? [] : [guardrails.put(record)]
  const change = guardrails.attach(kind, target, [...attached, policyId])
  await commit(deps, input, 'AttachGuardrail', { kind, name, policyId, target }, [...puts, change])
  return { kind, name, target }
}

async function detachGuardrail(deps: OperatorDeps, input: Input) {
  const { guardrails } = deps
  const { kind, name, policyId } = named(deps, input)
  const target = targetOf(deps, input)
  const attached = guardrails.attachedTo(kind, target)
  if (!attached.includes(policyId)) {
    throw new OperatorError(`${name} is not attached to ${target}.`)
  }
  if (kind === 'resource-control' && policyId === allowAll[kind].policyId) throw isBuiltIn(name)
  const rest = attached.filter((id) => id !== policyId)
  await commit(deps, input, 'DetachGuardrail', { kind, name, policyId, target }, [
    guardrails.attach(kind, target, rest),
  ])
  return { kind, name, target, left: rest.length }
}

async function commit(
  deps: OperatorDeps,
  input: Input,
  name: string,
  details: Readonly<Record<string, string>>,
  puts: readonly Put[],
): Promise<void> {
  await commitGuarded(deps, puts, [operatorEvent(deps, input, { name, details })])
}

/** In AWS's bounds and grammar, so that nothing is attached that could not be evaluated. */
function requireValid(text: string, kind: GuardrailKind): void {
  if (Buffer.byteLength(text) > textBytesMax) {
    throw new OperatorError(`A guardrail has at most ${textBytesMax} bytes.`)
  }
  try {
    compilePolicy(text, kind)
  } catch (error) {
    if (error instanceof ServiceError) throw new OperatorError(error.message)
    throw error
  }
}

/** A policy of the operator's, or the one that allows all. */
function named(deps: OperatorDeps, input: Input) {
  const kind = kindOf(input)
  const { name, policyId } = allowAll[kind]
  if (textOf(input, 'name').toLowerCase() === name.toLowerCase()) {
    return { kind, name, policyId, record: undefined }
  }
  const record = existing(deps, input)
  return { kind, name: record.name, policyId: record.policyId, record }
}

function existing({ guardrails }: OperatorDeps, input: Input): GuardrailRecord {
  const kind = kindOf(input)
  const name = textOf(input, 'name')
  const record = guardrails.policy(kind, name)
  if (record !== undefined) return record
  throw new OperatorError(
    `There is no ${kind} policy '${name}'; "kagiban guardrail list" shows all.`,
  )
}

function targetOf({ accounts }: OperatorDeps, input: Input): GuardrailTarget {
  const text = textOf(input, 'target')
  if (text === 'organization') return text
  const account = parseAccountId(text)
  if (account !== undefined && accounts.exists(account)) return account
  throw new OperatorError(`A target is "organization" or an account of it; there is no '${text}'.`)
}

function kindOf(input: Input): GuardrailKind {
  const kind = guardrailKinds.find((each) => each === input['kind'])
  if (kind !== undefined) return kind
  throw new OperatorError(`A guardrail is of kind ${guardrailKinds.join(' or ')}.`)
}

function isBuiltIn(name: string): OperatorError {
  return new OperatorError(`${name} is built in: it cannot be changed.`)
}
