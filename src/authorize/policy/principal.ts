import { ServiceError } from '../../base/errors.ts'
import { type AccountId, parseAccountId, parseArn } from '../../base/ids.ts'
import type { PolicyDocument, PrincipalEntry } from './document.ts'

/**
 * Who a key policy can name.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
export type Principal =
  | { readonly type: 'everyone' }
  /** The account as a whole: written as its root ARN or as its bare id. */
  | { readonly type: 'account'; readonly account: AccountId }
  | {
      readonly type: 'user' | 'role' | 'role-session' | 'federated-user'
      readonly account: AccountId
      readonly arn: string
    }
  | { readonly type: 'service'; readonly name: string }

/** A path begins and ends with a slash. Wildcards are refused before these are tried. */
const path = String.raw`(?:/|/[\x21-\x7e]{1,510}/)`
const name = String.raw`[\w+=,.@-]{1,64}`
const iamForms = [
  ['user', new RegExp(`^user${path}${name}$`)],
  ['role', new RegExp(`^role${path}${name}$`)],
] as const
const stsForms = [
  ['role-session', /^assumed-role\/[\w+=,.@-]{1,64}\/[\w+=,.@-]{2,64}$/],
  ['federated-user', /^federated-user\/[\w+=,.@-]{2,32}$/],
] as const
const serviceName = /^[a-z0-9-]{1,64}(?:\.[a-z0-9-]{1,64}){0,4}\.amazonaws\.com$/

/** KMS says no more than this of a principal that it does not know, whatever is wrong with it. */
export function invalidPrincipals(detail: string): ServiceError {
  return new ServiceError(
    'malformed-policy',
    'Policy contains a statement with one or more invalid principals.',
    { detail },
  )
}

/** Undefined for a form that no key policy can have: groups, wildcards within an ARN, canonical users, unique ids. */
export function parsePrincipal(entry: PrincipalEntry): Principal | undefined {
  const { kind, text } = entry
  if (kind === 'Service') {
    return serviceName.test(text) ? { type: 'service', name: text } : undefined
  }
  if (kind !== 'AWS') return undefined
  if (text === '*') return { type: 'everyone' }
  const bare = parseAccountId(text)
  if (bare !== undefined) return { type: 'account', account: bare }
  return parsePrincipalArn(text)
}

/** Undefined as well for an ARN that names no account, user, role or session. */
export function parsePrincipalArn(text: string): Principal | undefined {
  if (text.includes('*') || text.includes('?')) return undefined
  const arn = parseArn(text)
  const account = parseAccountId(arn?.account ?? '')
  if (arn === undefined || account === undefined) return undefined
  if (arn.partition !== 'aws' || arn.region !== '') return undefined
  if (arn.service === 'iam' && arn.resource === 'root') return { type: 'account', account }
  const forms = arn.service === 'iam' ? iamForms : arn.service === 'sts' ? stsForms : []
  const form = forms.find(([, pattern]) => pattern.test(arn.resource))
  return form === undefined ? undefined : { type: form[0], account, arn: text }
}

/** Every principal that the policy names, each statement's in its order. Throws 'malformed-policy'. */
export function principalsOf(document: PolicyDocument): Principal[] {
  return document.statements.flatMap((statement) =>
    (statement.principal?.entries ?? []).map(requirePrincipal),
  )
}

export function requirePrincipal(entry: PrincipalEntry): Principal {
  const principal = parsePrincipal(entry)
  if (principal === undefined) {
    throw invalidPrincipals(`line ${entry.at.line}, column ${entry.at.column}: ${entry.kind}`)
  }
  return principal
}
