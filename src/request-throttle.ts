import type { Clock } from './base/clock.ts'
import type { Quotas } from './operator/quotas.ts'
import type { Call } from './record/call.ts'
import { requestQuota } from './services/kms/quotas.ts'
import { Throttle } from './throttle.ts'

const usualText = 'Rate exceeded'
/** KMS has words of its own. https://docs.aws.amazon.com/kms/latest/developerguide/throttling.html */
const kmsText =
  'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.'

/** The stage that holds callers to the request quotas that the operator has set. */
export function requestThrottle(quotas: Quotas, clock: Clock): (call: Call) => void {
  const throttle = new Throttle((account, pool) => quotas.valueFor(requestQuota(pool), account))
  return ({ service, operation, identity, target }) => {
    const pool = service?.requestPool?.(operation?.name ?? '', target)
    if (pool !== undefined && identity !== undefined) {
      const text = service?.signingName === 'kms' ? kmsText : usualText
      throttle.admit(identity.caller.account, pool, clock.now(), text)
    }
  }
}
