import { ServiceError } from '../../base/errors.ts'
import { percentEncoded } from '../../base/percent-encoding.ts'

/**
 * As IAM counts the size of a policy: characters other than white space. More white space than indenting takes counts
 * as well, since all of a text is kept: what is three quarters of it or more.
 */
export function policySize(text: string): number {
  let size = 0
  for (let at = 0; at < text.length; at++) if (!isWhiteSpace(text.charCodeAt(at))) size++
  return Math.max(size, Math.ceil(text.length / 4))
}

/** Tab, line feed, carriage return and space: policies have no other. */
function isWhiteSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d
}

/** `what` and `name` as in `Maximum policy size of 2048 bytes exceeded for user alice`. */
export function requirePolicySize(
  size: number,
  max: number,
  what: 'user' | 'group' | 'role' | 'policy',
  name: string,
): void {
  if (size <= max) return
  throw new ServiceError(
    'limit-exceeded',
    `Maximum policy size of ${max} bytes exceeded for ${what} ${name}`,
  )
}

/** A policy document as IAM's answers have it: URL-encoded, RFC 3986. */
export function documentInAnswer(text: string): string {
  return percentEncoded(text)
}
