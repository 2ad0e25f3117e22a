import { ServiceError } from './base/errors.ts'
import type { KeyFinder } from './services/cloudtrail/deps.ts'
import { arnOf } from './services/kms/key.ts'
import { type IdentifierRules, resolveKey } from './services/kms/key-identifier.ts'
import type { KmsState } from './services/kms/state.ts'
import type { CallContext } from './services/operation.ts'

/** Of the caller's account alone: whether a key of another one lets CloudTrail use it cannot be asked here. */
const rules: IdentifierRules = {
  permission: 'kms:DescribeKey',
  aliases: true,
  crossAccount: false,
  badArn: 'not-found',
}

/** The keys that trails name, out of the state of KMS. */
export function trailKeys(state: KmsState): KeyFinder {
  return {
    find(call, text) {
      const key = keyNamed(call, text, state)
      return (
        key && {
          arn: arnOf(key),
          encrypts: key.keySpec === 'SYMMETRIC_DEFAULT',
          enabled: key.state === 'Enabled',
        }
      )
    },
  }
}

function keyNamed(call: CallContext, text: string, state: KmsState) {
  try {
    return resolveKey(call, text, rules, state).key
  } catch (error) {
    if (error instanceof ServiceError) return undefined
    throw error
  }
}
