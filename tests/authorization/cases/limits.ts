/** The ways of being granted a call, and what takes each away: explicit denials, guardrails, boundaries, sessions. */
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
import { alice, day, home, owner, workerArn } from '../people.ts'

type Way = {
  readonly rule: string
  readonly name: string
  readonly caller: Caller
  readonly policy: Policy
  readonly identity?: readonly Policy[]
  readonly grant?: DecisionCase['grant']
  readonly path: Verdict
  /** What a boundary, or a session policy, that does not allow the call makes of it. */
  readonly limited: 'no' | 'yes'
  /** What becomes of it without an identity policy that allows the call. */
  readonly needsIdentity: 'no' | 'yes'
}

const nobody = to(`arn:aws:iam::${home}:user/nobody`)
const all = [allow()]

const ways: readonly Way[] = [
  {
    rule: '4.2 A',
    name: 'user',
    caller: alice,
    policy: to(alice.arn),
    path: 'A',
    limited: 'no',
    needsIdentity: 'no',
  },
  {
    rule: '4.2 B',
    name: 'session',
    caller: day,
    policy: to(day.arn),
    path: 'B',
    limited: 'no',
    needsIdentity: 'no',
  },
  {
    rule: '4.2 C',
    name: 'role',
    caller: day,
    policy: to(workerArn),
    path: 'C',
    limited: 'yes',
    needsIdentity: 'no',
  },
  {
    rule: '4.2 E',
    name: 'everyone, a user',
    caller: alice,
    policy: to('*'),
    path: 'E',
    limited: 'no',
    needsIdentity: 'no',
  },
  {
    rule: '4.2 E',
    name: 'everyone, a session',
    caller: day,
    policy: to('*'),
    path: 'E',
    limited: 'no',
    needsIdentity: 'no',
  },
  {
    rule: '4.2 F',
    name: 'account, a user',
    caller: alice,
    policy: to(rootOf(home)),
    identity: all,
    path: 'F',
    limited: 'yes',
    needsIdentity: 'yes',
  },
  {
    rule: '4.2 F',
    name: 'account, a session',
    caller: day,
    policy: to(home),
    identity: all,
    path: 'F',
    limited: 'yes',
    needsIdentity: 'yes',
  },
  {
    rule: '4.2 G',
    name: 'root user',
    caller: owner,
    policy: to(rootOf(home)),
    path: 'G',
    limited: 'no',
    needsIdentity: 'no',
  },
  {
    rule: '4.2 H',
    name: 'grant to a user',
    caller: alice,
    policy: nobody,
    grant: 'user',
    path: 'H',
    limited: 'no',
    needsIdentity: 'no',
  },
  {
    rule: '4.2 H',
    name: 'grant to a session',
    caller: day,
    policy: nobody,
    grant: 'role-session',
    path: 'H',
    limited: 'no',
    needsIdentity: 'no',
  },
  {
    rule: '4.2 H',
    name: 'grant to a role',
    caller: day,
    policy: nobody,
    grant: 'role',
    path: 'H',
    limited: 'yes',
    needsIdentity: 'no',
  },
  {
    rule: '4.2 H',
    name: 'grant to the account',
    caller: alice,
    policy: nobody,
    identity: all,
    grant: 'account',
    path: 'H',
    limited: 'yes',
    needsIdentity: 'yes',
  },
]

const other = allow({ Action: 'kms:Encrypt' })
const this_ = allow({ Action: 'kms:Decrypt' })
const denial = deny({ Action: 'kms:Decrypt' })

