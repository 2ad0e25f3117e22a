import type { CustomerKey } from '../../encryption/customer-key.ts'
import type { ChosenEncryption } from '../../encryption/request.ts'

export function wipeChosen(chosen: ChosenEncryption): void {
  if (chosen.mode === 'customer') wipeCustomerKey(chosen.customer)
}

/** A key that a request brought and that is of no more use. */
export function wipeCustomerKey(customer: CustomerKey | undefined): void {
  customer?.key.fill(0)
}
