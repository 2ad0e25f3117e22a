/** Keys of one account, callers of another: both sides have to agree. */
import type { Caller } from '../../../src/base/caller.ts'
import {
  against,
  allow,
  type DecisionCase,
  deny,
  type Policy,
  rootOf,
  to,
  type Verdict,
} from '../case.ts'
import { abroad, bob, guest, guestRoleArn, home, keyArn, stranger } from '../people.ts'

const decrypt = 'kms:Decrypt'
const unknown = ({ arn }: Caller, permission = decrypt) =>
  `User: ${arn} is not authorized to perform: ${permission} on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access`
const openly = ({ arn }: Caller, because: string) =>
  `User: ${arn} is not authorized to perform: ${decrypt} on resource: ${keyArn} ${because}`

type Side = {
  readonly name: string
  readonly changes: Partial<DecisionCase>
  /** Undefined: this side agrees. */
  readonly refused?: Verdict
  readonly because?: string
}

/** How the key's side names each caller, and by which way the call is then granted. */
const naming: readonly (readonly [rule: string, Caller, Policy, Verdict])[] = [
  ['4.3 account', bob, to(rootOf(abroad)), 'F'],
  ['4.3 user', bob, to(bob.arn), 'A'],
  ['4.3 everyone', bob, to('*'), 'E'],
  ['4.3 account', guest, to(abroad), 'F'],
  ['4.3 role', guest, to(guestRoleArn), 'C'],
  ['4.3 session', guest, to(guest.arn), 'B'],
  ['4.3 everyone', guest, to('*'), 'E'],
]

const all = [allow()]
const other = allow({ Action: 'kms:Encrypt' })
const denial = deny({ Action: decrypt })

/** Of users and of sessions: whichever way the key names them, their own account has to agree. */
const callerSide: readonly Side[] = [
  { name: 'its identity policy allows it', changes: { identity: all } },
  {
    name: 'its identity policy names the key',
    changes: { identity: [allow({ Resource: keyArn })] },
  },
  {
    name: 'it has no identity policy',
    changes: {},
    refused: 'no-identity-policy-allows',
    because: 'because no identity-based policy allows the kms:Decrypt action',
  },
  {
    name: 'its identity policy is about keys of its own account',
    changes: { identity: [allow({ Resource: `arn:aws:kms:*:${abroad}:key/*` })] },
    refused: 'no-identity-policy-allows',
    because: 'because no identity-based policy allows the kms:Decrypt action',
  },
  {
    name: 'its identity policy denies it',
    changes: { identity: [...all, denial] },
    refused: 'explicit-deny-in-identity-policy',
    because: 'with an explicit deny in an identity-based policy',
  },
  {
    name: 'its boundary does not allow it',
    changes: { identity: all, boundary: other },
    refused: 'no-permissions-boundary-allows',
    because: 'because no permissions boundary allows the kms:Decrypt action',
  },
  {
    name: 'its session policy does not allow it',
    changes: { identity: all, session: [other] },
    refused: 'no-session-policy-allows',
    because: 'because no session policy allows the kms:Decrypt action',
  },
  {
    name: 'a guardrail of its account does not allow it',
    changes: { identity: all, serviceControl: [[other]] },
    refused: 'no-service-control-policy-allows',
    because: 'because no service control policy allows the kms:Decrypt action',
  },
]

const bothSides: readonly DecisionCase[] = naming.flatMap(([rule, caller, policy, path]) =>
  callerSide.map(
    ({ name, changes, refused, because }): DecisionCase => ({
      rule,
      name,
      caller,
      policy,
      ...changes,
      expected: refused ?? path,
      ...(because === undefined ? {} : { text: openly(caller, because) }),
    }),
  ),
)

/** The key's side refuses: the caller learns nothing, whatever its own side says. */
const keySide: readonly Side[] = [
  {
    name: 'the key policy names its owner alone',
    changes: { policy: to(rootOf(home)) },
    refused: 'no-key-policy-allows',
  },
  {
    name: 'the key policy names a third account',
    changes: { policy: to('777788889999') },
    refused: 'no-key-policy-allows',
  },
  {
    name: 'the key policy is about another action',
    changes: { policy: to('*', { Action: 'kms:Encrypt' }) },
    refused: 'no-key-policy-allows',
  },
  {
    name: 'the key policy denies it',
    changes: { policy: [to('*'), against(abroad)] },
    refused: 'explicit-deny-in-key-policy',
  },
  {
    name: "a guardrail of the key's account denies it",
    changes: { policy: to('*'), resourceControl: [[allow(), denial]] },
    refused: 'explicit-deny-in-resource-control-policy',
  },
  {
    name: "a guardrail of the key's account does not allow it",
    changes: { policy: to('*'), resourceControl: [[other]] },
    refused: 'no-resource-control-policy-allows',
  },
]

