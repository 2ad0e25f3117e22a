import type { Condition, Statement } from '../../authorize/policy/document.ts'
import { parsePolicy } from '../../authorize/policy/parse.ts'

/** Conditions on these say who it is, or where from: with fixed values, access is no longer public. */
const identifying = new Set([
  ...['aws:principalaccount', 'aws:principalarn', 'aws:principalorgid', 'aws:userid'],
  ...['aws:sourceaccount', 'aws:sourcearn', 'aws:sourceorgid', 'aws:sourceowner'],
  ...['aws:sourceip', 'aws:sourcevpc', 'aws:sourcevpce', 'kms:calleraccount'],
])
const limiting = new Set([
  ...['StringEquals', 'StringEqualsIgnoreCase', 'StringLike', 'ArnEquals', 'ArnLike', 'IpAddress'],
])

/**
 * The index of the first statement by which the policy lets in whoever is not named by a fixed value; undefined when
 * there is none. What Deny statements take away again is not counted.
 * https://docs.aws.amazon.com/config/latest/developerguide/kms-key-policy-no-public-access.html
 */
export function publicStatement(policy: string): number | undefined {
  const { statements } = parsePolicy(policy, 'key')
  const index = statements.findIndex(isPublic)
  return index < 0 ? undefined : index
}

function isPublic({ effect, principal, conditions }: Statement): boolean {
  if (effect !== 'Allow' || principal === undefined) return false
  const everybody = principal.entries.some(({ kind, text }) => kind === 'AWS' && text === '*')
  return (principal.inverted || everybody) && !conditions.some(isFixed)
}

function isFixed({ operator, key, values }: Condition): boolean {
  const { base, ifExists, quantifier } = operator
  if (ifExists || quantifier === 'ForAllValues' || !limiting.has(base)) return false
  const folded = key.toLowerCase()
  return identifying.has(folded) && values.every(({ text }) => isFixedValue(folded, text))
}

function isFixedValue(key: string, text: string): boolean {
  // A session of one role is as good as the role.
  const fixed = key === 'aws:userid' ? text.replace(/^(AROA[A-Z0-9]+):\*$/, '$1') : text
  if (key === 'aws:sourceip') return !/\/0$/.test(fixed)
  return !/[*?]|\$\{/.test(fixed)
}
