import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Caller } from '../base/caller.ts'
import type { DenialReason, Path } from './decision.ts'
import { decide } from './evaluate.ts'
import type { AccessRequest, PermittingGrant } from './request.ts'
import {
  abroad,
  home,
  keyArn,
  layers,
  own,
  policy,
  type StatementJson,
  session,
  sources,
  statement,
  user,
} from './test-samples.ts'

/**
 * What the layers of an account do to each other. Each group names the rule that it is about, in the words of AWS's
 * guides: negatives first.
 */
type Side = readonly StatementJson[]
export type Case = {
  readonly caller?: Caller
  /** The key policy, or the trust policy. */
  readonly policy?: Side
  readonly identity?: Side
  readonly boundary?: StatementJson
  readonly session?: Side
  readonly serviceControl?: readonly Side[]
  readonly resourceControl?: readonly Side[]
  readonly grant?: PermittingGrant['grantee']
  readonly permission?: string
  readonly type?: 'key' | 'role' | 'identity'
}
export type Verdict = Path | DenialReason | 'account-root' | 'identity-policy' | 'trust-policy'

export const alice = user(home, 'alice')
export const work = session(home, 'Worker', 'shift-1', '/ops/')
export const bob = user(abroad, 'bob')
export const guest = session(abroad, 'Guest', 'visit')
export const roleArn = `arn:aws:iam::${home}:role/app/Target`

export const naming = (principal: unknown, changes: StatementJson = {}) =>
  statement({ Principal: { AWS: principal }, ...changes })
export const deny = (changes: StatementJson = {}) => own({ Effect: 'Deny', ...changes })
export const other = own({ Action: 'kms:Encrypt' })
export const whole = own({ Action: '*' })
export const everyone = [statement()]
export const toAccount = [naming(home)]
export const nobody = [naming(user(home, 'nobody').arn)]

export function requestOf(asked: Case): AccessRequest {
  const { caller = alice, type = 'key', permission = 'kms:Decrypt', grant } = asked
  const account = home
  const trust = (asked.policy ?? []).map((one) => ({ ...one, Resource: undefined }))
  return {
    caller,
    permission,
    conditions: [],
    layers: layers(asked),
    resourceControl: (asked.resourceControl ?? []).map((level) =>
      sources(
        level.map((one) => ({ ...one, Principal: '*' })),
        'resource-control',
      ),
    ),
    resource:
      type === 'identity'
        ? { type, arn: '*', account: caller.account }
        : type === 'role'
          ? { type, arn: roleArn, account, policy: policy(trust, 'trust') }
          : { type, arn: keyArn, account, policy: policy(asked.policy ?? []), crossAccount: true },
    ...(grant && { grant: () => ({ grantId: 'grant-1', grantee: grant }) }),
  }
}

export function table(
  rule: string,
  cases: readonly (readonly [what: string, Case, Verdict])[],
): void {
  describe(rule, () => {
    for (const [what, asked, expected] of cases) {
      test(what, () => {
        const decision = decide(requestOf(asked))
        const found = decision.allowed ? (decision.path ?? decision.reason) : decision.reason
        assert.equal(found, expected)
      })
    }
  })
}
