/** Every form of a principal against every caller. */
import {
  against,
  allow,
  type DecisionCase,
  rootOf,
  type Statement,
  to,
  type Verdict,
} from '../case.ts'
import {
  abroad,
  alice,
  ann,
  bob,
  day,
  everybody,
  guest,
  guestRoleArn,
  home,
  type PersonName,
  workerArn,
} from '../people.ts'

type Form = readonly [
  rule: string,
  name: string,
  policy: Statement | readonly Statement[],
  who: Readonly<Partial<Record<PersonName, Verdict>>>,
  others: Verdict,
]

const no = 'no-key-policy-allows'
const denied = 'explicit-deny-in-key-policy'
const not = (Effect: 'Allow' | 'Deny', ...principals: readonly string[]): Statement =>
  allow({ Effect, NotPrincipal: { AWS: principals } })
/** Everyone may, but for whom it denies. */
const spares = (...principals: readonly string[]) => [to('*'), not('Deny', ...principals)]

const here = { owner: 'G', alice: 'F', ann: 'F', day: 'F', night: 'F' } as const
const there = { stranger: 'G', bob: 'F', guest: 'F' } as const

const forms: readonly Form[] = [
  ['1.3 account id', 'the own account', to(home), here, no],
  ['1.3 root ARN', 'the own account', to(rootOf(home)), here, no],
  ['1.3 account id', 'the other account', to(abroad), there, no],
  ['1.3 root ARN', 'the other account', to(rootOf(abroad)), there, no],
  ['1.3 account id', 'a third account', to('777788889999'), {}, no],
  ['1.3 user', 'a user', to(alice.arn), { alice: 'A' }, no],
  ['1.3 user', 'in another case', to(alice.arn.replace('alice', 'Alice')), {}, no],
  ['1.3 user', 'with its path', to(ann.arn), { ann: 'A' }, no],
  ['1.3 user', 'without its path', to(ann.arn.replace('team/', '')), {}, no],
  ['1.3 user', 'a name that begins the same', to(`${alice.arn}a`), {}, no],
  ['1.3 user', 'of the other account', to(bob.arn), { bob: 'A' }, no],
  ['1.3 user', 'the same name elsewhere', to(alice.arn.replace(home, abroad)), {}, no],
  ['4.4 role ARN', 'its sessions', to(workerArn), { day: 'C', night: 'C' }, no],
  ['1.3 role', 'without its path', to(workerArn.replace('ops/', '')), {}, no],
  ['4.4 role ARN', 'of the other account', to(guestRoleArn), { guest: 'C' }, no],
  ['4.4 session ARN', 'exactly one session', to(day.arn), { day: 'B' }, no],
  ['4.4 session ARN', 'another session', to(`${day.arn}s`), {}, no],
  ['4.4 session ARN', 'of the other account', to(guest.arn), { guest: 'B' }, no],
  [
    '1.3 federated user',
    'whom nobody here is',
    to(`arn:aws:sts::${home}:federated-user/alice`),
    {},
    no,
  ],
  [
    '1.3 Service',
    'which nobody here is',
    { ...to('*'), Principal: { Service: 'logs.us-east-1.amazonaws.com' } },
    {},
    no,
  ],
  ['1.3 everyone', 'bare', to('*'), {}, 'E'],
  ['1.3 everyone', 'as AWS', allow({ Principal: { AWS: '*' } }), {}, 'E'],
  [
    '1.3 lists',
    'a user and a role',
    to([alice.arn, workerArn]),
    { alice: 'A', day: 'C', night: 'C' },
    no,
  ],
  [
    '1.3 lists',
    'AWS and Service',
    allow({ Principal: { AWS: alice.arn, Service: 'logs.amazonaws.com' } }),
    { alice: 'A' },
    no,
  ],
  ['4.2 any path suffices', 'account and user', to([home, alice.arn]), { ...here, alice: 'A' }, no],
  [
    '4.2 any path suffices',
    'role and session',
    to([workerArn, day.arn]),
    { day: 'B', night: 'C' },
    no,
  ],
  ['4.4 NotPrincipal Allow', 'all but a user', not('Allow', alice.arn), { alice: no }, 'E'],
  [
    '4.4 NotPrincipal Allow',
    'all but a role',
    not('Allow', workerArn),
    { day: no, night: no },
    'E',
  ],
  [
    '4.4 NotPrincipal Allow',
    'all but an account',
    not('Allow', home),
    { stranger: 'E', bob: 'E', guest: 'E' },
    no,
  ],
  ['4.4 NotPrincipal Deny', 'user alone', spares(alice.arn), {}, denied],
  [
    '4.4 NotPrincipal Deny',
    'account and user',
    spares(home, alice.arn),
    { owner: 'E', alice: 'E' },
    denied,
  ],
  ['4.4 NotPrincipal Deny', 'account alone', spares(rootOf(home)), { owner: 'E' }, denied],
  ['4.4 NotPrincipal Deny', 'role alone', spares(workerArn), {}, denied],
  ['4.4 NotPrincipal Deny', 'account and role', spares(home, workerArn), { owner: 'E' }, denied],
  [
    '11.12 all three listed',
    'account, role, session',
    spares(home, workerArn, day.arn),
    { owner: 'E', day: 'E' },
    denied,
  ],
  [
    '4.4 NotPrincipal Deny',
    'of the other account',
    spares(abroad, bob.arn),
    { stranger: 'E', bob: 'E' },
    denied,
  ],
  ['4.1 step 2', 'a Deny of a user', [to('*'), against(alice.arn)], { alice: denied }, 'E'],
  [
    '4.1 step 2',
    'a Deny of a role',
    [to('*'), against(workerArn)],
    { day: denied, night: denied },
    'E',
  ],
  ['4.1 step 2', 'a Deny of a session', [to('*'), against(day.arn)], { day: denied }, 'E'],
  [
    '4.1 step 2',
    'a Deny of an account',
    [to('*'), against(home)],
    { owner: denied, alice: denied, ann: denied, day: denied, night: denied },
    'E',
  ],
]

/** Callers that have all leave of their own accounts, so that the key policy alone decides. */
export const principals: readonly DecisionCase[] = forms.flatMap(
  ([rule, name, policy, who, others]) =>
    Object.entries(everybody).map(
      ([person, caller]): DecisionCase => ({
        rule,
        name: `${name}: ${person}`,
        caller,
        policy,
        identity: caller.type === 'root' ? [] : [allow()],
        expected: who[person as PersonName] ?? others,
      }),
    ),
)

/** A boundary that allows all. */
const boundary = allow()

export const bounded: readonly DecisionCase[] = [
  ['a user that is listed', alice, [home, alice.arn]],
  ['a session that is listed', day, [home, workerArn, day.arn]],
  ['a user that is not listed', ann, [home, alice.arn]],
].map(([name, caller, listed]) => ({
  rule: '11.12 NotPrincipal and a boundary',
  name: String(name),
  caller: caller as typeof alice,
  policy: spares(...(listed as string[])),
  identity: [allow()],
  boundary,
  expected: denied,
}))
