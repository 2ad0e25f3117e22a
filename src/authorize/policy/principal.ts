import { ServiceError } from '../../base/errors.ts'
import { type AccountId, parseAccountId, parseArn } from '../../base/ids.ts'
import type { PolicyDocument, PolicyKind, PrincipalEntry } from './document.ts'

/**
 * Who a key policy or a trust policy can name.
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
  /** Whoever an OpenID provider vouches for; in trust policies alone. */
  | { readonly type: 'oidc-provider'; readonly account: AccountId; readonly arn: string }
  | { readonly type: 'service'; readonly name: string }
  /** What a stored policy has in the place of a user, a role or a session: `AIDA…`, `AROA…`, `AROA…:session`. */
  | { readonly type: 'id'; readonly id: string }

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
const uniqueId = /^(?:AIDA[A-Z0-9]{12,124}|AROA[A-Z0-9]{12,124}(?::[\w+=,.@-]{2,64})?)$/
/** The issuer behind its scheme: a host, perhaps a port and a path. */
const providerArn =
  /^arn:aws:iam::([0-9]{12}):oidc-provider\/([a-z0-9.-]{1,255}(?::[0-9]{1,5})?(?:\/[\w.~%:@!$&'()+,;=-]{1,255}){0,32}\/?)$/
const serviceName = /^[a-z0-9-]{1,64}(?:\.[a-z0-9-]{1,64}){0,4}\.amazonaws\.com$/

/** KMS says no more than this of a principal that it does not know, whatever is wrong with it. */
export function invalidPrincipals(detail: string): ServiceError {
  return new ServiceError(
    'malformed-policy',
    'Policy contains a statement with one or more invalid principals.',
    { detail },
  )
}

/**
 * Undefined for a form that no policy of the kind can have: groups, wildcards within an ARN, canonical users, providers
 * in key policies.
 */
export function parsePrincipal(entry: PrincipalEntry, policy: PolicyKind): Principal | undefined {
  const { kind, text } = entry
  if (kind === 'Federated') return policy === 'trust' ? parseProviderArn(text) : undefined
  if (kind === 'Service') {
    return serviceName.test(text) ? { type: 'service', name: text } : undefined
  }
  if (kind !== 'AWS') return undefined
  if (text === '*') return { type: 'everyone' }
  const bare = parseAccountId(text)
  if (bare !== undefined) return { type: 'account', account: bare }
  if (uniqueId.test(text)) return { type: 'id', id: text }
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

function parseProviderArn(text: string): Principal | undefined {
  const [, digits = ''] = providerArn.exec(text) ?? []
  const account = parseAccountId(digits)
  return account === undefined ? undefined : { type: 'oidc-provider', account, arn: text }
}

/** Every principal that the policy names, each statement's in its order. Throws 'malformed-policy'. */
export function principalsOf(document: PolicyDocument): Principal[] {
  return document.statements.flatMap((statement) =>
    (statement.principal?.entries ?? []).map((entry) => requirePrincipal(entry, document.kind)),
  )
}

export function requirePrincipal(entry: PrincipalEntry, policy: PolicyKind): Principal {
  const principal = parsePrincipal(entry, policy)
  if (principal === undefined) {
    throw invalidPrincipals(`line ${entry.at.line}, column ${entry.at.column}: ${entry.kind}`)
  }
  return principal
}
