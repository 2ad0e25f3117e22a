import {
  boolean,
  integer,
  list,
  map,
  oneOf,
  required,
  string,
  structure,
  type Value,
} from '../../../wire/schema.ts'
import * as shapes from '../shapes.ts'

/** Bounds as in the service model. A form has a bound of its own on how many parameters it may have. */
const resourceName = string({ min: 1, max: 2048 })
const contextKeyName = string({ min: 5, max: 256 })

const contextEntry = structure({
  ContextKeyName: contextKeyName,
  ContextKeyValues: list(string()),
  ContextKeyType: oneOf(
    ...['string', 'stringList', 'numeric', 'numericList', 'boolean', 'booleanList'],
    ...['ip', 'ipList', 'binary', 'binaryList', 'date', 'dateList'],
  ),
})

/** Of both simulations. */
export const simulationMembers = {
  PermissionsBoundaryPolicyInputList: list(shapes.policyDocument),
  ActionNames: required(list(string({ min: 3, max: 128 }))),
  ResourceArns: list(resourceName),
  ResourcePolicy: shapes.policyDocument,
  ResourceOwner: resourceName,
  CallerArn: resourceName,
  ContextEntries: list(contextEntry),
  ResourceHandlingOption: string({ min: 1, max: 64 }),
  ...shapes.pageInput,
} as const

const simulationRequest = structure(simulationMembers)
export type SimulationRequest = Value<typeof simulationRequest>

const position = structure({ Line: integer(), Column: integer() })
const matchedStatements = list(
  structure({
    SourcePolicyId: string(),
    SourcePolicyType: string(),
    StartPosition: position,
    EndPosition: position,
  }),
)
const boundaryDetail = structure({ AllowedByPermissionsBoundary: boolean() })
const evaluation = {
  MatchedStatements: matchedStatements,
  MissingContextValues: list(string()),
  PermissionsBoundaryDecisionDetail: boundaryDetail,
  EvalDecisionDetails: map(),
} as const

const evaluationResult = structure({
  EvalActionName: string(),
  EvalResourceName: string(),
  EvalDecision: string(),
  ...evaluation,
  OrganizationsDecisionDetail: structure({ AllowedByOrganizations: boolean() }),
  ResourceSpecificResults: list(
    structure({ EvalResourceName: string(), EvalResourceDecision: string(), ...evaluation }),
  ),
})
export type EvaluationResult = Value<typeof evaluationResult>

export const simulationOutput = structure({
  EvaluationResults: list(evaluationResult),
  ...shapes.pageOutput,
})

export const contextKeysOutput = structure({ ContextKeyNames: list(string()) })
