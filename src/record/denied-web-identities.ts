import type { Allowance } from '../base/token-buckets.ts'
import type { JsonObject } from '../services/operation.ts'
import type { Call } from './call.ts'
import { jsonText } from './event.ts'

/**
 * Whoever has a token of a provider that an account trusts, of a public one that is anybody, can ask for its roles
 * without a signature and without being allowed anything. Such denials are recorded one by one as long as they are few,
 * and with little of what the request said.
 * `docs/decisions/0003-unauthenticated-requests-are-counted.md`
 */
export function isDeniedWebIdentity({ identity, failure, authorized }: Call): boolean {
  return identity?.caller.type === 'web-identity' && failure !== undefined && authorized !== true
}

/** How many of one account have records of their own: sixty at once, and six more each minute. */
export const deniedAllowance: Allowance = { burst: 60, rate: 0.1 }

/** For requestParameters, and a third of it for what the denial was decided on. */
export const deniedElementBytes = 12 * 1024

/** In bytes of its JSON text: more than the ARN of any role has. */
const memberBytesMax = 1024

/** requestParameters without members that are long. */
export function shortened(element: JsonObject): JsonObject {
  const members = Object.entries(element).map(([name, value]) => {
    const bytes = value === undefined ? 0 : Buffer.byteLength(jsonText(value))
    return [name, bytes > memberBytesMax ? { omitted: true, originalSize: bytes } : value]
  })
  return Object.fromEntries(members)
}
