import { list, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import { iamCheck } from '../checks.ts'
import type { IamDeps } from '../deps.ts'
import { invalidInput } from '../errors.ts'
import * as shapes from '../shapes.ts'
import { simulate } from '../simulation/pages.ts'
import { scenarioOf } from '../simulation/scenario.ts'
import { simulationMembers, simulationOutput } from '../simulation/shapes.ts'
import { anybodyOf, namedCaller } from '../simulation/source.ts'

const input = structure({
  PolicyInputList: required(list(shapes.policyDocument)),
  ...simulationMembers,
})

export const simulateCustomPolicy = operation({
  name: 'SimulateCustomPolicy',
  input,
  output: simulationOutput,
  effects: 'read',
  errors: ['invalid-input'],
  resolve: (_call, _request, _deps: IamDeps) => undefined,
  checks: (call) => [iamCheck(call, 'iam:SimulateCustomPolicy', '*')],
  audit: {
    request: (request) =>
      recorded(
        input,
        request,
        ...(['PolicyInputList', 'PermissionsBoundaryPolicyInputList', 'ActionNames'] as const),
        ...(['ResourceArns', 'ResourcePolicy', 'ResourceOwner', 'CallerArn'] as const),
        ...(['ContextEntries', 'MaxItems', 'Marker'] as const),
      ),
  },
  handle(call, request, _target, deps) {
    const { CallerArn, ResourcePolicy, PolicyInputList } = request
    if (ResourcePolicy !== undefined && CallerArn === undefined) {
      throw invalidInput('CallerArn is required with a ResourcePolicy.')
    }
    const { caller, known } =
      CallerArn === undefined ? anybodyOf(call.caller.account) : namedCaller(CallerArn, deps)
    const layers = { identity: [], boundary: undefined, session: undefined, serviceControl: [] }
    const scenario = scenarioOf(request, PolicyInputList, { caller, layers, known }, deps)
    return simulate(request, { ...scenario, resourceControl: () => [] })
  },
})
