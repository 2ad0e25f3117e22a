import type { AccountId } from '../../base/ids.ts'
import { canonicalUserId } from './owner.ts'
import { xmlDocument } from './xml-text.ts'

const type = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"'

/** The ACL of everything in a bucket while ACLs are off: all of it is the owner's. */
export function ownersAcl(account: AccountId) {
  const id = `<ID>${canonicalUserId(account)}</ID>`
  const grant = `<Grant><Grantee ${type}>${id}</Grantee><Permission>FULL_CONTROL</Permission></Grant>`
  const content = `<Owner>${id}</Owner><AccessControlList>${grant}</AccessControlList>`
  return xmlDocument('AccessControlPolicy', content)
}
