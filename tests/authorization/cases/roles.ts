/** Who may assume a role: trust policies, and what the account besides has to say. */
import {
  against,
  allow,
  type DecisionCase,
  deny,
  rootOf,
  type Statement,
  to,
  type Verdict,
} from '../case.ts'
import {
  abroad,
  alice,
  bob,
  day,
  guest,
  guestRoleArn,
  home,
  owner,
  providerArn,
  webIdentity,
  workerArn,
} from '../people.ts'

const on = `arn:aws:iam::${home}:role/deploy/Deployer`
const all = [allow()]
const no = 'no-trust-policy-allows'
const other = allow({ Action: 'sts:TagSession' })

/** A trust policy has no Resource. */
const trusts = (principals: string | readonly string[], changes: Statement = {}) =>
  to(principals, { Action: 'sts:AssumeRole', Resource: undefined, ...changes })
const distrusts = (principals: string | readonly string[]) =>
  against(principals, { Action: 'sts:*', Resource: undefined })
const told = (arn: string, because: string) =>
  `User: ${arn} is not authorized to perform: sts:AssumeRole on resource: ${on}${because}`
const nothingAllows = ' because no role trust policy allows the sts:AssumeRole action'

type Row = readonly [rule: string, name: string, Omit<DecisionCase, 'rule' | 'name' | 'on'>]

const rows: readonly Row[] = [
  [
    '7.3 same account',
    'names the user: enough',
    { caller: alice, policy: trusts(alice.arn), expected: 'A' },
  ],
  [
    '7.3 same account',
    'names the role of a session: enough',
    { caller: day, policy: trusts(workerArn), expected: 'C' },
  ],
  [
    '7.3 same account',
    'names the session: enough',
    { caller: day, policy: trusts(day.arn), expected: 'B' },
  ],
  ['7.3 same account', 'names everyone', { caller: alice, policy: trusts('*'), expected: 'E' }],
  [
    '7.3 same account',
    'names the account: an identity policy too',
    { caller: alice, policy: trusts(home), identity: all, expected: 'F' },
  ],
  [
    '7.3 same account',
    'names the account: no identity policy',
    {
      caller: alice,
      policy: trusts(rootOf(home)),
      expected: 'no-identity-policy-allows',
      text: told(alice.arn, ' because no identity-based policy allows the sts:AssumeRole action'),
    },
  ],
  [
    '7.3 same account',
    'names the account: the identity policy is about another role',
    {
      caller: alice,
      policy: trusts(home),
      identity: [allow({ Resource: `${on}2` })],
      expected: 'no-identity-policy-allows',
    },
  ],
  [
    '7.3 same account',
    'names another',
    {
      caller: alice,
      policy: trusts(workerArn),
      identity: all,
      expected: no,
      text: told(alice.arn, nothingAllows),
    },
  ],
  [
    '7.3 same account',
    'a role limited by its boundary',
    {
      caller: day,
      policy: trusts(workerArn),
      boundary: other,
      expected: 'no-permissions-boundary-allows',
    },
  ],
  [
    '7.3 same account',
    'a role limited by its session',
    {
      caller: day,
      policy: trusts(workerArn),
      session: [other],
      expected: 'no-session-policy-allows',
    },
  ],
  [
    '7.3 same account',
    'a user that is named: no boundary',
    { caller: alice, policy: trusts(alice.arn), boundary: other, expected: 'A' },
  ],
  [
    '7.3 explicit deny',
    'in the trust policy',
    {
      caller: alice,
      policy: [trusts(alice.arn), distrusts(alice.arn)],
      expected: 'explicit-deny-in-trust-policy',
      text: told(alice.arn, ' with an explicit deny in the role trust policy'),
    },
  ],
  [
    '7.3 explicit deny',
    'in the identity policy',
    {
      caller: alice,
      policy: trusts(alice.arn),
      identity: [deny()],
      expected: 'explicit-deny-in-identity-policy',
      text: told(alice.arn, ' with an explicit deny in an identity-based policy'),
    },
  ],
  [
    '4.1 step 4',
    'a guardrail of the caller',
    {
      caller: alice,
      policy: trusts(alice.arn),
      serviceControl: [[other]],
      expected: 'no-service-control-policy-allows',
    },
  ],
  [
    '4.1 step 3',
    "a guardrail of the role's account",
    {
      caller: alice,
      policy: trusts(alice.arn),
      resourceControl: [[other]],
      expected: 'no-resource-control-policy-allows',
    },
  ],
  [
    '7.3 actions',
    'another than AssumeRole',
    { caller: alice, permission: 'sts:TagSession', policy: trusts(alice.arn), expected: no },
  ],
  [
    '7.3 actions',
    'tags need sts:TagSession',
    {
      caller: alice,
      permission: 'sts:TagSession',
      policy: trusts(alice.arn, { Action: ['sts:AssumeRole', 'sts:TagSession'] }),
      expected: 'A',
    },
  ],
  [
    '7.3 actions',
    'a source identity needs sts:SetSourceIdentity',
    { caller: alice, permission: 'sts:SetSourceIdentity', policy: trusts(alice.arn), expected: no },
  ],
  [
    '7.3 conditions',
    'the external id',
    {
      caller: bob,
      identity: all,
      policy: trusts(abroad, { Condition: { StringEquals: { 'sts:ExternalId': 'e-1' } } }),
      conditions: { 'sts:ExternalId': 'e-1' },
      expected: 'F',
    },
  ],
  [
    '7.3 conditions',
    'another external id',
    {
      caller: bob,
      identity: all,
      policy: trusts(abroad, { Condition: { StringEquals: { 'sts:ExternalId': 'e-1' } } }),
      conditions: { 'sts:ExternalId': 'e-2' },
      expected: no,
    },
  ],
  [
    '7.3 conditions',
    'no external id',
    {
      caller: bob,
      identity: all,
      policy: trusts(abroad, { Condition: { StringEquals: { 'sts:ExternalId': 'e-1' } } }),
      expected: no,
    },
  ],
  [
    '7.3 conditions',
    'a tag of the session',
    {
      caller: alice,
      policy: trusts(alice.arn, {
        Condition: { StringEquals: { 'aws:RequestTag/team': ['blue', 'red'] } },
      }),
      conditions: { 'aws:RequestTag/team': 'red' },
      expected: 'A',
    },
  ],
  [
    '7.3 conditions',
    'no tag',
    {
      caller: alice,
      policy: trusts(alice.arn, {
        Condition: { StringEquals: { 'aws:RequestTag/team': ['blue', 'red'] } },
      }),
      expected: no,
    },
  ],
  [
    '7.3 self-assumption',
    'is not implied',
    {
      caller: day,
      on: workerArn,
      policy: trusts(alice.arn),
      identity: all,
      expected: no,
    } as Row[2],
  ],
  [
    '7.3 cross-account',
    'both sides',
    { caller: bob, policy: trusts(abroad), identity: all, expected: 'F' },
  ],
  [
    '7.3 cross-account',
    'names the user, and its account agrees',
    { caller: bob, policy: trusts(bob.arn), identity: all, expected: 'A' },
  ],
  [
    '7.3 cross-account',
    'names the user, and its account does not',
    { caller: bob, policy: trusts(bob.arn), expected: 'no-identity-policy-allows' },
  ],
  [
    '7.3 cross-account',
    'names the role, and its account agrees',
    { caller: guest, policy: trusts(guestRoleArn), identity: all, expected: 'C' },
  ],
  [
    '7.3 cross-account',
    'names the role, and its boundary does not allow it',
    {
      caller: guest,
      policy: trusts(guestRoleArn),
      identity: all,
      boundary: other,
      expected: 'no-permissions-boundary-allows',
    },
  ],
  [
    '7.3 cross-account',
    'the account alone agrees',
    { caller: bob, policy: trusts(home), identity: all, expected: no, text: told(bob.arn, '') },
  ],
  [
    '7.3 cross-account',
    'the trust policy denies it',
    {
      caller: bob,
      policy: [trusts(abroad), distrusts(bob.arn)],
      identity: all,
      expected: 'explicit-deny-in-trust-policy',
      text: told(bob.arn, ''),
    },
  ],
  [
    '7.3 root',
    'the trust policy names its account',
    { caller: owner, policy: trusts(home), expected: 'G' },
  ],
]

