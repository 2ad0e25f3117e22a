import type { DutiesMixed } from './authorize/analyse/mixed.ts'
import { ServiceError } from './base/errors.ts'
import { type Call, decoded } from './record/call.ts'

const text =
  'keeps administration and use apart, and after this change they could not be proven to be.'

/**
 * What a caller is told whose change is refused for a key that keeps its duties separate. A call of KMS names the key,
 * and the error is the one that the operation has for what it puts. A change of identities can be about a key of any
 * account: only the own account's is named. IAM has no error for it, so it is AccessDenied, which every operation has.
 */
export function refusalOf({ keyArn, keyAccount, why }: DutiesMixed, call: Call): ServiceError {
  const { operation, context } = decoded(call)
  const detail = `${keyArn}: ${why}`
  if (call.service?.signingName === 'kms') {
    const code = (['tag', 'malformed-policy'] as const).find((each) =>
      operation.errors.includes(each),
    )
    return new ServiceError(code ?? 'invalid-state', `The key ${text}`, { detail })
  }
  const key =
    keyAccount === context.caller.account ? `The key ${keyArn}` : 'A key that this change affects'
  return new ServiceError('access-denied', `${key} ${text}`, { detail })
}
