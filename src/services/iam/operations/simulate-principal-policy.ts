import { list, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import { invalidInput } from '../errors.ts'
import * as shapes from '../shapes.ts'
import { simulate } from '../simulation/pages.ts'
import { scenarioOf } from '../simulation/scenario.ts'
import { simulationMembers, simulationOutput } from '../simulation/shapes.ts'
import { findSource, namedCaller } from '../simulation/source.ts'

const input = structure({
  PolicySourceArn: required(shapes.arn),
  PolicyInputList: list(shapes.policyDocument),
  ...simulationMembers,
})

export const simulatePrincipalPolicy = operation({
  name: 'SimulatePrincipalPolicy',
  input,
  output: simulationOutput,
  effects: 'read',
  errors: ['invalid-input', 'no-such-entity'],
  resolve: (call, request, deps: IamDeps) => findSource(call, request.PolicySourceArn, deps),
  checks: (_call, _request, source) => [source.check('iam:SimulatePrincipalPolicy')],
  audit: {
    request: (request) =>
      recorded(
        input,
        request,
        ...(['PolicySourceArn', 'PolicyInputList', 'PermissionsBoundaryPolicyInputList'] as const),
        ...(['ActionNames', 'ResourceArns', 'ResourcePolicy', 'ResourceOwner'] as const),
        ...(['CallerArn', 'ContextEntries', 'MaxItems', 'Marker'] as const),
      ),
    resources: ({ resources }) => resources,
  },
  handle(_call, request, source, deps) {
    const simulated = source.simulated()
    const { CallerArn, ResourcePolicy, PolicyInputList = [], PolicySourceArn } = request
    if (ResourcePolicy !== undefined && CallerArn === undefined) {
      if (!PolicySourceArn.includes(':user/')) {
        throw invalidInput('CallerArn is required with a ResourcePolicy.')
      }
    }
    // Another caller is simulated as if the policies of the source were its own.
    const named =
      CallerArn === undefined || CallerArn === PolicySourceArn ? {} : namedCaller(CallerArn, deps)
    const scenario = scenarioOf(request, PolicyInputList, { ...simulated, ...named }, deps)
    return simulate(request, scenario)
  },
})
