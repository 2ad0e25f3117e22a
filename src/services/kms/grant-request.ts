import type { PrincipalNames } from '../../authorize/policy/bind.ts'
import { isSymmetric } from '../../hsm/key-specs.ts'
import type { EncryptionContext } from '../../hsm/port.ts'
import { boolean, list, required, structure, type Value } from '../../wire/schema.ts'
import type { CallContext, ConditionValues } from '../operation.ts'
import { addContextConditions, requireBoundedContext } from './encryption-context.ts'
import {
  constraintOfSymmetric,
  eitherConstraint,
  eitherGrantee,
  eitherRetiring,
  grantOperationsMissing,
  invalidConstraint,
  onlyCreateGrant,
  serviceGranteeBounds,
  unsupportedGrantOperation,
} from './errors.ts'
import { contextOf, operationNames, operationSet, pairsOf, supportedOperations } from './grant.ts'
import type { GrantTerms } from './grant-evidence.ts'
import { grantPrincipal, partyShownAs, requireGrantParty } from './grant-principal.ts'
import { arnOf, type KeyRecord } from './key.ts'
import * as shapes from './shapes.ts'

export const createGrantInput = structure({
  KeyId: required(shapes.keyId),
  GranteePrincipal: shapes.principal,
  RetiringPrincipal: shapes.principal,
  Operations: required(list(shapes.grantOperation)),
  Constraints: shapes.grantConstraints,
  GrantTokens: shapes.grantTokens,
  Name: shapes.grantName,
  DryRun: boolean(),
  GranteeServicePrincipal: shapes.servicePrincipal,
  RetiringServicePrincipal: shapes.servicePrincipal,
})

type Names = Pick<PrincipalNames, 'idOf'>

export type GrantRequest = Value<typeof createGrantInput>

/**
 * Of each of the two constraints; AWS bounds values alone, and here keys are as long at the most.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html
 */
const pairsMax = 8
const valueMax = 384

/** What can be said of a request before its key is known. Throws 'validation' and 'invalid-arn'. */
export function grantTerms(request: GrantRequest, names: Names): GrantTerms {
  const terms = {
    grantee: granteeOf(request, names),
    retiring: retiringOf(request, names),
    operations: operationSet(request.Operations),
    name: request.Name,
    contextEquals: constraintPairs(request.Constraints?.EncryptionContextEquals),
    contextSubset: constraintPairs(request.Constraints?.EncryptionContextSubset),
    sourceArn: request.Constraints?.SourceArn,
  }
  if (terms.operations === 0) throw grantOperationsMissing()
  if (terms.operations === operationSet(['CreateGrant'])) throw onlyCreateGrant()
  if (terms.contextEquals !== undefined && terms.contextSubset !== undefined) {
    throw eitherConstraint()
  }
  const ofService = request.GranteeServicePrincipal !== undefined
  if (ofService && (terms.sourceArn === undefined || terms.retiring === undefined)) {
    throw serviceGranteeBounds()
  }
  return terms
}

function granteeOf(request: GrantRequest, names: Names): string {
  const { GranteePrincipal: arn, GranteeServicePrincipal: service } = request
  if (arn !== undefined && service === undefined) return partyIn(arn, names)
  if (arn !== undefined || service === undefined) throw eitherGrantee()
  return service
}

function retiringOf(request: GrantRequest, names: Names): string | undefined {
  const { RetiringPrincipal: arn, RetiringServicePrincipal: service } = request
  if (arn !== undefined && service !== undefined) throw eitherRetiring()
  return arn === undefined ? service : partyIn(arn, names)
}

/** The ARN itself for one that does not exist: `requireParties` tells. */
function partyIn(arn: string, names: Names): string {
  grantPrincipal(arn)
  return partyShownAs(arn, names)
}

/** To be asked behind authorization. Throws 'invalid-arn' for a principal that does not exist. */
export function requireParties(request: GrantRequest, names: Names): void {
  for (const arn of [request.GranteePrincipal, request.RetiringPrincipal]) {
    if (arn !== undefined) requireGrantParty(arn, names)
  }
}

/**
 * A constraint without pairs counts as none, as IAM Access Analyzer says of the same structure
 * (https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_KmsGrantConstraints.html). Keys that differ by
 * case alone are refused: AWS says in one place that constraints heed the case of keys, in another that they do not.
 */
function constraintPairs(context: EncryptionContext | undefined): readonly string[] | undefined {
  requireBoundedContext(context)
  const keys = Object.keys(context ?? {})
  if (keys.length > pairsMax) {
    throw invalidConstraint(`can include up to ${pairsMax} encryption context pairs`)
  }
  if (new Set(keys.map((key) => key.toLowerCase())).size < keys.length) {
    throw invalidConstraint('cannot include keys that differ only by case')
  }
  if (keys.some((key) => key.length > valueMax)) {
    throw invalidConstraint(`cannot include a key of more than ${valueMax} characters`)
  }
  if (keys.some((key) => (context?.[key] ?? '').length > valueMax)) {
    throw invalidConstraint(`cannot include a value of more than ${valueMax} characters`)
  }
  return pairsOf(context)
}

/** Whether the key supports what the grant permits. Throws 'validation'. */
export function requireFit(terms: GrantTerms, key: KeyRecord): void {
  const [unsupported] = operationNames(terms.operations & ~supportedOperations(key))
  if (unsupported !== undefined) throw unsupportedGrantOperation(arnOf(key), unsupported)
  const byContext = terms.contextEquals ?? terms.contextSubset
  if (byContext !== undefined && !isSymmetric(key.keySpec)) {
    throw constraintOfSymmetric(arnOf(key))
  }
}

/**
 * What policies can ask of a grant that is to be.
 * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-grant-operations
 */
export function grantConditions(
  call: CallContext,
  request: GrantRequest,
  terms: GrantTerms,
): ConditionValues {
  const parties = {
    'kms:GranteePrincipal': request.GranteePrincipal,
    'kms:GranteeServicePrincipal': request.GranteeServicePrincipal,
    'kms:RetiringPrincipal': request.RetiringPrincipal,
    'kms:RetiringServicePrincipal': request.RetiringServicePrincipal,
    'kms:GrantConstraintSourceArn': terms.sourceArn,
  }
  const conditions: Record<string, string | readonly string[]> = {
    ...forAwsResource(call),
    ...constraintConditions(terms),
    'kms:GrantOperations': operationNames(terms.operations),
  }
  for (const [name, value] of Object.entries(parties)) {
    if (value !== undefined) conditions[name] = value
  }
  return conditions
}

/** What policies can ask of the constraint of a grant, made or to be made, on the encryption context. */
export function constraintConditions({
  contextEquals,
  contextSubset,
}: Pick<GrantTerms, 'contextEquals' | 'contextSubset'>): ConditionValues {
  const pairs = contextEquals ?? contextSubset
  if (pairs === undefined) return {}
  const conditions: Record<string, string | readonly string[]> = {
    'kms:GrantConstraintType':
      contextEquals === undefined ? 'EncryptionContextSubset' : 'EncryptionContextEquals',
  }
  addContextConditions(conditions, contextOf(pairs))
  return conditions
}

/** True when a service calls on somebody's behalf. */
export function forAwsResource({ via }: CallContext): ConditionValues {
  return { 'kms:GrantIsForAWSResource': String(via !== undefined) }
}