const provider = providerArn(home)
const web = webIdentity(home)
const asWeb = 'sts:AssumeRoleWithWebIdentity'
const admits = (Federated: string, Condition?: object): Statement =>
  allow({ Principal: { Federated }, Action: asWeb, Resource: undefined, Condition })
const audience = { StringEquals: { 'idp.example.com/tenant:aud': 'app' } }

const webRows: readonly (readonly [
  name: string,
  Statement | readonly Statement[],
  object,
  Verdict,
])[] = [
  ['its provider', admits(provider), {}, 'provider'],
  ['another provider', admits(providerArn(home, 'idp.example.com/other')), {}, no],
  ['the provider of another account', admits(providerArn(abroad)), {}, no],
  ['everyone', trusts('*', { Action: asWeb }), {}, no],
  ['its account', trusts(home, { Action: asWeb }), {}, no],
  ['the audience', admits(provider, audience), { 'idp.example.com/tenant:aud': 'app' }, 'provider'],
  ['another audience', admits(provider, audience), { 'idp.example.com/tenant:aud': 'else' }, no],
  ['no audience', admits(provider, audience), {}, no],
  [
    'its provider, and a Deny of everyone',
    [admits(provider), distrusts('*')],
    {},
    'explicit-deny-in-trust-policy',
  ],
]

export const roles: readonly DecisionCase[] = [
  ...rows.map(([rule, name, given]) => ({ on, rule, name, ...given })),
  ...webRows.map(
    ([name, policy, conditions, expected]): DecisionCase => ({
      ...{ rule: '7.3 web identity', name, on, caller: web, permission: asWeb, policy, expected },
      conditions: conditions as Readonly<Record<string, string>>,
    }),
  ),
]