const refusedByKey: readonly DecisionCase[] = [bob, guest, stranger].flatMap((caller) =>
  keySide.flatMap(({ name, changes, refused = 'no-key-policy-allows' }): DecisionCase[] => {
    const told = { caller, ...changes, expected: refused, text: unknown(caller) }
    return [
      { rule: '6 unknown/foreign key', name, ...told, identity: caller === stranger ? [] : all },
      ...(caller === stranger
        ? []
        : [
            {
              rule: '6 unknown/foreign key',
              name: `${name}, its own side too`,
              ...told,
              identity: [denial],
            },
          ]),
    ]
  }),
)

const roots: readonly DecisionCase[] = [
  {
    rule: '4.3',
    name: 'a root user whose account is named',
    caller: stranger,
    policy: to(abroad),
    expected: 'G',
  },
  {
    rule: '4.3',
    name: 'a root user among everyone',
    caller: stranger,
    policy: to('*'),
    expected: 'E',
  },
  {
    rule: '4.1 step 4',
    name: 'a root user under a guardrail',
    caller: stranger,
    policy: to(abroad),
    serviceControl: [[denial, allow()]],
    expected: 'explicit-deny-in-service-control-policy',
  },
  {
    rule: '4.3',
    name: 'a delegation to one account is none to another',
    caller: stranger,
    policy: to(home),
    expected: 'no-key-policy-allows',
  },
]

/** A grant stands in the place of a key policy, and for a grantee by name in that of an identity policy. */
const nobody = to(rootOf(home))
const grants: readonly DecisionCase[] = [
  {
    rule: '4.3 grant',
    name: 'to the user, without an identity policy',
    caller: bob,
    policy: nobody,
    grant: 'user',
    expected: 'H',
  },
  {
    rule: '4.3 grant',
    name: 'to the role, without an identity policy',
    caller: guest,
    policy: nobody,
    grant: 'role',
    expected: 'H',
  },
  {
    rule: '4.3 grant',
    name: 'to the session, without an identity policy',
    caller: guest,
    policy: nobody,
    grant: 'role-session',
    expected: 'H',
  },
  {
    rule: '4.3 grant',
    name: 'to the account, root',
    caller: stranger,
    policy: nobody,
    grant: 'account',
    expected: 'H',
  },
  {
    rule: '4.3 grant',
    name: 'to the account, a user without leave',
    caller: bob,
    policy: nobody,
    grant: 'account',
    expected: 'no-identity-policy-allows',
  },
  {
    rule: '4.3 grant',
    name: 'to the account, a user with leave',
    caller: bob,
    policy: nobody,
    grant: 'account',
    identity: all,
    expected: 'H',
  },
  {
    rule: '4.2 H',
    name: 'to the role, beyond its boundary',
    caller: guest,
    policy: nobody,
    grant: 'role',
    boundary: other,
    expected: 'no-permissions-boundary-allows',
  },
  {
    rule: '4.3 caller side',
    name: 'to the user, beyond its boundary',
    caller: bob,
    policy: nobody,
    grant: 'user',
    boundary: other,
    expected: 'no-permissions-boundary-allows',
  },
  {
    rule: '4.3 caller side',
    name: 'to the session, beyond its session policy',
    caller: guest,
    policy: nobody,
    grant: 'role-session',
    session: [other],
    expected: 'no-session-policy-allows',
  },
  {
    rule: '4.2 H',
    name: 'to the user, denied at home',
    caller: bob,
    policy: nobody,
    grant: 'user',
    identity: [denial],
    expected: 'explicit-deny-in-identity-policy',
  },
  {
    rule: '4.1 step 2',
    name: 'to the user, denied by the key',
    caller: bob,
    policy: against(abroad),
    grant: 'user',
    expected: 'explicit-deny-in-key-policy',
  },
  {
    rule: '4.1 step 4',
    name: 'to the user, under a guardrail',
    caller: bob,
    policy: nobody,
    grant: 'user',
    serviceControl: [[other]],
    expected: 'no-service-control-policy-allows',
  },
  {
    rule: '4.1 step 3',
    name: "to the user, under a guardrail of the key's",
    caller: bob,
    policy: nobody,
    grant: 'user',
    resourceControl: [[other]],
    expected: 'no-resource-control-policy-allows',
  },
  {
    rule: '4.3 grant',
    name: 'beside a key policy, without leave at home',
    caller: bob,
    policy: to(bob.arn),
    grant: 'user',
    expected: 'H',
  },
]

/** Denied before any policy is read, whatever the policies say. */
const closed: readonly DecisionCase[] = [stranger, bob, guest].flatMap((caller) =>
  (
    ['kms:DisableKey', 'kms:PutKeyPolicy', 'kms:ScheduleKeyDeletion', 'kms:TagResource'] as const
  ).map(
    (permission): DecisionCase => ({
      rule: '4.1 step 1',
      name: permission,
      caller,
      permission,
      crossAccount: false,
      policy: [to('*'), to(rootOf(abroad))],
      ...(caller.type === 'root' ? {} : { identity: all }),
      grant: 'user',
      expected: 'cross-account-operation',
      text: unknown(caller, permission),
    }),
  ),
)

export const crossAccount: readonly DecisionCase[] = [
  ...bothSides,
  ...refusedByKey,
  ...roots,
  ...grants,
  ...closed,
]