function casesOf(way: Way): DecisionCase[] {
  const { rule, name, caller, policy, identity = [], grant, path } = way
  const asked = { caller, policy, identity, ...(grant === undefined ? {} : { grant }) }
  const base = (what: string, expected: Verdict, changes: Partial<DecisionCase> = {}) => ({
    ...asked,
    rule,
    name: `${name}: ${what}`,
    expected,
    ...changes,
  })
  const isRoot = caller.type === 'root'
  const boundary = way.limited === 'yes' ? 'no-permissions-boundary-allows' : path
  const session = way.limited === 'yes' ? 'no-session-policy-allows' : path
  const ofIdentities: readonly DecisionCase[] = [
    base('no identity policy', way.needsIdentity === 'yes' ? 'no-identity-policy-allows' : path, {
      identity: [],
    }),
    base(
      'an identity policy for something else',
      way.needsIdentity === 'yes' ? 'no-identity-policy-allows' : path,
      { identity: [other] },
    ),
    base('an identity policy that denies', 'explicit-deny-in-identity-policy', {
      identity: [...identity, denial],
    }),
    base('a boundary that allows it', path, { boundary: this_ }),
    base('a boundary that does not', boundary, { boundary: other }),
    base('a boundary that denies it', 'explicit-deny-in-permissions-boundary', {
      boundary: [allow(), denial],
    }),
  ]
  const ofSessions: readonly DecisionCase[] = [
    base('a session policy that allows it', path, { session: [this_] }),
    base('one of two session policies allows it', path, { session: [other, this_] }),
    base('a session policy that does not', session, { session: [other] }),
    base('no session policy is left', session, { session: [] }),
    base('a session policy that denies it', 'explicit-deny-in-session-policy', {
      session: [allow(), denial],
    }),
  ]
  return [
    base('nothing in the way', path),
    ...(isRoot ? [] : ofIdentities),
    ...(caller.type === 'role-session' ? ofSessions : []),
    base('a guardrail of its account that allows it', path, {
      serviceControl: [[allow()], [this_]],
    }),
    base('a guardrail of its account that does not', 'no-service-control-policy-allows', {
      serviceControl: [[allow()], [other]],
    }),
    base('a guardrail of its account that denies it', 'explicit-deny-in-service-control-policy', {
      serviceControl: [[allow()], [allow(), denial]],
    }),
    base("a guardrail of the key's account that allows it", path, {
      resourceControl: [[allow()], [this_]],
    }),
    base("a guardrail of the key's account that does not", 'no-resource-control-policy-allows', {
      resourceControl: [[other], [allow()]],
    }),
    base(
      "a guardrail of the key's account that denies it",
      'explicit-deny-in-resource-control-policy',
      { resourceControl: [[allow(), denial]] },
    ),
    base('a key policy that denies it', 'explicit-deny-in-key-policy', {
      policy: [policy, against('*', { Action: 'kms:Decrypt' })].flat(),
    }),
    base('a key policy that denies something else', path, {
      policy: [policy, against('*', { Action: 'kms:Encrypt' })].flat(),
    }),
  ]
}

