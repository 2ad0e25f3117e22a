import { type JsonValue, syntaxError } from '../json.ts'
import type { PatternElement, PolicyKind, PrincipalElement, Statement } from './document.ts'

/**
 * What the kinds of policies ask of a statement beyond the language that they share.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
 */
const principalOf: Readonly<Record<PolicyKind, 'named' | 'nobody' | 'everyone'>> = {
  key: 'named',
  trust: 'named',
  bucket: 'named',
  identity: 'nobody',
  'service-control': 'nobody',
  'resource-control': 'everyone',
}

/**
 * Who the statement names. A resource control policy must say that it bounds everyone, and is then like the others that
 * name nobody.
 */
export function principalOfKind(
  principal: PrincipalElement | undefined,
  statement: JsonValue,
  kind: PolicyKind,
): PrincipalElement | undefined {
  const rule = principalOf[kind]
  if (rule === 'nobody') {
    if (principal === undefined) return undefined
    throw syntaxError(
      statement.at,
      'a policy of this kind names no principal.',
      'principal-in-identity-policy',
    )
  }
  if (principal === undefined) {
    throw syntaxError(statement.at, 'Principal is missing.', 'no-principal')
  }
  if (kind === 'trust' && principal.inverted) {
    throw syntaxError(
      statement.at,
      'a trust policy has no NotPrincipal.',
      'not-principal-in-trust-policy',
    )
  }
  if (rule === 'named') return principal
  const [only, ...others] = principal.entries
  if (principal.inverted || only?.text !== '*' || only.kind !== 'AWS' || others.length > 0) {
    throw syntaxError(statement.at, 'Principal must be "*".', 'structure')
  }
  return undefined
}

/** A trust policy is about its role, and must not name it. */
export function resourceOfKind(
  resource: PatternElement | undefined,
  { at }: JsonValue,
  kind: PolicyKind,
): PatternElement | undefined {
  if (kind !== 'trust') return resource
  if (resource === undefined) return { inverted: false, patterns: [{ at, text: '*' }] }
  throw syntaxError(at, 'a trust policy has no Resource.', 'resource-in-trust-policy')
}

const plainSid = /^[A-Za-z0-9]*$/

export function requireSidOfKind(sid: JsonValue & { type: 'string' }, kind: PolicyKind): void {
  if (kind === 'key' || kind === 'bucket' || plainSid.test(sid.text)) return
  throw syntaxError(sid.at, 'a Sid has letters and digits only.', 'structure')
}

/** KMS alone takes a statement without Action or Resource, which then matches nothing. */
export function requireWhole(statements: readonly Statement[], kind: PolicyKind): void {
  if (kind === 'key') return
  for (const { action, at } of statements) {
    if (action === undefined) throw syntaxError(at, 'Action is missing.', 'no-action')
  }
  for (const { resource, at } of statements) {
    if (resource === undefined) throw syntaxError(at, 'Resource is missing.', 'no-resource')
  }
  if (kind === 'trust') for (const { action } of statements) requireActionsOfSts(action)
}

function requireActionsOfSts(action: PatternElement | undefined): void {
  for (const { at, text } of action?.patterns ?? []) {
    if (!text.toLowerCase().startsWith('sts:')) {
      throw syntaxError(at, 'a trust policy is about actions of sts alone.', 'action-not-of-sts')
    }
  }
}
