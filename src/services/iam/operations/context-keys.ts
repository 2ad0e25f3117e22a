import { parsePolicy } from '../../../authorize/policy/parse.ts'
import { ServiceError } from '../../../base/errors.ts'
import { list, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import { iamCheck } from '../checks.ts'
import type { IamDeps } from '../deps.ts'
import { invalidInput } from '../errors.ts'
import * as shapes from '../shapes.ts'
import { contextKeysOf } from '../simulation/context-keys.ts'
import { requireBoundedInputs } from '../simulation/policy-inputs.ts'
import { contextKeysOutput } from '../simulation/shapes.ts'
import { findSource } from '../simulation/source.ts'

const customInput = structure({ PolicyInputList: required(list(shapes.policyDocument)) })

export const getContextKeysForCustomPolicy = operation({
  name: 'GetContextKeysForCustomPolicy',
  input: customInput,
  output: contextKeysOutput,
  effects: 'read',
  errors: ['invalid-input'],
  resolve: (_call, _request, _deps: IamDeps) => undefined,
  checks: (call) => [iamCheck(call, 'iam:GetContextKeysForCustomPolicy', '*')],
  audit: { request: (request) => recorded(customInput, request, 'PolicyInputList') },
  handle(_call, request) {
    requireBoundedInputs(request.PolicyInputList)
    return { output: { ContextKeyNames: contextKeysOf(request.PolicyInputList.map(documentOf)) } }
  },
})

const principalInput = structure({
  PolicySourceArn: required(shapes.arn),
  PolicyInputList: list(shapes.policyDocument),
})

export const getContextKeysForPrincipalPolicy = operation({
  name: 'GetContextKeysForPrincipalPolicy',
  input: principalInput,
  output: contextKeysOutput,
  effects: 'read',
  errors: ['invalid-input', 'no-such-entity'],
  resolve: (call, request, deps: IamDeps) => findSource(call, request.PolicySourceArn, deps),
  checks: (_call, _request, source) => [source.check('iam:GetContextKeysForPrincipalPolicy')],
  audit: {
    request: (request) => recorded(principalInput, request, 'PolicySourceArn', 'PolicyInputList'),
    resources: ({ resources }) => resources,
  },
  handle(_call, request, source) {
    requireBoundedInputs(request.PolicyInputList)
    const { identity } = source.simulated().layers
    const texts = [...identity.map(({ policy }) => policy.text), ...(request.PolicyInputList ?? [])]
    return { output: { ContextKeyNames: contextKeysOf(texts.map(documentOf)) } }
  },
})

function documentOf(text: string) {
  try {
    return parsePolicy(text, 'identity')
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    throw invalidInput(`Invalid policy: ${error.publicMessage}`)
  }
}