/** Nothing but its own way grants a call. */
const without: readonly DecisionCase[] = [
  {
    rule: '4.2 (1)',
    name: 'the root user without any',
    caller: owner,
    policy: nobody,
    expected: 'no-key-policy-allows',
  },
  {
    rule: '4.2 (4)',
    name: 'an identity policy alone',
    caller: alice,
    policy: nobody,
    identity: all,
    expected: 'no-key-policy-allows',
  },
  {
    rule: '4.2 (2)',
    name: 'delegation is per action: another',
    caller: alice,
    policy: to(home, { Action: 'kms:Describe*' }),
    identity: all,
    expected: 'no-key-policy-allows',
  },
  {
    rule: '4.2 (2)',
    name: 'delegation is per action: this',
    caller: alice,
    policy: to(home, { Action: 'kms:Describe*' }),
    identity: all,
    permission: 'kms:DescribeKey',
    expected: 'F',
  },
  {
    rule: '4.2 (2)',
    name: 'delegation is per action: root',
    caller: owner,
    policy: to(home, { Action: 'kms:Describe*' }),
    expected: 'no-key-policy-allows',
  },
  ...[
    ['holds', { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' }, 'F'],
    ['does not hold', { 'kms:ViaService': 'ec2.eu-west-1.amazonaws.com' }, 'no-key-policy-allows'],
    ['is about an absent key', {}, 'no-key-policy-allows'],
  ].map(([name, conditions, expected]) => ({
    rule: '4.2 (2)',
    name: `the condition of the delegation ${name}`,
    caller: alice,
    policy: to(home, { Condition: { StringLike: { 'kms:ViaService': 's3.*' } } }),
    identity: all,
    conditions: conditions as Readonly<Record<string, string>>,
    expected: expected as Verdict,
  })),
  {
    rule: '4.2 F',
    name: 'both condition sets: that of the identity policy fails',
    caller: alice,
    policy: to(home),
    identity: [allow({ Condition: { Bool: { 'aws:SecureTransport': true } } })],
    conditions: { 'aws:SecureTransport': 'false' },
    expected: 'no-identity-policy-allows',
  },
  {
    rule: '4.2 F',
    name: 'both condition sets hold',
    caller: alice,
    policy: to(home, { Condition: { StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } } }),
    identity: [allow({ Condition: { Bool: { 'aws:SecureTransport': true } } })],
    conditions: { 'aws:SecureTransport': 'true', 'aws:RequestedRegion': 'eu-west-1' },
    expected: 'F',
  },
  {
    rule: '4.2 (3)',
    name: 'an identity Deny without delegation',
    caller: alice,
    policy: to(alice.arn),
    identity: [denial],
    expected: 'explicit-deny-in-identity-policy',
  },
  {
    rule: '4.2 F',
    name: 'one of several identity policies allows it',
    caller: alice,
    policy: to(home),
    identity: [other, this_],
    expected: 'F',
  },
  {
    rule: '4.2 F',
    name: 'two halves are no whole',
    caller: alice,
    policy: to(home),
    identity: [allow({ Resource: 'arn:aws:kms:*:*:alias/*' }), other],
    expected: 'no-identity-policy-allows',
  },
  {
    rule: '4.2 F',
    name: 'a boundary grants nothing',
    caller: alice,
    policy: to(home),
    boundary: allow(),
    expected: 'no-identity-policy-allows',
  },
  {
    rule: '4.2 F',
    name: 'a session policy grants nothing',
    caller: day,
    policy: to(home),
    session: all,
    expected: 'no-identity-policy-allows',
  },
  {
    rule: '4.1 step 4',
    name: 'a guardrail grants nothing',
    caller: alice,
    policy: to(home),
    serviceControl: [all],
    expected: 'no-identity-policy-allows',
  },
  {
    rule: '4.1 step 3',
    name: 'a resource guardrail grants nothing',
    caller: alice,
    policy: nobody,
    resourceControl: [all],
    identity: all,
    expected: 'no-key-policy-allows',
  },
  {
    rule: '4.1 step 4',
    name: 'every level has to allow',
    caller: alice,
    policy: to('*'),
    serviceControl: [all, [other], all],
    expected: 'no-service-control-policy-allows',
  },
  {
    rule: '4.1 step 4',
    name: 'one policy of a level suffices',
    caller: alice,
    policy: to('*'),
    serviceControl: [[other, this_], all],
    expected: 'E',
  },
  {
    rule: '4.1 step 4',
    name: 'a level without a policy allows nothing',
    caller: alice,
    policy: to('*'),
    serviceControl: [all, []],
    expected: 'no-service-control-policy-allows',
  },
  {
    rule: '4.1 step 4',
    name: 'the root user is bound',
    caller: owner,
    policy: to('*'),
    serviceControl: [
      [deny({ Condition: { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:root' } } }), allow()],
    ],
    conditions: { 'aws:PrincipalArn': owner.arn },
    expected: 'explicit-deny-in-service-control-policy',
  },
  {
    rule: '4.2 E',
    name: 'with aws:PrincipalArn of the role: no boundary limits it',
    caller: day,
    policy: to('*', { Condition: { ArnEquals: { 'aws:PrincipalArn': workerArn } } }),
    conditions: { 'aws:PrincipalArn': workerArn },
    boundary: other,
    session: [other],
    expected: 'E',
  },
  {
    rule: '3.1 CallerAccount',
    name: 'everyone of an account',
    caller: alice,
    policy: to('*', { Condition: { StringEquals: { 'kms:CallerAccount': home } } }),
    conditions: { 'kms:CallerAccount': home },
    expected: 'E',
  },
  {
    rule: '3.1 CallerAccount',
    name: 'nobody of another',
    caller: alice,
    policy: to('*', { Condition: { StringEquals: { 'kms:CallerAccount': '444455556666' } } }),
    conditions: { 'kms:CallerAccount': home },
    expected: 'no-key-policy-allows',
  },
  {
    rule: '4.2 C',
    name: 'a role that is limited, and an account that may not help',
    caller: day,
    policy: to([workerArn, home]),
    boundary: other,
    identity: all,
    expected: 'no-permissions-boundary-allows',
  },
  {
    rule: '4.2 any path',
    name: 'a role that is limited, and a grant to its session',
    caller: day,
    policy: to(workerArn),
    boundary: other,
    grant: 'role-session',
    expected: 'H',
  },
  {
    rule: '4.2 any path',
    name: 'an account that withholds, and a grant',
    caller: alice,
    policy: to(home),
    grant: 'user',
    expected: 'H',
  },
  {
    rule: '4.2 any path',
    name: 'named in one statement, denied by none',
    caller: alice,
    policy: [to(home), to(alice.arn)],
    boundary: other,
    expected: 'A',
  },
]

export const limits: readonly DecisionCase[] = [...ways.flatMap(casesOf), ...without]
