import { foldKey } from '../../../authorize/conditions/folded-names.ts'
import type { CallerLayers, SourcedPolicy } from '../../../authorize/layers.ts'
import { bindPrincipals } from '../../../authorize/policy/bind.ts'
import { type CompiledPolicy, compilePolicy } from '../../../authorize/policy/compile.ts'
import type { PolicyKind } from '../../../authorize/policy/document.ts'
import type { Caller } from '../../../base/caller.ts'
import { ServiceError } from '../../../base/errors.ts'
import { type AccountId, parseAccountId, parseArn } from '../../../base/ids.ts'
import type { ConditionValues } from '../../operation.ts'
import type { IamDeps } from '../deps.ts'
import { invalidInput } from '../errors.ts'
import { contextOf } from './context-entries.ts'
import { requireBoundedInputs } from './policy-inputs.ts'
import type { SimulationRequest } from './shapes.ts'
import type { Simulated } from './source.ts'

/** Everything that the simulated requests have in common, and what is to be asked. */
export type Scenario = {
  readonly caller: Caller
  readonly layers: CallerLayers
  readonly resourceControl: (account: AccountId) => readonly (readonly SourcedPolicy[])[]
  readonly context: ConditionValues
  readonly actions: readonly string[]
  /** ARNs, or `*`. */
  readonly resources: readonly string[]
  /** The same policy of every resource, with its principals bound, and the text as it was given. */
  readonly resourcePolicy: { readonly policy: CompiledPolicy; readonly given: string } | undefined
  readonly ownerOf: (resource: string) => AccountId
}

const actionForm = /^[A-Za-z0-9-]{1,64}:[A-Za-z0-9]{1,128}$/
const keyForm = /^arn:aws:kms:[a-z0-9-]+:\d{12}:key\/[^*?]+$/

/** Throws 'invalid-input' for what cannot be simulated. */
export function scenarioOf(
  request: SimulationRequest,
  inputs: readonly string[],
  { caller, layers, known }: Simulated,
  deps: Pick<IamDeps, 'accountExists' | 'callerPolicies' | 'principals'>,
): Scenario {
  if (request.ResourceHandlingOption !== undefined) {
    throw invalidInput('ResourceHandlingOption is of EC2 alone and is not supported.')
  }
  const resources = request.ResourceArns ?? ['*']
  for (const action of request.ActionNames) {
    if (!actionForm.test(action)) throw invalidInput(`Invalid Action Name: ${action}`)
  }
  for (const resource of resources) {
    if (resource !== '*' && parseArn(resource) === undefined) {
      throw invalidInput(`Invalid Resource ARN: ${resource}`)
    }
  }
  requireBoundedInputs(inputs, request.PermissionsBoundaryPolicyInputList)
  const passed = inputs.map((text, at) => inputPolicy(text, `PolicyInputList.${at + 1}`))
  return {
    caller,
    layers: { ...boundedLayers(layers, request), identity: [...layers.identity, ...passed] },
    resourceControl: (account) =>
      deps.accountExists(account) ? deps.callerPolicies.ofResources(account) : [],
    context: withKnown(contextOf(request.ContextEntries ?? []), known),
    actions: request.ActionNames,
    resources,
    resourcePolicy: resourcePolicyOf(request, resources, deps),
    ownerOf: ownersIn(request, caller.account),
  }
}

/** A boundary that is passed takes the place of the one that is there. */
function boundedLayers(layers: CallerLayers, request: SimulationRequest): CallerLayers {
  const [text, ...others] = request.PermissionsBoundaryPolicyInputList ?? []
  if (text === undefined) return layers
  if (others.length > 0) throw invalidInput('Only one permissions boundary can be simulated.')
  return { ...layers, boundary: inputPolicy(text, 'PermissionsBoundaryPolicyInputList.1') }
}

function inputPolicy(text: string, name: string): SourcedPolicy {
  return { name, version: undefined, policy: compiledInput(text, 'identity', name) }
}

/** Inputs are compiled for one call: kept, they would push out policies that are in use. */
function compiledInput(text: string, kind: PolicyKind, name: string): CompiledPolicy {
  return asInvalidInput(name, () => compilePolicy(text, kind))
}

function asInvalidInput<T>(name: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code === 'internal') throw error
    throw invalidInput(`${name}: ${error.publicMessage}`)
  }
}

function resourcePolicyOf(
  { ResourcePolicy: given }: SimulationRequest,
  resources: readonly string[],
  { principals }: Pick<IamDeps, 'principals'>,
): Scenario['resourcePolicy'] {
  if (given === undefined) return undefined
  if (!resources.every((resource) => keyForm.test(resource))) {
    throw invalidInput('A ResourcePolicy can be simulated for the ARNs of KMS keys alone.')
  }
  const bound = asInvalidInput('ResourcePolicy', () => bindPrincipals(given, 'key', principals))
  return { policy: compiledInput(bound, 'key', 'ResourcePolicy'), given }
}

/** Whose a resource is that says it in its ARN; of another, the ResourceOwner's, and else of the caller's account. */
function ownersIn(
  { ResourceOwner: owner }: SimulationRequest,
  account: AccountId,
): Scenario['ownerOf'] {
  const named = owner === undefined ? account : parseAccountId(/\d{12}/.exec(owner)?.[0] ?? '')
  if (named === undefined || (owner !== undefined && !ownerForms(named).includes(owner))) {
    throw invalidInput(`Invalid ResourceOwner: ${owner}`)
  }
  return (resource) => parseAccountId(parseArn(resource)?.account ?? '') ?? named
}

function ownerForms(account: AccountId): readonly string[] {
  return [account, `arn:aws:iam::${account}:root`]
}

/** What a caller's requests always say, unless the simulation says something else. */
function withKnown(context: ConditionValues, known: ConditionValues): ConditionValues {
  const given = new Set(Object.keys(context).map(foldKey))
  const others = Object.entries(known).filter(([key]) => !given.has(foldKey(key)))
  return { ...Object.fromEntries(others), ...context }
}
