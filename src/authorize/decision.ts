/**
 * The ways in which a call on a key or a bucket, or the taking on of a role, can be granted. D is named here and
 * reached by no request yet: there are no federated users.
 */
export type Path =
  /** The resource policy names the user. */
  | 'A'
  /** The resource policy names the session. */
  | 'B'
  /** The resource policy names the role: boundary and session policies limit it. */
  | 'C'
  /** The resource policy names the user behind a federated session. */
  | 'D'
  /** The resource policy names everyone. */
  | 'E'
  /** The resource policy leaves it to the account, and an identity policy allows it within boundary and session. */
  | 'F'
  /** The resource policy leaves it to the account, and the caller is the account's root user. */
  | 'G'
  /** A grant. */
  | 'H'
  /** The resource policy names the service. */
  | 'I'

export type Decision = Allowed | Denied

export type Allowed = {
  readonly allowed: true
  /** Which policies it took. 'account-root': nothing but being the root user of the resource's account. */
  readonly reason:
    | 'key-policy'
    | 'key-and-identity-policy'
    | 'trust-policy'
    | 'bucket-policy'
    | 'trust-and-identity-policy'
    | 'bucket-and-identity-policy'
    | 'identity-policy'
    | 'account-root'
    | 'grant'
  /** Absent where there is no resource policy, and for a web identity, whose provider the trust policy names. */
  readonly path?: Path
  /** Of path H: which grant. */
  readonly grantId?: string
}

export type Denied = {
  readonly allowed: false
  readonly reason: DenialReason
  /**
   * Of an explicit denial: the policy that denies, if it has an ARN. Inline policies and resource policies have none.
   */
  readonly policyArn?: string
}

export type DenialReason =
  /** AWS lets no other account call this operation; no policy was read. */
  | 'cross-account-operation'
  | 'explicit-deny-in-service-control-policy'
  | 'explicit-deny-in-resource-control-policy'
  | 'explicit-deny-in-key-policy'
  | 'explicit-deny-in-trust-policy'
  | 'explicit-deny-in-bucket-policy'
  | 'explicit-deny-in-identity-policy'
  | 'explicit-deny-in-permissions-boundary'
  | 'explicit-deny-in-session-policy'
  | 'no-service-control-policy-allows'
  | 'no-resource-control-policy-allows'
  | 'no-key-policy-allows'
  | 'no-trust-policy-allows'
  | 'no-bucket-policy-allows'
  | 'no-identity-policy-allows'
  | 'no-permissions-boundary-allows'
  | 'no-session-policy-allows'
  /** Matching the policies against the request would take too long. */
  | 'too-much-work'
