import type { Caller } from '../base/caller.ts'
import { ServiceError } from '../base/errors.ts'
import type { AccountId } from '../base/ids.ts'
import type { ConditionValues } from './conditions/context.ts'
import { foldKey } from './conditions/folded-names.ts'
import type { CallerLayers } from './layers.ts'
import { wouldLockOut } from './lockout.ts'
import { bindPrincipals, type PrincipalNames } from './policy/bind.ts'
import { compileDocument, compilePolicy } from './policy/compile.ts'
import type { PolicyDocument } from './policy/document.ts'
import { parsePolicy } from './policy/parse.ts'

/** Who puts the policy, on which key, and what is known of the principals that it names. */
export type PolicyAdmission = {
  readonly caller: Caller
  readonly keyArn: string
  readonly keyAccount: AccountId
  readonly conditions: readonly ConditionValues[]
  readonly layers?: CallerLayers | undefined
  readonly principals: Pick<PrincipalNames, 'idOf'>
  readonly bypassLockoutSafetyCheck: boolean
}

/**
 * Everything that is checked when a key policy is put, in this order: JSON, structure, principals, ForAllValues,
 * lockout. Only the last can be bypassed. Throws 'malformed-policy', or 'limit-exceeded' for a policy that is too long.
 * Answers the text to be stored.
 */
export function admitKeyPolicy(text: string, admission: PolicyAdmission): string {
  const document = parsePolicy(text, 'key')
  compileDocument(document, text)
  const bound = bindPrincipals(text, 'key', admission.principals)
  refuseOverlyPermissiveConditions(document)
  const policy = compilePolicy(bound)
  const { caller, keyArn, keyAccount, conditions, layers } = admission
  if (
    !admission.bypassLockoutSafetyCheck &&
    wouldLockOut(policy, caller, keyArn, keyAccount, conditions, layers)
  ) {
    throw new ServiceError(
      'malformed-policy',
      'The new key policy will not allow you to update the key policy in the future.',
    )
  }
  return bound
}

/** Keys of which a request has one value or none: ForAllValues would match every request that lacks the key. */
const singleValued = [
  ['kms:encryptioncontext:', 'encryption context'],
  ['aws:requesttag/', 'tag'],
] as const

/** https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html */
function refuseOverlyPermissiveConditions(document: PolicyDocument): void {
  for (const { operator, key } of document.statements.flatMap(({ conditions }) => conditions)) {
    if (operator.quantifier !== 'ForAllValues') continue
    const found = singleValued.find(([prefix]) => foldKey(key).startsWith(prefix))
    if (found !== undefined) {
      const what = found[1]
      throw new ServiceError(
        'malformed-policy',
        `OverlyPermissiveCondition: Using the ForAllValues set operator with a single-valued condition key matches requests without the specified ${what} or with an unspecified ${what}. To fix, remove ForAllValues.`,
      )
    }
  }
}
