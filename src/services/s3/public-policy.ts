import { foldKey } from '../../authorize/conditions/folded-names.ts'
import type { BaseOperator } from '../../authorize/conditions/operator-name.ts'
import type { Condition, Statement } from '../../authorize/policy/document.ts'
import { parsePolicy } from '../../authorize/policy/parse.ts'

/** Of one half: what was asked of late is in the young one or in the old one. */
const policiesMax = 512
let young = new Map<string, boolean>()
let old = new Map<string, boolean>()

/**
 * Whether a bucket policy lets in whom it does not name: it is public unless every statement that allows does so to
 * fixed principals, or under a condition that leaves only fixed ones.
 * "The meaning of public" in
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
 */
export function isPublicPolicy(policy: string): boolean {
  const known = young.get(policy)
  if (known !== undefined) return known
  const isPublic = old.get(policy) ?? readPolicy(policy)
  if (young.size >= policiesMax) {
    old = young
    young = new Map()
  }
  young.set(policy, isPublic)
  return isPublic
}

/** What cannot be read is taken for public. */
function readPolicy(text: string): boolean {
  try {
    return parsePolicy(text, 'bucket').statements.some(letsInAnybody)
  } catch {
    return true
  }
}

function letsInAnybody({ effect, principal, conditions }: Statement): boolean {
  if (effect === 'Deny' || conditions.some(limits)) return false
  if (principal === undefined || principal.inverted) return true
  return principal.entries.some(({ text }) => text.includes('*'))
}

const equality: ReadonlySet<BaseOperator> = new Set<BaseOperator>([
  ...(['StringEquals', 'StringEqualsIgnoreCase', 'StringLike', 'ArnEquals', 'ArnLike'] as const),
])
/**
 * Folded. What a request has of these its sender cannot choose, but for the last: whoever names that KMS key must be
 * let in by it.
 */
const limitingKeys: ReadonlySet<string> = new Set(
  [
    ...['aws:PrincipalAccount', 'aws:PrincipalArn', 'aws:PrincipalOrgID', 'aws:PrincipalOrgPaths'],
    ...['aws:PrincipalServiceName', 'aws:SourceAccount', 'aws:SourceArn', 'aws:SourceOrgID'],
    ...['aws:SourceOrgPaths', 'aws:SourceOwner', 'aws:SourceVpc', 'aws:SourceVpce', 'aws:userid'],
    ...['s3:DataAccessPointAccount', 's3:DataAccessPointArn'],
    's3:x-amz-server-side-encryption-aws-kms-key-id',
  ].map(foldKey),
)
const sourceIp = foldKey('aws:SourceIp')
const accessPointArn = foldKey('s3:DataAccessPointArn')
/** Of an account that is fixed: its access points may have any names. */
const accessPointsOfAccount = /^arn:aws:s3:[^:]*:\d{12}:accesspoint\/[^$]*$/

/** A key that may be absent, or a set that may be empty, limits nothing. */
function limits({ operator, key, values }: Condition): boolean {
  const { base, quantifier, ifExists } = operator
  if (ifExists || quantifier === 'ForAllValues') return false
  const folded = foldKey(key)
  if (folded === sourceIp) return base === 'IpAddress' && areNarrow(values.map(({ text }) => text))
  if (!equality.has(base) || !limitingKeys.has(folded)) return false
  if (folded === accessPointArn) {
    return values.every(({ text }) => isFixed(text) || accessPointsOfAccount.test(text))
  }
  return values.every(({ text }) => isFixed(text))
}

function isFixed(text: string): boolean {
  return text !== '' && !/[*?]|\$\{/.test(text)
}

/** Shorter prefixes than these are as good as none. */
const prefixMin = { ipv4: 8, ipv6: 32 }

/** Nor together half of all addresses, which would be public as one range. Of version 6 no policy holds so many. */
function areNarrow(ranges: readonly string[]): boolean {
  const share = ranges.reduce((sum, range) => sum + shareOf(range), 0)
  return share < 1 / 2
}

/** Of all addresses of its version; 1 for what is not narrow. */
function shareOf(range: string): number {
  const [min, bits] = range.includes(':') ? [prefixMin.ipv6, 128] : [prefixMin.ipv4, 32]
  const slash = range.indexOf('/')
  const prefix = slash < 0 ? bits : Number(range.slice(slash + 1))
  return isFixed(range) && prefix >= min ? 2 ** -prefix : 1
}
