/**
 * The ways in which a call on a key can be granted. D and I are named here and reached by no request yet: there are no
 * federated sessions or service callers.
 */
export type Path =
  /** The key policy names the user. */
  | 'A'
  /** The key policy names the session. */
  | 'B'
  /** The key policy names the role. */
  | 'C'
  /** The key policy names the user behind a federated session. */
  | 'D'
  /** The key policy names everyone. */
  | 'E'
  /** The key policy leaves it to the account, and an identity policy allows it. */
  | 'F'
  /** The key policy leaves it to the account, and the caller is the account's root user. */
  | 'G'
  /** A grant. */
  | 'H'
  /** The key policy names the service. */
  | 'I'

export type Decision = Allowed | Denied

export type Allowed = {
  readonly allowed: true
  /** Which policies it took. 'account-root': nothing but being the root user of the resource's account. */
  readonly reason:
    | 'key-policy'
    | 'key-and-identity-policy'
    | 'identity-policy'
    | 'account-root'
    | 'grant'
  /** For keys only. */
  readonly path?: Path
  /** Of path H: which grant. */
  readonly grantId?: string
}

export type Denied = {
  readonly allowed: false
  readonly reason: DenialReason
}

export type DenialReason =
  /** AWS lets no other account call this operation; no policy was read. */
  | 'cross-account-operation'
  | 'explicit-deny-in-key-policy'
  | 'explicit-deny-in-identity-policy'
  | 'no-key-policy-allows'
  | 'no-identity-policy-allows'
  /** Matching the policies against the request would take too long. */
  | 'too-much-work'
