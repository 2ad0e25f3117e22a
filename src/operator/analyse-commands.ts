import { diffAccessSteps } from '../authorize/analyse/diff-access.ts'
import { inTurns } from '../authorize/analyse/in-steps.ts'
import { permissionsOf } from '../authorize/analyse/permissions.ts'
import { separationSteps } from '../authorize/analyse/separation.ts'
import { whoCanSteps } from '../authorize/analyse/who-can.ts'
import type { AnalysedGrant, AnalysedKey, AnalysisWorld } from '../authorize/analyse/world.ts'
import { bindPrincipals, type PrincipalNames } from '../authorize/policy/bind.ts'
import type { Clock } from '../base/clock.ts'
import { ServiceError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { commitRecorded, type Recorder } from '../record/commit.ts'
import type { Accounts } from './accounts.ts'
import { analysisWorld, type WorldSources } from './analysis-world.ts'
import { type Input, refreshed, textOf } from './command-input.ts'
import { operatorEvent } from './event.ts'
import { type Command, OperatorError } from './socket.ts'

export type AnalyseDeps = Recorder &
  WorldSources & {
    readonly accounts: Accounts
    readonly principals: PrincipalNames
    /** Every key that a text can mean; without its grants where they are more than an analysis takes. */
    readonly keys: (text: string) => readonly {
      readonly key: AnalysedKey
      readonly grants: readonly AnalysedGrant[] | undefined
    }[]
    readonly clock: Clock
    readonly random: Random
  }

/** Who can use a key, what a policy newly allows, and whether duties are separate. Asking is recorded. */
export function analyseCommands(deps: AnalyseDeps): Readonly<Record<string, Command>> {
  return refreshed(deps.mirror, {
    'who-can': (input) => whoCan(deps, input),
    'diff-access': (input) => diffAccess(deps, input),
    'prove-separation-of-duties': (input) => proveSeparation(deps, input),
  })
}

async function whoCan(deps: AnalyseDeps, input: Input) {
  const world = worldOf(deps, input)
  const permission = input['action'] === undefined ? undefined : permissionOf(world, input)
  const details = { key: world.key.arn, action: permission ?? 'all' }
  await record(deps, input, 'WhoCan', details)
  return inTurns(whoCanSteps(world, permission === undefined ? undefined : asGood(permission)))
}

/** Who may decrypt into a key of their own reads what it says. */
function asGood(permission: string): readonly string[] {
  return permission === 'kms:Decrypt' ? [permission, 'kms:ReEncryptFrom'] : [permission]
}

async function diffAccess(deps: AnalyseDeps, input: Input) {
  const world = worldOf(deps, input)
  const [before, after] = [policyOf(deps, input, 'old'), policyOf(deps, input, 'new')]
  await record(deps, input, 'DiffAccess', { key: world.key.arn })
  return inTurns(diffAccessSteps(world, before, after))
}

async function proveSeparation(deps: AnalyseDeps, input: Input) {
  const world = worldOf(deps, input)
  await record(deps, input, 'ProveSeparationOfDuties', { key: world.key.arn })
  return inTurns(separationSteps(world))
}

function record(
  deps: AnalyseDeps,
  input: Input,
  name: string,
  details: Readonly<Record<string, string>>,
): Promise<void> {
  return commitRecorded(deps, [], [operatorEvent(deps, input, { name, details })])
}

function worldOf(deps: AnalyseDeps, input: Input): AnalysisWorld {
  const text = textOf(input, 'key')
  const [found, ...others] = deps.keys(text)
  if (found === undefined) throw new OperatorError(`There is no key ${text}.`)
  if (others.length > 0) throw new OperatorError(`${text} means several keys: give an ARN.`)
  const { key, grants } = found
  if (grants === undefined) throw new OperatorError('The key has more grants than are analysed.')
  return analysisWorld(deps, key, grants)
}

/** With or without the service's prefix. */
function permissionOf({ key }: AnalysisWorld, input: Input): string {
  const text = textOf(input, 'action')
  const name = text.startsWith('kms:') ? text.slice(4) : text
  const known = permissionsOf(key).find((each) => each.name.toLowerCase() === name.toLowerCase())
  if (known !== undefined) return `kms:${known.name}`
  throw new OperatorError(`${text} is no permission on this key.`)
}

/** Its principals by their ids; those that are gone stand by their ids already. */
function policyOf({ principals }: AnalyseDeps, input: Input, name: string): string {
  const names: Pick<PrincipalNames, 'idOf'> = {
    idOf: (principal) => (principal.type === 'id' ? principal.id : principals.idOf(principal)),
  }
  try {
    return bindPrincipals(textOf(input, name), 'key', names)
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    const { publicMessage, detail } = error
    throw new OperatorError(
      `The ${name} policy: ${[publicMessage, detail].filter(Boolean).join(' ')}`,
    )
  }
}
