import type { Clock } from '../base/clock.ts'
import type { AccountId, Region } from '../base/ids.ts'
import type { Random } from '../base/random.ts'
import { serviceEventRecord } from '../record/event.ts'
import type { JsonObject } from '../services/operation.ts'
import type { OutboxEvent } from '../storage/port.ts'
import type { Accounts } from './accounts.ts'

export const operatorEventSource = 'operator.kagiban.internal'

/**
 * The record of an operator's action. Who it was is what the command said of itself: whoever may open the socket may
 * claim any name, so it helps the honest and proves nothing.
 */
export function operatorEvent(
  deps: { readonly clock: Clock; readonly random: Random; readonly accounts: Accounts },
  input: Readonly<Record<string, unknown>>,
  action: { name: string; account?: AccountId; region?: Region; details: JsonObject },
): OutboxEvent {
  const { deployment } = deps.accounts
  if (deployment === undefined) throw new Error('an operator acts on a deployment that was founded')
  const [home] = deployment.regions
  if (home === undefined) throw new Error('a deployment has a home Region')
  const eventId = deps.random.uuid()
  const operator =
    typeof input['operator'] === 'string' ? input['operator'].slice(0, 64) : 'unknown'
  const record = serviceEventRecord({
    eventId,
    userIdentity: { type: 'Operator', userName: operator, accountId: deployment.account },
    time: deps.clock.now(),
    eventSource: operatorEventSource,
    eventName: action.name,
    region: action.region ?? home,
    sourceIp: operatorEventSource,
    serviceEventDetails: action.details,
    recipientAccountId: action.account ?? deployment.account,
  })
  return { id: eventId, record }
}
